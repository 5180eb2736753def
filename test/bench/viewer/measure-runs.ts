// A thousand run folders: time from the command to the list, beside reading each folder's run.json.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import type { JupyterServer } from "../../browser/jupyter-server"
import { makeRuns, writeRun } from "../../browser/run-folders"
import { compare, type ResultRow } from "../harness/results"
import { median } from "../harness/rounds"

const count = 1000
const folderName = "thousand-runs"

/** Writes the folders once. @param folder what the server shows */
export function makeThousandRuns(folder: string): void {
  const path = join(folder, folderName)
  if (existsSync(path)) return
  rmSync(`${path}.tmp`, { recursive: true, force: true })
  mkdirSync(`${path}.tmp`, { recursive: true })
  for (const run of makeRuns(count)) writeRun(`${path}.tmp`, run)
  renameSync(`${path}.tmp`, path)
}

export async function measureRuns(browser: Browser, server: JupyterServer, rounds: number): Promise<ResultRow[]> {
  const listed: number[] = []
  const curves: number[] = []
  const read: number[] = []
  // The first of all warms the server.
  for (let round = 0; round <= rounds; round++) {
    const page = await browser.newPage({ viewport: { width: 1400, height: 800 } })
    await page.goto(server.address("/lab"))
    const item = page.locator(".jp-DirListing-item", { hasText: folderName })
    await item.click({ button: "right", timeout: 60_000 })
    await page.getByText("Show Runs").waitFor()
    await page.evaluate(watchForRuns, `of ${count.toLocaleString("en")} chosen`)
    await page.getByText("Show Runs").click()
    await page.waitForFunction(() => (window as unknown as Watched).curves !== undefined, null, { timeout: 120_000 })
    const times = await page.evaluate(() => {
      const { listed = 0, curves = 0 } = window as unknown as Watched
      return { listed, curves }
    })
    const each = await page.evaluate(
      readEach,
      makeRuns(count).map(({ name }) => `/files/${folderName}/${name}/run.json`),
    )
    if (round > 0) {
      listed.push(times.listed)
      curves.push(times.curves)
      read.push(each)
    }
    await page.close()
  }
  const row = (metric: string, ours: number, peer: number, peerName: string) =>
    compare({ case: `${count.toLocaleString("en")} run folders`, metric, unit: "ms", ours, peer, peerName }, "less")
  return [
    row("time to the list", median(listed), median(read), "reading each run.json"),
    row("time to the newest run's curves", median(curves), median(read), "reading each run.json"),
  ]
}

interface Watched {
  listed?: number
  curves?: number
}

/** Runs in the page: from the choice in the menu on, looks at each frame whether all runs are counted and rows are there, then whether a chart is. */
function watchForRuns(words: string): void {
  const watched = window as unknown as Watched
  window.addEventListener(
    "pointerdown",
    () => {
      const began = performance.now()
      requestAnimationFrame(function look() {
        const panel = document.querySelector(".jp-Prompt2ModelRuns")
        const isListed =
          panel?.querySelector(".p2m-bar")?.textContent?.includes(words) && panel.querySelectorAll("tr[data-path]").length > 5
        if (isListed) watched.listed ??= performance.now() - began
        if (isListed && panel?.querySelector(".p2m-chart[data-state=drawn]")) watched.curves = performance.now() - began
        else requestAnimationFrame(look)
      })
    },
    { capture: true, once: true },
  )
}

/** Runs in the page: milliseconds until all of these files were read, six at a time. */
async function readEach(paths: readonly string[]): Promise<number> {
  const began = performance.now()
  let next = 0
  const readSome = async () => {
    while (next < paths.length) await (await fetch(paths[next++], { cache: "no-store" })).json()
  }
  await Promise.all(Array.from({ length: 6 }, readSome))
  return performance.now() - began
}
