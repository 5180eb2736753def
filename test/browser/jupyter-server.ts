// A real JupyterLab server on loopback, for the time of a test.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { dirname, join } from "node:path"
import type { JupyterEnvironment } from "../notebooks/jupyter-environment"

export interface JupyterServer {
  readonly port: number
  /** The address of a path, with the token. */
  address(path: string): string
  setTheme(theme: "JupyterLab Light" | "JupyterLab Dark"): Promise<void>
  close(): Promise<void>
}

export interface JupyterOptions {
  /** What is started: JupyterLab, or Notebook 7. */
  readonly program?: "jupyterlab" | "notebook"
  /** The path under which it is served, as on a hub. */
  readonly baseUrl?: string
  readonly moreWords?: readonly string[]
}

const token = "for-this-test"

/** Starts JupyterLab over `folder`; resolves when it answers. */
export async function startJupyter(
  { python, variables }: JupyterEnvironment,
  folder: string,
  { program = "jupyterlab", baseUrl = "/", moreWords = [] }: JupyterOptions = {},
): Promise<JupyterServer> {
  const port = await findFreePort()
  const settings = join(folder, ".settings")
  mkdirSync(settings, { recursive: true })
  const words = [
    "-m",
    program,
    "--no-browser",
    "--ip=127.0.0.1",
    `--port=${port}`,
    `--IdentityProvider.token=${token}`,
    `--ServerApp.root_dir=${folder}`,
    `--ServerApp.base_url=${baseUrl}`,
    ...moreWords,
  ]
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : []
  const child = spawn(python, [...words, "--ServerApp.port_retries=0", "--LabApp.news_url=", ...asRoot], {
    cwd: folder,
    env: { ...process.env, ...variables, JUPYTERLAB_SETTINGS_DIR: settings },
    stdio: ["ignore", "ignore", "pipe"],
  })
  let log = ""
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text
      if (log.includes("is running at")) resolve()
    })
    child.on("error", reject).on("exit", () => reject(new Error(`JupyterLab ended at once:\n${log}`)))
  })
  return {
    port,
    address: (path) => `http://127.0.0.1:${port}${baseUrl.replace(/\/$/, "")}${path}?reset&token=${token}`,
    async setTheme(theme) {
      writeSettings(settings, "apputils-extension/themes", { theme, "adaptive-theme": false })
      writeSettings(settings, "apputils-extension/notification", { checkForUpdates: false, fetchNews: "false" })
      // All cells are in the page, also those below the window.
      writeSettings(settings, "notebook-extension/tracker", { windowingMode: "none" })
    },
    async close() {
      child.removeAllListeners("exit")
      const ended = once(child, "exit")
      child.kill("SIGTERM")
      const guard = setTimeout(() => child.kill("SIGKILL"), 20_000)
      await ended
      clearTimeout(guard)
    },
  }
}

function writeSettings(folder: string, plugin: string, content: object): void {
  const file = join(folder, "@jupyterlab", `${plugin}.jupyterlab-settings`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(content))
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}
