// What people have beside JupyterLab: Notebook 7 and Jupyter's proxy, in a Python environment of their own, .cache/jupyter-extras. Made once. The
// extension and the kernel are those of the project's own environment.
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type JupyterEnvironment, openJupyterEnvironment, root } from "../notebooks/jupyter-environment"

const home = join(root, ".cache/jupyter-extras")
const wanted = ["jupyterlab==4.6.*", "notebook>=7.5,<8", "jupyter-server-proxy>=4.4,<5"]

/** @throws Error where the packages cannot be installed */
export function openExtrasEnvironment(command: string): JupyterEnvironment {
  const { variables } = openJupyterEnvironment(command, { withExtension: true })
  const folder = process.platform === "win32" ? "Scripts/python.exe" : "bin/python"
  const python = join(home, "venv", folder)
  const stamp = join(home, "venv.stamp")
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted.join("\n")) {
    rmSync(home, { recursive: true, force: true })
    mkdirSync(home, { recursive: true })
    execFileSync(command, ["-m", "venv", join(home, "venv")])
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...wanted], { stdio: "inherit" })
    writeFileSync(stamp, wanted.join("\n"))
  }
  return { python, variables: { ...variables, JUPYTER_PATH: join(root, ".cache/jupyter/venv/share/jupyter") } }
}
