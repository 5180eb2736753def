// Perspective's viewer of CSV files in a JupyterLab of its own, in .cache/bench-viewer/perspective: made once, and left out where it cannot be installed.
import { execFileSync } from "node:child_process"
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
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
    // A folder of its own, since the settings that lie in it open CSV by Perspective.
    const shown = join(home, "shown")
    const settings = join(shown, ".settings/@jupyterlab/docmanager-extension")
    rmSync(shown, { recursive: true, force: true })
    mkdirSync(settings, { recursive: true })
    writeFileSync(join(settings, "plugin.jupyterlab-settings"), JSON.stringify({ defaultViewers: { csv: "Perspective-CSV" } }))
    for (const name of readdirSync(folder)) if (name.endsWith(".csv")) linkSync(join(folder, name), join(shown, name))
    return await startJupyter({ python, variables: { ...Object.fromEntries(places), JUPYTER_PLATFORM_DIRS: "1" } }, shown)
  } catch (error) {
    console.error(`Perspective is left out: ${(error as Error).message.split("\n")[0]}`)
    return undefined
  }
}
