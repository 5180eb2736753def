// The extension in a real JupyterLab: a dataset in an output is drawn by it, whoever wrote the notebook.
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { mimeTypes } from "../../kernel-lib/src/display/payloads"
import { bundleOf } from "../../kernel-lib/src/display/self-showing"
import { dataset, hostileDataset, hostileText, plainPayloads } from "../../kernel-lib/test/display/sample-payloads"
import { collectErrors, takeScreenshot } from "./browser"
import { canRun, showBundle, useJupyter, writeNotebook } from "./use-jupyter"

/** A kernel that is stopped while it starts would keep the server from ending. */
async function waitForKernel(page: Page): Promise<void> {
  await page.getByText("TypeScript | Idle").waitFor({ timeout: 60_000 })
}

function writeNotebooks(folder: string): void {
  const show = (name: string, bundles: readonly object[]) => writeNotebook(join(folder, name), bundles.map(showBundle))
  show("untrusted.ipynb", [bundleOf(dataset), bundleOf(hostileDataset)])
  show("results.ipynb", plainPayloads.map(bundleOf))
  const { kind, title, subtitle, preview } = dataset
  show("older.ipynb", [
    // As a version before this one might have written it: less in it, and no version that we know.
    { [mimeTypes.dataset]: { kind, version: 0, title, subtitle, numRows: 500, preview }, "text/plain": "500 rows" },
    {
      [mimeTypes.demo]: {
        kind: "demo",
        version: 1,
        title: "Demo",
        subtitle: "byte-t5-tiny",
        url: "http://127.0.0.1:8765/",
        examples: ["abc"],
      },
    },
    // What lies: other kinds, numbers for texts, and an address that is not Jupyter's machine.
    {
      [mimeTypes.demo]: {
        kind: "demo",
        version: 1,
        title: 7,
        subtitle: null,
        url: "https://evil.example/",
        examples: [hostileText, 3, ["x"]],
        id: '"); evil(',
      },
    },
    { [mimeTypes.demo]: { kind: "demo", version: 99 }, "text/plain": "a demo of tomorrow" },
  ])
  show("odd.ipynb", [
    { [mimeTypes.dataset]: { kind: "dataset", version: 99 }, "text/plain": "rows of tomorrow" },
    {
      [mimeTypes.dataset]: {
        kind: "dataset",
        version: 1,
        title: 7,
        numRows: "many",
        preview: [null, 3, { input: {} }],
        sources: "x",
        lengths: { bins: ["a", -1, Number.POSITIVE_INFINITY] },
      },
    },
  ])
}

describe.skipIf(!canRun)("the extension in JupyterLab", () => {
  const jupyter = useJupyter("browser", {
    prepare(folder, environment) {
      writeNotebooks(folder)
      execFileSync(environment.python, ["-m", "jupyter", "trust", "results.ipynb"], {
        cwd: folder,
        env: { ...process.env, ...environment.variables },
        stdio: "ignore",
      })
    },
  })

  async function open(notebook: string) {
    const page = await jupyter.browser.newPage({ viewport: { width: 1280, height: 900 } })
    const errors = collectErrors(page)
    await page.goto(jupyter.server.address(`/lab/tree/${notebook}`))
    await waitForKernel(page)
    return { page, errors }
  }

  it("draws a dataset in a notebook that is not trusted, all of its text as text", async () => {
    await jupyter.server.setTheme("JupyterLab Light")
    const { page, errors } = await open("untrusted.ipynb")
    const views = page.locator(".jp-Prompt2ModelDataset")
    await views.nth(1).locator("table").waitFor()
    expect(await views.count()).toBe(2)
    expect(await views.first().locator(".p2m-bar").textContent()).toContain("500 rows, gpt-4o-mini")
    expect(await views.first().locator("tbody tr").count()).toBe(3)
    expect(await views.first().locator("tbody td").nth(1).textContent()).toBe("the 3rd of May 1999")
    expect(await views.first().textContent()).toContain("73 rejected")
    expect(await views.nth(1).locator("tbody td").nth(1).textContent()).toBe(hostileText)
    expect(await views.nth(1).locator("script, img").count()).toBe(0)
    await takeScreenshot(page, "extension-light", { isWhole: false })
    await page.setViewportSize({ width: 1700, height: 900 })
    await takeScreenshot(page, "extension-wide", { isWhole: false })
    await page.setViewportSize({ width: 1280, height: 900 })
    await jupyter.server.setTheme("JupyterLab Dark")
    await page.reload()
    await waitForKernel(page)
    await views.nth(1).locator("table").waitFor()
    await page.locator("body[data-jp-theme-light=false]").waitFor({ state: "attached" })
    await takeScreenshot(page, "extension-dark", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })

  it("leaves the other results to their HTML", async () => {
    await jupyter.server.setTheme("JupyterLab Light")
    const { page, errors } = await open("results.ipynb")
    await page.locator(".p2m h4").nth(1).waitFor()
    expect(await page.locator(".jp-Prompt2ModelDataset").count()).toBe(1)
    expect(await page.locator(".p2m h4").allTextContents()).toEqual(
      plainPayloads.filter(({ kind }) => kind === "prompt" || kind === "candidates").map(({ title }) => title),
    )
    const pictures = page.locator(".p2m img")
    for (let index = 0; index < (await pictures.count()); index++) {
      expect(await pictures.nth(index).evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)).toBe(true)
    }
    await page.setViewportSize({ width: 1280, height: 2400 })
    await takeScreenshot(page, "results-in-jupyterlab", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })

  it("says what it cannot read, and survives what lies", async () => {
    const { page, errors } = await open("odd.ipynb")
    const views = page.locator(".jp-Prompt2ModelDataset")
    await views.nth(1).locator("table").waitFor()
    expect(await views.first().textContent()).toContain("newer Prompt2Model")
    expect(await views.first().textContent()).toContain("rows of tomorrow")
    expect(await views.nth(1).textContent()).not.toMatch(/undefined|NaN|Infinity|object/)
    expect(errors).toEqual([])
    await page.close()
  })

  it("still shows what an older version wrote, and asks nobody whom a lying demo names", async () => {
    await jupyter.server.setTheme("JupyterLab Light")
    const { page, errors } = await open("older.ipynb")
    const rows = page.locator(".jp-Prompt2ModelDataset tbody tr")
    await rows.first().waitFor()
    expect(await rows.count()).toBe(dataset.preview.length)
    const demos = page.locator(".jp-Prompt2ModelDemo")
    await demos.nth(1).waitFor()
    expect(await demos.first().locator(".p2m-title").textContent()).toBe("Demo")
    expect(await page.locator(".jp-OutputArea", { hasText: "a demo of tomorrow" }).textContent()).toContain("newer Prompt2Model")
    const asked: string[] = []
    page.on("request", (request) => /evil|predict/.test(request.url()) && asked.push(request.url()))
    await demos.nth(1).locator(".p2m-tries button", { hasText: "script" }).click()
    await demos.nth(1).locator(".p2m-bad", { hasText: "run the cell with serve again" }).waitFor()
    expect(asked).toEqual([])
    expect(await page.locator(".jp-Prompt2ModelDemo script, .jp-Prompt2ModelDemo img").count()).toBe(0)
    await takeScreenshot(page, "extension-older", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })
})
