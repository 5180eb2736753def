// The viewer of dataset files in a real JupyterLab: what is opened, filtered, sorted, searched, read and found again after a reload.
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { findPython, openJupyterEnvironment, root } from "../notebooks/jupyter-environment"
import { collectErrors, findBrowser, isRequired, launchBrowser, takeScreenshot } from "./browser"
import { generateRow, writeGeneratedCsv, writeGeneratedJsonl, writeGeneratedParquet } from "./dataset-files"
import { type JupyterServer, startJupyter } from "./jupyter-server"

const python = findPython()
const found = findBrowser()
const missing = [python, found].flatMap((place) => ("reason" in place ? [place.reason] : []))
for (const reason of missing) console.warn(reason)

const folder = join(root, "notebooks/.cache/browser-viewer")
const numRows = 40_000
const rows = Array.from({ length: numRows }, (_none, row) => generateRow(row))

describe.skipIf(missing.length > 0 && !isRequired)("the dataset viewer in JupyterLab", () => {
  let server: JupyterServer
  let browser: Browser

  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    if ("reason" in found) throw new Error(found.reason)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeGeneratedParquet(join(folder, "generated.parquet"), numRows)
    writeGeneratedParquet(join(folder, "generated.rejected.parquet"), 73)
    writeGeneratedCsv(join(folder, "rows.csv"), numRows)
    writeGeneratedJsonl(join(folder, "rows.jsonl"), numRows)
    server = await startJupyter(openJupyterEnvironment(python.command, { withExtension: true }), folder)
    browser = await launchBrowser(found.executable)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  async function open(file: string, theme: "JupyterLab Light" | "JupyterLab Dark" = "JupyterLab Light") {
    await server.setTheme(theme)
    const page = await browser.newPage({ viewport: { width: 1500, height: 820 } })
    const errors = collectErrors(page)
    await page.goto(server.address(`/lab/tree/${file}`))
    await page.locator(".jp-Prompt2ModelViewer").waitFor({ timeout: 60_000 })
    return { page, errors, viewer: page.locator(".jp-Prompt2ModelViewer") }
  }

  /** Until the background has seen the whole file. */
  async function waitUntilDone(page: Page): Promise<void> {
    await page.locator(".jp-Prompt2ModelViewer[data-state=done]").waitFor()
  }

  it("opens Parquet: rows, headers, a row's way here", async () => {
    const { page, errors, viewer } = await open("generated.parquet")
    await waitUntilDone(page)
    await viewer.locator(".p2m-bar", { hasText: "40,000 rows" }).waitFor()
    await viewer.locator(".lm-DataGrid-viewport").click({ position: { x: 300, y: 200 } })
    await viewer.locator(".p2m-side h5", { hasText: "Against" }).waitFor()
    expect(await viewer.locator(".p2m-side h5").first().textContent()).toContain("Row 4")
    expect(await viewer.locator(".p2m-example .p2m-text").first().textContent()).toBe(rows[4].input)
    await page.waitForTimeout(1500)
    await takeScreenshot(page, "viewer-light", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })
})
