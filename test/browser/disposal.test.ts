// Outputs and files that are opened and closed again and again in JupyterLab leave nothing behind.
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bundleOf } from "../../kernel-lib/src/display/self-showing"
import { dataset, plainPayloads } from "../../kernel-lib/test/display/sample-payloads"
import { writeGeneratedCsv, writeGeneratedParquet } from "./dataset-files"
import { collectNoise, type LabWindow } from "./lab-noise"
import { canRun, showBundle, useJupyter, writeNotebook } from "./use-jupyter"

const demo = plainPayloads.find(({ kind }) => kind === "demo")!

describe.skipIf(!canRun)("the extension when its parts are closed", () => {
  const jupyter = useJupyter("browser-disposal", {
    prepare(folder) {
      writeGeneratedParquet(join(folder, "rows.parquet"), 3000)
      writeGeneratedCsv(join(folder, "rows.csv"), 300)
      writeNotebook(
        join(folder, "ours.ipynb"),
        Array.from({ length: 10 }, (_none, index) => showBundle(bundleOf(index % 2 === 0 ? dataset : demo))),
      )
    },
    moreWords: ["--LabApp.expose_app_in_browser=True"],
  })

  it("leaves nothing behind when outputs and files are closed", async () => {
    await jupyter.server.setTheme("JupyterLab Light")
    const page = await jupyter.browser.newPage({ viewport: { width: 1280, height: 860 } })
    const noise = collectNoise(page)
    await page.goto(jupyter.server.address("/lab"))
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
})
