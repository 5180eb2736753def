// What a page of JupyterLab says that nobody should hear, and the application behind it.
import type { Page } from "playwright-core"

/** Notebook 7 throws it by itself on every page, without our extension too. */
export const notebooksOwn = "Cannot read properties of undefined (reading 'schema')"

/** Errors of any part of the page, and warnings that our part wrote or that are about it. */
export function collectNoise(page: Page): string[] {
  const noise: string[] = []
  page.on("pageerror", (error) => noise.push(error.stack ?? error.message))
  page.on("console", (message) => {
    const isOurs = /prompt2model/i.test(message.text()) || message.location().url.includes("prompt2model")
    if (message.type() === "error" || (message.type() === "warning" && isOurs)) noise.push(`${message.text()} ${message.location().url}`)
  })
  return noise
}

/** Where JupyterLab was told to show its application: `--LabApp.expose_app_in_browser=True`. */
export interface LabWindow {
  readonly jupyterapp: {
    readonly commands: { execute(id: string, args?: object): Promise<{ readonly context?: { readonly ready: Promise<void> } }> }
    readonly shell: { readonly currentWidget: { readonly sessionContext?: { readonly ready: Promise<void> }; dispose(): void } | null }
  }
}
