// The panel over runs in a real JupyterLab: runs that are found, compared, followed while they train, and found again after a reload.
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Locator } from "playwright-core"
import { describe, expect, it } from "vitest"
import { runIndexFile } from "../../kernel-lib/src/display/payloads"
import { collectErrors, takeScreenshot } from "./browser"
import { eventsOf, type MadeRun, makeRuns, scoresOf, writeAblation, writeReport, writeRun } from "./run-folders"
import { canRun, useJupyter } from "./use-jupyter"

const runs = makeRuns(45)

const live: MadeRun = { name: "live", seed: 4, learningRate: 0.002, steps: 700, floor: 0.05 }

function writeRuns(folder: string): void {
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

describe.skipIf(!canRun)("the panel over runs in JupyterLab", () => {
  const jupyter = useJupyter("browser-metrics", { prepare: writeRuns })

  /** Opens the panel over the folder by its entry in the file browser's menu. */
  async function openRuns(theme: "JupyterLab Light" | "JupyterLab Dark" = "JupyterLab Light") {
    await jupyter.server.setTheme(theme)
    const page = await jupyter.browser.newPage({ viewport: { width: 1500, height: 860 } })
    const errors = collectErrors(page)
    await page.goto(jupyter.server.address("/lab"))
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

  it("lists runs from the index and older ones from their folders; compares seeds, settings, cost", async () => {
    const { page, errors, panel } = await openRuns()
    await panel.locator(".p2m-bar", { hasText: `1 of ${runs.length + 1} chosen` }).waitFor()
    expect(await rowOf(panel, "gone").count()).toBe(0)
    // Who opens the panel for the first time sees the newest run: a click lets it go.
    await panel.locator('tr[aria-selected="true"]').click()
    await panel.locator(".p2m-bar", { hasText: `0 of ${runs.length + 1} chosen` }).waitFor()
    await panel.locator(".p2m-search").fill("dates-00 lr0.002")
    await panel.locator(".p2m-bar", { hasText: "3 match" }).waitFor()
    await panel.locator(".p2m-search").fill("dates-00")
    await panel.locator(".p2m-bar", { hasText: "15 match" }).waitFor()
    for (const run of runs.filter(({ name }) => /dates-00-lr0\.00(05|2|8)-/.test(name))) await rowOf(panel, run.name).click()
    await waitForCharts(panel, 5)
    await panel.locator(".p2m-chart-title").first().filter({ hasText: "95% interval over 3 runs" }).waitFor()
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
    mkdirSync(join(jupyter.folder, "runs/live"))
    writeFileSync(join(jupyter.folder, "runs/live/run.json"), JSON.stringify({ format: 1, status: "started", configuration: { seed: 4 } }))
    const events = join(jupyter.folder, "runs/live/events.jsonl")
    writeFileSync(events, `${lines.slice(0, 22).join("\n")}\n`)
    const entry = { version: 1, run: "live", at: new Date().toISOString(), status: "started", settings: { seed: 4 }, scores: {}, usd: 0 }
    appendFileSync(join(jupyter.folder, "runs", runIndexFile), `${JSON.stringify(entry)}\n`)
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
    appendFileSync(join(jupyter.folder, "runs", runIndexFile), `${JSON.stringify({ ...entry, status: "done", scores: scoresOf(live) })}\n`)
    await rowOf(panel, "live").filter({ hasText: "done" }).waitFor()
    const readWorkspace = async () => (await fetch(jupyter.server.address("/lab/api/workspaces/default"))).text()
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
