// The extension as a part of JupyterLab, and of Notebook 7: palette, launcher, menus, settings, languages, nothing left behind, nothing in the console,
// and what the wheel holds.
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundleOf, type MimeBundle } from "../../kernel-lib/src/display/self-showing"
import { dataset, plainPayloads } from "../../kernel-lib/test/display/sample-payloads"
import { findPython, type JupyterEnvironment, root } from "../notebooks/jupyter-environment"
import { findBrowser, isRequired, launchBrowser, takeScreenshot } from "./browser"
import { writeGeneratedCsv, writeGeneratedParquet } from "./dataset-files"
import { openExtrasEnvironment } from "./extras-environment"
import { type JupyterServer, startJupyter } from "./jupyter-server"

const python = findPython()
const found = findBrowser()
const missing = [python, found].flatMap((place) => ("reason" in place ? [place.reason] : []))
for (const reason of missing) console.warn(reason)

const demo = plainPayloads.find(({ kind }) => kind === "demo")!
const folder = join(root, "notebooks/.cache/browser-home")
const sources = join(root, "jupyter-extension/src")

function writeNotebook(name: string, bundles: readonly MimeBundle[]): void {
  const cells = bundles.map((data, index) => ({
    ...{ cell_type: "code", id: `cell-${index}`, execution_count: index + 1, metadata: {}, source: "" },
    outputs: [{ output_type: "display_data", data, metadata: {} }],
  }))
  const kernelspec = { name: "tslab", display_name: "TypeScript", language: "typescript" }
  writeFileSync(join(folder, name), JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }))
}

function writeSettings(plugin: string, content: object): void {
  const [place, name] = plugin.split(":")
  mkdirSync(join(folder, ".settings", place), { recursive: true })
  writeFileSync(join(folder, ".settings", place, `${name}.jupyterlab-settings`), JSON.stringify(content))
}

/** Notebook 7 throws it by itself on every page, without our extension too. */
const notebooksOwn = "Cannot read properties of undefined (reading 'schema')"

/** Errors of any part of the page, and warnings that our part wrote or that are about it. */
function collectNoise(page: Page): string[] {
  const noise: string[] = []
  page.on("pageerror", (error) => noise.push(error.stack ?? error.message))
  page.on("console", (message) => {
    const isOurs = /prompt2model/i.test(message.text()) || message.location().url.includes("prompt2model")
    if (message.type() === "error" || (message.type() === "warning" && isOurs)) noise.push(`${message.text()} ${message.location().url}`)
  })
  return noise
}

/** A language in which every sentence that the sources hand to the translator stands between guillemets. */
function makeCatalogue(): object {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
  const text = files.map((file) => readFileSync(join(sources, file), "utf8")).join("\n")
  const quoted = '"((?:[^"\\\\]|\\\\.)*)"'
  const mark = (sentence: string) => `«${JSON.parse(`"${sentence}"`)}»`
  const keyOf = (sentence: string) => JSON.parse(`"${sentence}"`) as string
  const single = [...text.matchAll(new RegExp(`(?:__|new Trouble)\\(\\s*${quoted}|message: ${quoted}`, "g"))]
  const plural = [...text.matchAll(new RegExp(`_n\\(\\s*${quoted},\\s*${quoted}`, "g"))]
  const head = { domain: "jupyterlab_prompt2model", language: "fr", pluralForms: "nplurals=2; plural=(n > 1);" }
  return Object.fromEntries<unknown>([
    ["", { ...head, plural_forms: head.pluralForms, version: "1" }],
    ...single.map(([, first, second]) => [keyOf(first ?? second), [mark(first ?? second)]] as const),
    ...plural.map(([, one, many]) => [keyOf(one), [mark(one), mark(many)]] as const),
  ])
}

interface LabWindow {
  readonly jupyterapp: {
    readonly commands: { execute(id: string, args?: object): Promise<{ readonly context?: { readonly ready: Promise<void> } }> }
    readonly shell: { readonly currentWidget: { readonly sessionContext?: { readonly ready: Promise<void> }; dispose(): void } | null }
  }
}

describe.skipIf(missing.length > 0 && !isRequired)("the extension at home", () => {
  let environment: JupyterEnvironment
  let server: JupyterServer
  let browser: Browser

  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    if ("reason" in found) throw new Error(found.reason)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeGeneratedParquet(join(folder, "rows.parquet"), 3000)
    writeGeneratedCsv(join(folder, "rows.csv"), 300)
    writeNotebook("results.ipynb", [bundleOf(dataset), bundleOf(demo)])
    writeNotebook(
      "ours.ipynb",
      Array.from({ length: 10 }, (_none, index) => bundleOf(index % 2 === 0 ? dataset : demo)),
    )
    environment = openExtrasEnvironment(python.command)
    server = await startJupyter(environment, folder, { moreWords: ["--LabApp.expose_app_in_browser=True"] })
    browser = await launchBrowser(found.executable)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  async function open(path: string, { theme = "JupyterLab Light" as "JupyterLab Light" | "JupyterLab Dark", at = server } = {}) {
    await server.setTheme(theme)
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
    const noise = collectNoise(page)
    await page.goto(at.address(path))
    return { page, noise }
  }

  it("has its commands in launcher and palette, and the launcher's open what they say", async () => {
    const { page, noise } = await open("/lab")
    const card = (name: string) => page.locator(".jp-LauncherCard", { hasText: name })
    await card("Dataset Viewer").waitFor({ timeout: 60_000 })
    await card("Student Demo").waitFor()
    await card("Student Demo").scrollIntoViewIfNeeded()
    await takeScreenshot(page, "launcher", { isWhole: false })
    await page.keyboard.press("Control+Shift+C")
    await page.locator(".lm-CommandPalette-input").fill("Prompt2Model")
    const items = page.locator(".lm-CommandPalette-itemLabel")
    await items.filter({ hasText: "Student Demo" }).waitFor()
    const labels = await items.allTextContents()
    for (const label of ["Dataset Viewer", "Student Demo", "Group Alike Rows", "Copy the Selection as TypeScript"])
      expect(labels).toContain(label)
    await page.keyboard.press("Escape")
    await card("Dataset Viewer").click()
    await page.locator(".jp-Dialog input").fill("rows.csv")
    await page.keyboard.press("Enter")
    await page.locator(".jp-Prompt2ModelViewer .p2m-bar", { hasText: "300 rows" }).waitFor()
    expect(noise).toEqual([])
    await page.close()
  })

  it("does as it is set", async () => {
    writeSettings("jupyterlab-prompt2model:settings", { opensCsv: true, findsNearestRow: false })
    const { page, noise } = await open("/lab/tree/rows.csv")
    const viewer = page.locator(".jp-Prompt2ModelViewer")
    await viewer.locator(".p2m-bar", { hasText: "300 rows" }).waitFor({ timeout: 60_000 })
    await viewer.locator(".lm-DataGrid-viewport").press("Home")
    await viewer.locator(".p2m-side", { hasText: "tokens" }).waitFor()
    expect(await viewer.locator(".p2m-side h5", { hasText: "Against" }).count()).toBe(0)
    await page.evaluate(() => (window as unknown as LabWindow).jupyterapp.commands.execute("settingeditor:open", { query: "Prompt2Model" }))
    await page.getByText("Training rows beside an answer").waitFor({ timeout: 30_000 })
    await takeScreenshot(page, "settings", { isWhole: false })
    expect(noise).toEqual([])
    writeSettings("jupyterlab-prompt2model:settings", {})
    await page.close()
  })

  it("speaks JupyterLab's language: no sentence of viewer and demo is left out", async () => {
    writeSettings("@jupyterlab/translation-extension:plugin", { locale: "fr_FR" })
    await server.setTheme("JupyterLab Light")
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
    const data = { jupyterlab_prompt2model: makeCatalogue() }
    await page.route("**/api/translations/**", (route) => route.fulfill({ json: { data, message: "" } }))
    await page.goto(server.address("/lab/tree/rows.parquet"))
    const viewer = page.locator(".jp-Prompt2ModelViewer")
    await viewer.waitFor({ timeout: 60_000 })
    await viewer.locator(".p2m-bar", { hasText: "«3,000 rows»" }).waitFor()
    await viewer.locator(".lm-DataGrid-viewport").press("Home")
    await viewer.locator(".p2m-side h5", { hasText: "Against" }).waitFor()
    await viewer.locator(".lm-DataGrid-viewport").press("f")
    await page.evaluate(() => (window as unknown as LabWindow).jupyterapp.commands.execute("docmanager:open", { path: "results.ipynb" }))
    await page.locator(".jp-Prompt2ModelDemo").waitFor()
    await page.locator(".jp-Prompt2ModelDemo .p2m-tries button").first().click()
    await page.locator(".jp-Prompt2ModelDemo .p2m-bad").waitFor()
    expect(await findUntranslated(page)).toEqual([])
    await takeScreenshot(page, "translated", { isWhole: false })
    await page.close()
    writeSettings("@jupyterlab/translation-extension:plugin", {})
  })

  it("leaves nothing behind when outputs and files are closed", async () => {
    const { page, noise } = await open("/lab")
    await page.waitForFunction(() => "jupyterapp" in window, undefined, { timeout: 60_000 })
    await page.locator(".jp-Launcher, .jp-FileBrowser").first().waitFor()
    const session = await page.context().newCDPSession(page)
    await session.send("Performance.enable")
    const read = async () => {
      await session.send("HeapProfiler.collectGarbage")
      const { metrics } = await session.send("Performance.getMetrics")
      return metrics.find(({ name }) => name === "JSEventListeners")!.value
    }
    const openAndClose = async (path: string, shown: string, count: number, factory?: string) => {
      const args = { path, factory }
      await page.evaluate((args) => void (window as unknown as LabWindow).jupyterapp.commands.execute("docmanager:open", args), args)
      await page.waitForFunction(([shown, count]) => document.querySelectorAll(shown).length === count, [shown, count] as const)
      const open = await read()
      await page.evaluate(async () => {
        const widget = (window as unknown as LabWindow).jupyterapp.shell.currentWidget
        // A notebook that is closed while its kernel starts is an error to JupyterLab.
        await widget?.sessionContext?.ready
        widget?.dispose()
      })
      await page.waitForFunction((shown) => document.querySelectorAll(shown).length === 0, shown)
      return open
    }
    // What is let go is collected in several passes, and JupyterLab lets go of some of it when it is idle.
    const measure = async () => {
      const readings = [await read()]
      while (readings.length < 4 || readings.slice(-4).some((one) => one !== readings.at(-1))) {
        await page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve, 50))))
        readings.push(await read())
      }
      return { listeners: readings.at(-1)!, workers: page.workers().length }
    }
    const grow = async (visit: () => Promise<number>) => {
      await visit()
      const before = await measure()
      const ofOne = (await visit()) - before.listeners
      for (let round = 1; round < 5; round++) await visit()
      const after = await measure()
      return { ofOne, listeners: after.listeners - before.listeners, workers: after.workers - before.workers }
    }
    // JupyterLab lets go of a notebook's own elements when it likes. What outlives an output of ours are its listeners on the page as a whole.
    const listenersOfPage = async () => {
      let count = 0
      for (const expression of ["window", "document", "document.body"]) {
        const { result } = await session.send("Runtime.evaluate", { expression })
        count += (await session.send("DOMDebugger.getEventListeners", { objectId: result.objectId! })).listeners.length
      }
      return count
    }
    const pageGrows = async (visit: () => Promise<number>) => {
      await visit()
      const before = await listenersOfPage()
      for (let round = 0; round < 5; round++) await visit()
      return (await listenersOfPage()) - before
    }
    // JupyterLab itself keeps up to five a notebook; one for each of twenty-five outputs of a kind would show.
    const listeners = await pageGrows(() => openAndClose("ours.ipynb", ".jp-Prompt2ModelDataset table, .jp-Prompt2ModelDemo .p2m-ask", 10))
    expect(listeners).toBeLessThan(45)
    const plainFiles = await grow(() => openAndClose("rows.csv", ".jp-CSVViewer .lm-DataGrid", 1, "CSVTable"))
    const files = await grow(() => openAndClose("rows.parquet", ".jp-Prompt2ModelViewer[data-state=done]", 1))
    expect(files.workers).toBe(0)
    // At times the browser still holds what was last in front, which is one of five.
    expect(files.listeners - plainFiles.listeners).toBeLessThan(2 * files.ofOne)
    expect(page.workers()).toHaveLength(0)
    expect(noise).toEqual([])
    await page.close()
  })

  it("shows outputs, files and demos in Notebook 7", async () => {
    const notebook = await startJupyter(environment, folder, { program: "notebook" })
    try {
      for (const theme of ["JupyterLab Light", "JupyterLab Dark"] as const) {
        const { page, noise } = await open("/notebooks/results.ipynb", { theme, at: notebook })
        await page.locator(".jp-Prompt2ModelDataset table").waitFor({ timeout: 60_000 })
        await page.locator(".jp-Prompt2ModelDemo textarea").waitFor()
        await takeScreenshot(page, theme === "JupyterLab Light" ? "notebook7-light" : "notebook7-dark", { isWhole: false })
        await page.getByText("Open beside the notebook").click()
        await page.locator(".jp-MainAreaWidget > .jp-Prompt2ModelDemo").waitFor()
        expect(noise.filter((text) => !text.includes(notebooksOwn))).toEqual([])
        await page.close()
      }
      const { page, noise } = await open("/edit/rows.parquet", { at: notebook })
      await page.locator(".jp-Prompt2ModelViewer .p2m-bar", { hasText: "3,000 rows" }).waitFor({ timeout: 60_000 })
      await takeScreenshot(page, "notebook7-file", { isWhole: false })
      expect(noise.filter((text) => !text.includes(notebooksOwn))).toEqual([])
      await page.close()
    } finally {
      await notebook.close()
    }
  })

  it("goes into a wheel whole", () => {
    const place = mkdtempSync(join(tmpdir(), "prompt2model-wheel-"))
    try {
      const words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check", "--wheel-dir", place]
      execFileSync(environment.python, [...words, join(root, "jupyter-extension")], { stdio: "pipe" })
      const [wheel] = readdirSync(place)
      const list = execFileSync(environment.python, ["-m", "zipfile", "-l", join(place, wheel)], { encoding: "utf8" })
      const shared = "data/share/jupyter/labextensions/jupyterlab-prompt2model"
      for (const file of [
        "install.json",
        "package.json",
        "schemas/jupyterlab-prompt2model/settings.json",
        "static/remoteEntry",
        "static/third-party-licenses.json",
      ])
        expect(list).toContain(`${shared}/${file}`)
      expect(list).toContain("jupyterlab_prompt2model/__init__.py")
      const { version } = JSON.parse(readFileSync(join(root, "jupyter-extension/package.json"), "utf8"))
      expect(wheel).toContain(`-${version}-py3-none-any.whl`)
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  })
})

/** Words that a person reads or hears, and that stand in no translation; texts of data are left out. */
function findUntranslated(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const ours = ".jp-Prompt2ModelViewer, .jp-Prompt2ModelDemo, .jp-Prompt2ModelDataset"
    const data = ".p2m-text, .p2m-title, .p2m-path, .p2m-instruction, .p2m-tries button, .p2m-chip, .p2m-said, td, code, dd, dt"
    const left: string[] = []
    const look = (text: string | null) => {
      if (text && /\p{L}{2}/u.test(text) && !text.includes("«") && text !== "JSONL") left.push(text)
    }
    for (const widget of document.querySelectorAll(ours)) {
      const walker = document.createTreeWalker(widget, NodeFilter.SHOW_TEXT)
      for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (!node.parentElement?.closest(data) && !node.parentElement?.closest(".p2m-bar > .p2m-mute:nth-child(2)")) look(node.nodeValue)
      for (const element of widget.querySelectorAll("[title], [placeholder], [aria-label]"))
        for (const name of ["title", "placeholder", "aria-label"]) if (!element.matches("table")) look(element.getAttribute(name))
    }
    return left
  })
}
