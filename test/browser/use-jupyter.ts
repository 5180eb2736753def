// What tests in a real JupyterLab begin and end with: a folder of their own, a server over it, and a browser.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { findPython, type JupyterEnvironment, openJupyterEnvironment, root } from "../notebooks/jupyter-environment"
import { findBrowser, isRequired, launchBrowser } from "./browser"
import { type JupyterOptions, type JupyterServer, startJupyter } from "./jupyter-server"

const [python, found] = [findPython(), findBrowser()]
const missing = [python, found].flatMap((place) => ("reason" in place ? [place.reason] : []))
for (const reason of missing) console.warn(reason)

/** Whether there is what they need; where it must be there, they run and fail. */
export const canRun = missing.length === 0 || isRequired

export interface JupyterSetting {
  /** What the server shows. */
  readonly folder: string
  /** The following are there from `beforeAll` on. */
  environment: JupyterEnvironment
  server: JupyterServer
  browser: Browser
}

export interface JupyterSettingOptions extends JupyterOptions {
  /** Fills the folder before the server starts. */
  prepare(folder: string, environment: JupyterEnvironment): void
  /** Default: the project's own environment, with the extension. */
  openEnvironment?(python: string): JupyterEnvironment
  readonly browserFlags?: readonly string[]
}

/** To be called in a `describe`. @param name of the folder, in notebooks/.cache */
export function useJupyter(name: string, options: JupyterSettingOptions): JupyterSetting {
  const { prepare, openEnvironment = (command) => openJupyterEnvironment(command, { withExtension: true }), browserFlags } = options
  const setting = { folder: join(root, "notebooks/.cache", name) } as JupyterSetting
  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    if ("reason" in found) throw new Error(found.reason)
    rmSync(setting.folder, { recursive: true, force: true })
    mkdirSync(setting.folder, { recursive: true })
    setting.environment = openEnvironment(python.command)
    prepare(setting.folder, setting.environment)
    setting.server = await startJupyter(setting.environment, setting.folder, options)
    setting.browser = await launchBrowser(found.executable, browserFlags)
  })
  afterAll(async () => {
    await setting.browser?.close()
    await setting.server?.close()
  })
  return setting
}

export interface CellContent {
  readonly source?: string
  readonly outputs?: readonly object[]
}

/** Writes a notebook for the TypeScript kernel. @param path where it is written */
export function writeNotebook(path: string, content: readonly CellContent[]): void {
  const cells = content.map(({ source = "", outputs = [] }, index) => ({
    ...{ cell_type: "code", id: `cell-${index}`, execution_count: outputs.length > 0 ? index + 1 : null, metadata: {}, source, outputs },
  }))
  const kernelspec = { name: "tslab", display_name: "TypeScript", language: "typescript" }
  writeFileSync(path, JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }))
}

/** A cell that has shown this bundle. */
export function showBundle(data: object): CellContent {
  return { outputs: [{ output_type: "display_data", data, metadata: {} }] }
}
