// The metric viewer in a real JupyterLab: results in outputs, runs that are followed while they train, compared, and found again after a reload.
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Browser, Locator } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { mimeTypes, runIndexFile } from "../../kernel-lib/src/display/payloads"
import { bundleOf, type MimeBundle } from "../../kernel-lib/src/display/self-showing"
import { hostileText, plainPayloads, report, training } from "../../kernel-lib/test/display/sample-payloads"
import { findPython, openJupyterEnvironment, root } from "../notebooks/jupyter-environment"
import { collectErrors, findBrowser, isRequired, launchBrowser, takeScreenshot } from "./browser"
import { type JupyterServer, startJupyter } from "./jupyter-server"
import { eventsOf, type MadeRun, makeRuns, scoresOf, writeAblation, writeReport, writeRun } from "./run-folders"

const python = findPython()
const found = findBrowser()
const missing = [python, found].flatMap((place) => ("reason" in place ? [place.reason] : []))
for (const reason of missing) console.warn(reason)

const folder = join(root, "notebooks/.cache/browser-metrics")
const runs = makeRuns(45)
const figureType = "application/vnd.plotly.v1+json"

/** A notebook that shows these bundles, as it was saved; nobody trusts it. */
function writeNotebook(name: string, bundles: readonly MimeBundle[]): void {
  const cells = bundles.map((data, index) => ({
    ...{ cell_type: "code", id: `cell-${index}`, execution_count: index + 1, metadata: {}, source: `results[${index}]` },
    outputs: [{ output_type: "display_data", data, metadata: {} }],
  }))
  const kernelspec = { name: "tslab", display_name: "TypeScript", language: "typescript" }
  writeFileSync(join(folder, name), JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }))
}

function writeNotebooks(): void {
  const table = plainPayloads.find(({ kind }) => kind === "table")!
  writeNotebook("results.ipynb", [bundleOf({ ...training, isRunning: false }), bundleOf(report), bundleOf(table)])
  writeNotebook("hostile.ipynb", [
    {
      [mimeTypes.report]: {
        ...report,
        title: hostileText,
        comparison: hostileText,
        worst: [{ ...report.worst[0], input: hostileText, answer: hostileText }],
      },
    },
    { [mimeTypes.training]: { kind: "training", version: 99 }, "text/plain": "losses of tomorrow" },
    {
      [mimeTypes.report]: {
        kind: "report",
        version: 1,
        metrics: "all",
        systems: [null, 7, { scores: [{ value: "high" }] }],
        worst: {},
        numWrong: 9,
        numRows: 2,
      },
    },
    {
      [mimeTypes.training]: {
        kind: "training",
        version: 0,
        title: "Training of yesterday",
        train: [[1, 2], ["a"], [10, 1]],
        validation: null,
        facts: [3],
      },
    },
    { [mimeTypes.table]: { kind: "__proto__", version: 1 }, "text/plain": "no table" },
  ])
  const trap = "http://127.0.0.1:9/trap.png"
  const figure = (data: object[], layout: object = {}) => ({ [figureType]: { data, layout }, "text/plain": "a figure" })
  writeNotebook("figures.ipynb", [
    figure([{ type: "scatter", x: [1, 2, 3], y: [2, 1, 3] }], { title: { text: "Lines" }, xaxis: {}, yaxis: {} }),
    figure([{ type: "bar", x: ["a", "b"], y: [2, 5], marker: { color: "#0072b2" } }], { title: { text: "Bars" } }),
    figure([
      {
        type: "parcoords",
        line: { color: [1, 2] },
        dimensions: [
          { label: "rate", values: [1, 2] },
          { label: "loss", values: [2, 1] },
        ],
      },
    ]),
    figure(
      [
        {
          type: "heatmap",
          z: [
            [1, 2],
            [3, 4],
          ],
        },
      ],
      {
        title: { text: `<a href="javascript:alert(1)">x</a><span style="cursor:url(${trap})">y</span>${hostileText}` },
        images: [{ source: trap, xref: "paper", yref: "paper", x: 0, y: 1, sizex: 1, sizey: 1 }],
        updatemenus: [{ buttons: [{ method: "relayout", label: "go", args: [{ "images[0].source": trap }] }] }],
      },
    ),
    figure([{ type: "choropleth", z: [1] }]),
  ])
}

const live: MadeRun = { name: "live", seed: 4, learningRate: 0.002, steps: 700, floor: 0.05 }

function writeRuns(): void {
  mkdirSync(join(folder, "runs"))
  for (const [at, run] of runs.entries())
    writeRun(join(folder, "runs"), run, { at: `2026-11-${String(1 + Math.floor(at / 3)).padStart(2, "0")}T10:0${at % 10}:00.000Z` })
  writeReport(join(folder, "runs", runs[0].name), "labels")
  writeReport(join(folder, "runs", runs[1].name), "dates")
  writeAblation(join(folder, "runs", runs[0].name))
  // Made before there was an index, and one whose folder is gone.
  writeRun(join(folder, "runs"), { ...runs[2], name: "older" }, { hasIndex: false })
  appendFileSync(
    join(folder, "runs", runIndexFile),
    `${JSON.stringify({ version: 1, run: "gone", at: "", status: "done", settings: {}, scores: {}, usd: 0 })}\nno JSON\n`,
  )
}

describe.skipIf(missing.length > 0 && !isRequired)("the metric viewer in JupyterLab", () => {
  let server: JupyterServer
  let browser: Browser

  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    if ("reason" in found) throw new Error(found.reason)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeNotebooks()
    writeRuns()
    server = await startJupyter(openJupyterEnvironment(python.command, { withExtension: true }), folder)
    browser = await launchBrowser(found.executable)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  async function openNotebook(name: string, theme: "JupyterLab Light" | "JupyterLab Dark" = "JupyterLab Light") {
    await server.setTheme(theme)
    const page = await browser.newPage({ viewport: { width: 1280, height: 1500 } })
    const errors = collectErrors(page)
    const requests: string[] = []
    page.on("request", (request) => requests.push(request.url()))
    await page.goto(server.address(`/lab/tree/${name}`))
    await page.getByText("TypeScript | Idle").waitFor({ timeout: 60_000 })
    return { page, errors, requests }
  }

  /** Opens the panel over the folder by its entry in the file browser's menu. */
  async function openRuns(theme: "JupyterLab Light" | "JupyterLab Dark" = "JupyterLab Light") {
    await server.setTheme(theme)
    const page = await browser.newPage({ viewport: { width: 1500, height: 860 } })
    const errors = collectErrors(page)
    await page.goto(server.address("/lab"))
    await page.locator(".jp-DirListing-item", { hasText: "runs" }).click({ button: "right", timeout: 60_000 })
    await page.getByText("Show Runs").click()
    const panel = page.locator(".jp-Prompt2ModelRuns")
    await panel.and(page.locator("[data-state=found]")).waitFor()
    return { page, errors, panel }
  }

  const rowOf = (panel: Locator, name: string) => panel.locator(`tr[data-path$="/${name}"]`)
  async function waitForCharts(panel: Locator, count: number): Promise<void> {
    await panel
      .locator(".p2m-chart[data-state=drawn]")
      .nth(count - 1)
      .waitFor()
  }

  it("draws trainings, reports and tables in outputs, in both themes", async () => {
    for (const theme of ["JupyterLab Light", "JupyterLab Dark"] as const) {
      const { page, errors } = await openNotebook("results.ipynb", theme)
      const results = page.locator(".jp-Prompt2ModelResult")
      await results.nth(2).locator("table").waitFor()
      await page.locator(".p2m-chart[data-state=drawn]").first().waitFor()
      expect(await results.nth(1).locator("tbody tr").first().textContent()).toContain("0.977")
      expect(await results.nth(1).locator("del, ins").allTextContents()).not.toEqual([])
      await results.first().locator(".p2m-chart").focus()
      await page.keyboard.press("ArrowRight")
      expect(await results.first().locator(".p2m-readout").textContent()).toMatch(/step .*train \d/)
      await takeScreenshot(page, theme === "JupyterLab Light" ? "results-light" : "results-dark", { isWhole: false })
      expect(errors).toEqual([])
      await page.close()
    }
  })

  it("sorts a table by a click on its head", async () => {
    const { page } = await openNotebook("results.ipynb")
    const table = page.locator(".jp-Prompt2ModelResult").nth(2).locator("table")
    const firstCells = () => table.locator("tbody tr td:first-child").allTextContents()
    const before = await firstCells()
    const head = table.locator("th button").first()
    await head.click()
    expect(await table.locator("th").first().getAttribute("aria-sort")).toBe("descending")
    await head.click()
    expect(await firstCells()).toEqual([...before].sort())
    await page.close()
  })

  it("refuses what lies with a sentence, and still shows what is older", async () => {
    const { page, errors } = await openNotebook("hostile.ipynb")
    const results = page.locator(".jp-Prompt2ModelResult")
    await results.nth(4).locator("p").first().waitFor()
    expect(await results.nth(0).locator(".p2m-title").textContent()).toBe(hostileText)
    expect(await page.locator(".jp-Prompt2ModelResult script, .jp-Prompt2ModelResult img").count()).toBe(0)
    expect(await results.nth(1).textContent()).toMatch(/newer Prompt2Model.*losses of tomorrow/s)
    expect(await results.nth(2).textContent()).not.toMatch(/undefined|NaN|object|9 wrong/)
    await results.nth(3).locator(".p2m-chart[data-state=drawn]").waitFor()
    expect(await results.nth(3).textContent()).toContain("Training of yesterday")
    expect(await results.nth(4).textContent()).toMatch(/no result that this viewer knows.*no table/s)
    expect(errors).toEqual([])
    await page.close()
  })

  it("draws Plotly's figures, loaded from nowhere else, and takes out what could load or act", async () => {
    const { page, errors, requests } = await openNotebook("figures.ipynb")
    const figures = page.locator(".jp-Prompt2ModelFigure")
    await page.locator(".jp-Prompt2ModelFigure[data-state=drawn]").nth(3).waitFor()
    expect(await figures.nth(4).textContent()).toContain("choropleth")
    expect(await figures.nth(3).locator("a, .updatemenu-container").count()).toBe(0)
    await takeScreenshot(page, "figures", { isWhole: false })
    expect(requests.filter((url) => !url.startsWith(server.address("/").split("?")[0]) && !/^(data|blob):/.test(url))).toEqual([])
    expect(errors).toEqual([])
    await page.close()
  })

  it("loads Plotly with the first chart and not before", async () => {
    const page = await browser.newPage()
    let kilobytes = 0
    page.on("response", async (response) => {
      if (response.url().includes("jupyterlab-prompt2model/static")) kilobytes += Number(response.headers()["content-length"] ?? 0) / 1000
    })
    await page.goto(server.address("/lab"))
    await page.locator(".jp-DirListing-item").first().waitFor({ timeout: 60_000 })
    expect(kilobytes).toBeLessThan(400)
    await page.close()
  })

  it("lists runs from the index and older ones from their folders; compares seeds, settings, cost", async () => {
    const { page, errors, panel } = await openRuns()
    await panel.locator(".p2m-bar", { hasText: `1 of ${runs.length + 1} chosen` }).waitFor()
    expect(await rowOf(panel, "gone").count()).toBe(0)
    await panel.locator(".p2m-search").fill("dates-00 lr0.002")
    await panel.locator(".p2m-bar", { hasText: "3 match" }).waitFor()
    await panel.locator(".p2m-search").fill("dates-00")
    await panel.locator(".p2m-bar", { hasText: "15 match" }).waitFor()
    await panel.locator('tr[aria-selected="true"]').first().waitFor({ state: "detached" })
    for (const run of runs.filter(({ name }) => /dates-00-lr0\.00(05|2|8)-/.test(name))) await rowOf(panel, run.name).click()
    await waitForCharts(panel, 5)
    expect(await panel.locator(".p2m-chart-title").first().textContent()).toContain("95% interval over 3 runs")
    expect(await panel.locator(".p2m-side").textContent()).toMatch(/What differs.*learning rate.*0\.0005 \/ 0\.002 \/ 0\.008|seed/s)
    const box = (await panel.locator(".p2m-chart").first().boundingBox())!
    await page.mouse.move(box.x + 180, box.y + 100)
    await panel.locator(".p2m-side h5", { hasText: "At step" }).waitFor()
    expect(await panel.locator(".p2m-crosshair:visible").count()).toBe(5)
    await takeScreenshot(page, "runs-compare", { isWhole: false })
    await panel.getByRole("button", { name: "cost", exact: true }).first().click()
    await panel.locator(".p2m-cost[data-state=drawn]").waitFor()
    await takeScreenshot(page, "runs-cost", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })

  it("follows a run while it trains, without a reload, and finds its view again after one", async () => {
    const { page, errors, panel } = await openRuns()
    await panel.locator(".p2m-bar", { hasText: "chosen" }).waitFor()
    const lines = eventsOf(live).map((line) => JSON.stringify({ ...JSON.parse(line), at: new Date().toISOString() }))
    mkdirSync(join(folder, "runs/live"))
    writeFileSync(join(folder, "runs/live/run.json"), JSON.stringify({ format: 1, status: "started", configuration: { seed: 4 } }))
    const events = join(folder, "runs/live/events.jsonl")
    writeFileSync(events, `${lines.slice(0, 22).join("\n")}\n`)
    const entry = { version: 1, run: "live", at: new Date().toISOString(), status: "started", settings: { seed: 4 }, scores: {}, usd: 0 }
    appendFileSync(join(folder, "runs", runIndexFile), `${JSON.stringify(entry)}\n`)
    await rowOf(panel, "live").click()
    await panel.getByRole("button", { name: "log y" }).click()
    await panel.locator(".p2m-runs .p2m-live").waitFor()
    const pathOf = () => panel.locator(".p2m-chart").first().locator(".scatterlayer path.js-line").last().getAttribute("d")
    await waitForCharts(panel, 4)
    const before = await pathOf()
    // Half a line, then its rest: it is none until it is whole.
    appendFileSync(events, lines.slice(22, 50).join("\n").slice(0, -30))
    await expect.poll(pathOf, { timeout: 20_000 }).not.toBe(before)
    appendFileSync(events, `${lines[49].slice(-30)}\n`)
    await takeScreenshot(page, "runs-live", { isWhole: false })
    appendFileSync(events, `${lines.slice(50).join("\n")}\n`)
    appendFileSync(join(folder, "runs", runIndexFile), `${JSON.stringify({ ...entry, status: "done", scores: scoresOf(live) })}\n`)
    await rowOf(panel, "live").filter({ hasText: "done" }).waitFor()
    const readWorkspace = async () => (await fetch(server.address("/lab/api/workspaces/default"))).text()
    await expect.poll(readWorkspace, { timeout: 30_000 }).toContain('"isLogY": true')
    // JupyterLab saves by itself, a while later, which tab is in front.
    await expect.poll(readWorkspace, { timeout: 30_000 }).toMatch(/"current": ?"prompt2model-runs:/)
    await page.reload()
    await panel.and(page.locator("[data-state=found]")).waitFor({ timeout: 60_000 })
    expect(await panel.getByRole("button", { name: "log y" }).getAttribute("aria-pressed")).toBe("true")
    await rowOf(panel, "live").and(page.locator('[aria-selected="true"]')).waitFor()
    await waitForCharts(panel, 4)
    expect(errors).toEqual([])
    await page.close()
  })

  it("shows an ablation and a confusion matrix whose numbers open their rows", async () => {
    const { page, errors, panel } = await openRuns("JupyterLab Dark")
    await panel.locator(".p2m-search").fill(runs[0].name)
    await rowOf(panel, runs[0].name).dblclick()
    await panel.getByRole("button", { name: "ablation" }).click()
    await panel.locator(".p2m-ablation .p2m-cost[data-state=drawn]").waitFor()
    expect(await panel.locator(".p2m-ablation tbody tr").nth(1).textContent()).toMatch(/-0\.032.*0\.018/)
    await takeScreenshot(page, "runs-ablation-dark", { isWhole: false })
    await panel.getByRole("button", { name: "errors" }).click()
    await panel.locator(".p2m-confusion").waitFor()
    await takeScreenshot(page, "runs-errors-dark", { isWhole: false })
    const cell = panel.locator(".p2m-confusion .p2m-wrong button").first()
    const count = Number(await cell.textContent())
    await cell.click()
    await page.locator(".jp-Prompt2ModelViewer .p2m-matches", { hasText: `${count} row` }).waitFor()
    expect(await page.locator(".jp-Prompt2ModelViewer .p2m-trouble:visible").count()).toBe(0)
    await takeScreenshot(page, "runs-errors-opened", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })
})
