// Perspective's viewer of CSV files in a JupyterLab of its own, in .cache/bench-viewer/perspective: made once, and left out where it cannot be installed.
import { execFileSync } from "node:child_process"
import { existsSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type JupyterServer, startJupyter } from "../../browser/jupyter-server"

const wanted = ["jupyterlab==4.6.*", "perspective-python>=5.6,<6"]

/** @returns undefined where it cannot be installed, which it says */
export async function startPerspective(command: string, folder: string): Promise<JupyterServer | undefined> {
  const home = join(folder, ".perspective")
  const python = join(home, process.platform === "win32" ? "Scripts/python.exe" : "bin/python")
  const stamp = join(home, "stamp")
  try {
    if (!existsSync(stamp)) {
      console.error("Installing Perspective ...")
      rmSync(home, { recursive: true, force: true })
      execFileSync(command, ["-m", "venv", home])
      execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...wanted], { stdio: "inherit" })
      writeFileSync(stamp, wanted.join("\n"))
    }
    const places = ["CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"].map((name) => [`JUPYTER_${name}`, join(home, name.toLowerCase())] as const)
    return await startJupyter({ python, variables: { ...Object.fromEntries(places), JUPYTER_PLATFORM_DIRS: "1" } }, folder)
  } catch (error) {
    console.error(`Perspective is left out: ${(error as Error).message.split("\n")[0]}`)
    return undefined
  }
}
