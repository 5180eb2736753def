// npm run bench -- viewer [--quick]: the dataset viewer beside JupyterLab's own CSV viewer and, where it installs, Perspective's, in one browser: time
// from the double click to the first rows, frame times while scrolling and filtering, and what the extension adds to JupyterLab's start.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import { findPython, openJupyterEnvironment } from "../../../scripts/jupyter.mjs"
import { findBrowser, launchBrowser } from "../../browser/browser"
import { writeGeneratedCsv, writeGeneratedParquet } from "../../browser/dataset-files"
import { startJupyter } from "../../browser/jupyter-server"
import { compare, type ResultRow, root, writeResults } from "../harness/results"
import { median } from "../harness/rounds"
import { measureFrames, openAndTime, type ViewerKind } from "./drive-viewer"
import { makeThousandRuns, measureRuns } from "./measure-runs"
import { startPerspective } from "./perspective"

const isQuick = process.argv.includes("--quick")
const sizes = [1_000, 100_000, 1_000_000]
const rounds = isQuick ? 1 : 5
const peerNames = { jupyterlab: "JupyterLab's CSV viewer", perspective: "Perspective" } as const
const folder = join(root, ".cache/bench-viewer")

const python = findPython()
const found = findBrowser()
if ("reason" in python) throw new Error(python.reason)
if ("reason" in found) throw new Error(found.reason)

mkdirSync(folder, { recursive: true })
for (const size of sizes) {
  makeOnce(`rows-${size}.parquet`, (path) => writeGeneratedParquet(path, size))
  makeOnce(`rows-${size}.csv`, (path) => writeGeneratedCsv(path, size))
}
makeThousandRuns(folder)
const server = await startJupyter(openJupyterEnvironment(python.command, { withExtension: true }), folder)
const perspective = await startPerspective(python.command, folder)
const peers: readonly (keyof typeof peerNames)[] = perspective ? ["jupyterlab", "perspective"] : ["jupyterlab"]
const browser = await launchBrowser(found.executable)
try {
  await server.setTheme("JupyterLab Light")
  const rows: ResultRow[] = []
  for (const size of sizes) rows.push(...(await measureSize(size)))
  rows.push(...(await measureRuns(browser, server, rounds)))
  rows.push(...(await measureExtension()))
  writeResults("viewer", rows, { rounds, browser: browser.version() })
} finally {
  await browser.close()
  await server.close()
  await perspective?.close()
}

function makeOnce(name: string, write: (path: string) => void): void {
  const path = join(folder, name)
  if (existsSync(path)) return
  console.error(`Writing ${name} ...`)
  write(`${path}.tmp`)
  renameSync(`${path}.tmp`, path)
}

async function openLab(at = server): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 } })
  await page.goto(at.address("/lab"))
  await page.locator(".jp-DirListing-item").first().waitFor({ timeout: 60_000 })
  return page
}

/** All viewers in turn, each time in a page that is new. */
async function measureSize(size: number): Promise<ResultRow[]> {
  const kinds: readonly ViewerKind[] = ["ours", ...peers]
  const measured = new Map(kinds.map((kind) => [kind, { opened: [] as number[], scrolled: [] as number[] }]))
  const filtered: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      const { opened, scrolled } = measured.get(kind)!
      const page = await openLab(kind === "perspective" ? perspective : server)
      opened.push(await openAndTime(page, kind, kind === "ours" ? `rows-${size}.parquet` : `rows-${size}.csv`))
      scrolled.push(...(await measureFrames(page, kind, "scroll")))
      if (kind === "ours") filtered.push(...(await measureFrames(page, kind, "filter")))
      await page.close()
    }
  }
  const ours = measured.get("ours")!
  const at = (values: readonly number[], share: number) => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]
  return peers.flatMap((peer) => {
    const { opened, scrolled } = measured.get(peer)!
    const row = (metric: string, unit: string, own: number, other: number, better: "more" | "less") =>
      compare({ case: `${size.toLocaleString("en")} rows`, metric, unit, ours: own, peer: other, peerName: peerNames[peer] }, better)
    return [
      row("time to first rows", "ms", median(ours.opened), median(opened), "less"),
      row("frame while scrolling, 95th percentile", "ms", at(ours.scrolled, 0.95), at(scrolled, 0.95), "less"),
      row("frames in three seconds of scrolling", "frames", ours.scrolled.length / rounds, scrolled.length / rounds, "more"),
      // The peer does not filter: its scrolling is what stands beside it.
      row("frame while filtering (peer: scrolling), 95th percentile", "ms", at(filtered, 0.95), at(scrolled, 0.95), "less"),
    ]
  })
}

/** Time until the file browser stands, with the extension and with its files kept away; and what a browser loads of it. */
async function measureExtension(): Promise<ResultRow[]> {
  const times = { ours: [] as number[], peer: [] as number[] }
  for (let round = 0; round < rounds + 1; round++) {
    for (const kind of ["ours", "peer"] as const) {
      const page = await browser.newPage()
      if (kind === "peer") await page.route("**/extensions/jupyterlab-prompt2model/**", (route) => route.abort())
      const began = performance.now()
      await page.goto(server.address("/lab"))
      await page.locator(".jp-DirListing-item").first().waitFor({ timeout: 60_000 })
      // The first of all warms the server.
      if (round > 0) times[kind].push(performance.now() - began)
      await page.close()
    }
  }
  const built = join(root, "jupyter-extension/labextension/static")
  const scripts = readdirSync(built).filter((name) => name.endsWith(".js"))
  const kilobytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(built, name))).length, 0) / 1e3
  const onDisk = scripts.reduce((sum, name) => sum + statSync(join(built, name)).size, 0) / 1e3
  return [
    compare(
      {
        case: "JupyterLab's start",
        metric: "time to the file browser",
        unit: "ms",
        ours: median(times.ours),
        peer: median(times.peer),
        peerName: "without the extension",
      },
      "less",
    ),
    compare(
      { case: "download", metric: "all scripts, compressed", unit: "kB", ours: kilobytes, peer: onDisk, peerName: "as they are" },
      "less",
    ),
  ]
}
