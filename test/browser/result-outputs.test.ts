// Trainings, reports, tables and Plotly's figures in outputs of a real JupyterLab, whoever wrote the notebook.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { mimeTypes } from "../../kernel-lib/src/display/payloads"
import { bundleOf } from "../../kernel-lib/src/display/self-showing"
import { hostileText, plainPayloads, report, training } from "../../kernel-lib/test/display/sample-payloads"
import { collectErrors, takeScreenshot } from "./browser"
import { eventsOf, type MadeRun, writeReport } from "./run-folders"
import { canRun, showBundle, useJupyter, writeNotebook } from "./use-jupyter"

const figureType = "application/vnd.plotly.v1+json"
const trained: MadeRun = { name: "trained", seed: 4, learningRate: 0.002, steps: 700, floor: 0.05 }

const kept: { wrong: readonly string[] } = { wrong: [] }

/** A run beside its notebook, whose outputs name it: its training still ran when the notebook was saved. */
function writeKeptRun(folder: string, show: (name: string, bundles: readonly object[]) => void): void {
  const run = join(folder, "runs/trained")
  mkdirSync(run, { recursive: true })
  writeFileSync(join(run, "run.json"), JSON.stringify({ format: 1, status: "done", configuration: { seed: 4 } }))
  writeFileSync(join(run, "events.jsonl"), `${eventsOf(trained).join("\n")}\n`)
  Object.assign(kept, writeReport(run, "labels"))
  const points = eventsOf(trained, 300).flatMap((line) => {
    const { type, step, loss } = JSON.parse(line)
    return type === "training.step" ? [[step, loss]] : []
  })
  const file = "runs/trained/stages/evaluate-0123456789ab/rows.jsonl"
  show("kept.ipynb", [
    bundleOf({ ...report, file }),
    { [mimeTypes.training]: { ...training, train: points, validation: [], isRunning: true, run: "runs/trained" } },
  ])
}

function writeNotebooks(folder: string): void {
  const show = (name: string, bundles: readonly object[]) => writeNotebook(join(folder, name), bundles.map(showBundle))
  const table = plainPayloads.find(({ kind }) => kind === "table")!
  writeKeptRun(folder, show)
  show("results.ipynb", [bundleOf({ ...training, isRunning: false }), bundleOf(report), bundleOf(table)])
  show("hostile.ipynb", [
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
  show("figures.ipynb", [
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

describe.skipIf(!canRun)("results in outputs of JupyterLab", () => {
  const jupyter = useJupyter("browser-results", { prepare: writeNotebooks })

  async function openNotebook(name: string, theme: "JupyterLab Light" | "JupyterLab Dark" = "JupyterLab Light") {
    await jupyter.server.setTheme(theme)
    const page = await jupyter.browser.newPage({ viewport: { width: 1280, height: 1500 } })
    const errors = collectErrors(page)
    const requests: string[] = []
    page.on("request", (request) => requests.push(request.url()))
    await page.goto(jupyter.server.address(`/lab/tree/${name}`))
    await page.getByText("TypeScript | Idle").waitFor({ timeout: 60_000 })
    return { page, errors, requests }
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
    expect(requests.filter((url) => !url.startsWith(jupyter.server.address("/").split("?")[0]) && !/^(data|blob):/.test(url))).toEqual([])
    expect(errors).toEqual([])
    await page.close()
  })

  it("loads Plotly with the first chart and not before", async () => {
    const page = await jupyter.browser.newPage()
    let kilobytes = 0
    page.on("response", async (response) => {
      if (response.url().includes("jupyterlab-prompt2model/static")) kilobytes += Number(response.headers()["content-length"] ?? 0) / 1000
    })
    await page.goto(jupyter.server.address("/lab"))
    await page.locator(".jp-DirListing-item").first().waitFor({ timeout: 60_000 })
    expect(kilobytes).toBeLessThan(400)
    await page.close()
  })

  it("opens a report's rows in the dataset viewer, where its run keeps them", async () => {
    const { page, errors } = await openNotebook("kept.ipynb")
    const result = page.locator(".jp-Prompt2ModelResult").first()
    await result.getByRole("button", { name: "Wrong rows", exact: true }).click()
    const viewer = page.locator(".jp-Prompt2ModelViewer")
    const matches = viewer.locator(".p2m-matches", { hasText: /rows? match/ })
    await matches.waitFor()
    expect(await matches.textContent()).toMatch(new RegExp(`^${kept.wrong.length} `))
    expect(await viewer.locator(".p2m-chip").first().textContent()).toContain("isRight: false")
    await takeScreenshot(page, "report-rows", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })

  it("goes on drawing a training that its kernel tells of no more, from its run", async () => {
    const { page, errors } = await openNotebook("kept.ipynb")
    const result = page.locator(".jp-Prompt2ModelResult").nth(1)
    await result.locator(".p2m-bar", { hasText: "as its run tells it" }).waitFor({ timeout: 30_000 })
    expect(await result.locator(".p2m-chart").getAttribute("aria-label")).toContain("Loss over 700 steps")
    await result.getByText("Show its run").click()
    const panel = page.locator(".jp-Prompt2ModelRuns")
    await panel.locator('tr[data-path="runs/trained"][aria-selected="true"]').waitFor()
    expect(errors).toEqual([])
    await page.close()
  })
})
