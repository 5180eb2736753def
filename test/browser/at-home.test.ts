// The extension as a part of JupyterLab, and of Notebook 7: palette, launcher, menus, settings, languages, nothing in the console, and what the wheel holds.
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { bundleOf } from "../../kernel-lib/src/display/self-showing"
import { dataset, plainPayloads, report, training } from "../../kernel-lib/test/display/sample-payloads"
import { root } from "../notebooks/jupyter-environment"
import { takeScreenshot } from "./browser"
import { writeGeneratedCsv, writeGeneratedParquet } from "./dataset-files"
import { openExtrasEnvironment } from "./extras-environment"
import { startJupyter } from "./jupyter-server"
import { collectNoise, type LabWindow, notebooksOwn } from "./lab-noise"
import { writeAblation, writeReport, writeRun } from "./run-folders"
import { canRun, showBundle, useJupyter, writeNotebook } from "./use-jupyter"

const demo = plainPayloads.find(({ kind }) => kind === "demo")!
const sources = join(root, "jupyter-extension/src")

function writeSettings(folder: string, plugin: string, content: object): void {
  const [place, name] = plugin.split(":")
  mkdirSync(join(folder, ".settings", place), { recursive: true })
  writeFileSync(join(folder, ".settings", place, `${name}.jupyterlab-settings`), JSON.stringify(content))
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

describe.skipIf(!canRun)("the extension at home", () => {
  const jupyter = useJupyter("browser-home", {
    prepare(folder) {
      writeGeneratedParquet(join(folder, "rows.parquet"), 3000)
      writeGeneratedCsv(join(folder, "rows.csv"), 300)
      const run = join(folder, "runs/first")
      writeRun(join(folder, "runs"), { name: "first", seed: 1, learningRate: 0.002, steps: 140, floor: 0.05 })
      writeReport(run, "labels")
      writeAblation(run)
      writeNotebook(
        join(folder, "results.ipynb"),
        [dataset, demo, report, training].map((payload) => showBundle(bundleOf(payload))),
      )
    },
    openEnvironment: openExtrasEnvironment,
    moreWords: ["--LabApp.expose_app_in_browser=True"],
  })

  async function open(path: string, { theme = "JupyterLab Light" as "JupyterLab Light" | "JupyterLab Dark", at = jupyter.server } = {}) {
    await jupyter.server.setTheme(theme)
    const page = await jupyter.browser.newPage({ viewport: { width: 1280, height: 860 } })
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
    writeSettings(jupyter.folder, "jupyterlab-prompt2model:settings", { opensCsv: true, findsNearestRow: false })
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
    writeSettings(jupyter.folder, "jupyterlab-prompt2model:settings", {})
    await page.close()
  })

  it("speaks JupyterLab's language: no sentence is left out", async () => {
    writeSettings(jupyter.folder, "@jupyterlab/translation-extension:plugin", { locale: "fr_FR" })
    await jupyter.server.setTheme("JupyterLab Light")
    const page = await jupyter.browser.newPage({ viewport: { width: 1280, height: 860 } })
    const data = { jupyterlab_prompt2model: makeCatalogue() }
    await page.route("**/api/translations/**", (route) => route.fulfill({ json: { data, message: "" } }))
    await page.goto(jupyter.server.address("/lab/tree/rows.parquet"))
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
    await page.evaluate(() => void (window as unknown as LabWindow).jupyterapp.commands.execute("prompt2model:show-runs", { path: "runs" }))
    const panel = page.locator(".jp-Prompt2ModelRuns")
    await panel.locator(".p2m-chart[data-state=drawn]").nth(2).waitFor()
    expect(await findUntranslated(page)).toEqual([])
    for (const view of ["cost", "errors", "ablation"]) {
      await panel
        .locator(".p2m-bar")
        .getByRole("button", { name: `«${view}»`, exact: true })
        .click()
      await panel.locator({ cost: ".p2m-cost", errors: ".p2m-confusion", ablation: ".p2m-ablation table" }[view]!).waitFor()
      expect(await findUntranslated(page)).toEqual([])
    }
    await takeScreenshot(page, "translated", { isWhole: false })
    await page.close()
    writeSettings(jupyter.folder, "@jupyterlab/translation-extension:plugin", {})
  })

  it("shows outputs, files and demos in Notebook 7", async () => {
    const notebook = await startJupyter(jupyter.environment, jupyter.folder, { program: "notebook" })
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
      execFileSync(jupyter.environment.python, [...words, join(root, "jupyter-extension")], { stdio: "pipe" })
      const [wheel] = readdirSync(place)
      const list = execFileSync(jupyter.environment.python, ["-m", "zipfile", "-l", join(place, wheel)], { encoding: "utf8" })
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

/** What metrics, settings, systems and runs are called is data, and so is what the library says in a payload. */
const namesOfData = [
  ...["exact match", "chrF++", "length of the input", "parameters", "tokens/s", "seed", "source", "voting", "first"],
  ...["both, voting", "both, no voting", "generated only", "retrieved only", "joy", "anger", "sadness", "fear", report.comparison!],
]

/** Words that a person reads or hears, and that stand in no translation; texts of data are left out. */
function findUntranslated(page: Page): Promise<string[]> {
  return page.evaluate((namesOfData) => {
    const ours = ".jp-Prompt2Model"
    const data = ".p2m-text, .p2m-title, .p2m-path, .p2m-instruction, .p2m-tries button, .p2m-chip, .p2m-said, td, code, dd, dt"
    const left: string[] = []
    const look = (text: string | null) => {
      // Units of time are figures' own.
      const words = text?.replace(/\d+ (h|min|s)\b/g, "") ?? ""
      if (/\p{L}{2}/u.test(words) && !words.includes("«") && words !== "JSONL" && !namesOfData.includes(words.trim())) left.push(words)
    }
    for (const widget of document.querySelectorAll(ours)) {
      const walker = document.createTreeWalker(widget, NodeFilter.SHOW_TEXT)
      for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (!node.parentElement?.closest(data) && !node.parentElement?.closest(".p2m-bar > .p2m-mute:nth-child(2)")) look(node.nodeValue)
      for (const element of widget.querySelectorAll("[title], [placeholder], [aria-label]"))
        for (const name of ["title", "placeholder", "aria-label"]) if (!element.matches("table")) look(element.getAttribute(name))
    }
    return left
  }, namesOfData)
}
