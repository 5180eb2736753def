// Every notebook as a class sees it: in a real JupyterLab, with its kept outputs, from top to bottom. Pictures go to test-results/browser.
import { execFileSync } from "node:child_process"
import { copyFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { root } from "../notebooks/jupyter-environment"
import { exercisesOf, hasTag, readNotebook } from "../notebooks/run-notebook"
import { collectErrors, takeScreenshot } from "./browser"
import { canRun, useJupyter } from "./use-jupyter"

const notebooks = join(root, "notebooks")
const names = readdirSync(notebooks).filter((name) => name.endsWith(".ipynb"))
/** Around the notebook: menu, toolbar, status. */
const heightAround = 140

describe.skipIf(!canRun)("the notebooks in JupyterLab", () => {
  const jupyter = useJupyter("browser-notebooks", {
    prepare(folder, environment) {
      for (const name of names) copyFileSync(join(notebooks, name), join(folder, name))
      // As after a reader's own run; before that, JupyterLab shows the outputs without their styles.
      execFileSync(environment.python, ["-m", "jupyter", "trust", ...names], {
        cwd: folder,
        env: { ...process.env, ...environment.variables },
        stdio: "ignore",
      })
    },
  })

  /** Opens a notebook alone, and makes the window as high as it is. */
  async function open(name: string): Promise<{ page: Page; errors: string[] }> {
    const page = await jupyter.browser.newPage({ viewport: { width: 1120, height: 900 } })
    const errors = collectErrors(page)
    await page.goto(jupyter.server.address(`/doc/tree/${name}`))
    // A kernel that is stopped while it starts would keep the server from ending.
    await page.getByText("TypeScript | Idle").waitFor({ timeout: 60_000 })
    const cells = page.locator(".jp-NotebookPanel .jp-Cell")
    await cells.nth(readNotebook(join(jupyter.folder, name)).cells.length - 1).waitFor({ state: "attached" })
    const height = await page.locator(".jp-NotebookPanel .jp-WindowedPanel-outer").evaluate((panel) => panel.scrollHeight)
    await page.setViewportSize({ width: 1120, height: height + heightAround })
    await cells.last().scrollIntoViewIfNeeded()
    return { page, errors }
  }

  it.each(names)("%s is drawn whole, its checks and solutions folded", async (name) => {
    await jupyter.server.setTheme("JupyterLab Light")
    const { page, errors } = await open(name)
    const { cells, ...rest } = readNotebook(join(jupyter.folder, name))
    const exercises = exercisesOf({ cells, ...rest })
    const pictures = page.locator(".jp-OutputArea img")
    for (let index = 0; index < (await pictures.count()); index++) {
      expect(await pictures.nth(index).evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)).toBe(true)
    }
    await takeScreenshot(page, `notebook-${name.replace(".ipynb", "")}`, { isWhole: false })
    const checks = page.locator(".jp-CodeCell").filter({ has: page.locator(".jp-InputPlaceholder") })
    expect(await checks.count()).toBe(cells.filter((cell) => hasTag(cell, "check")).length)
    const solution = page.locator(".jp-RenderedMarkdown details").first()
    const code = solution.locator("pre")
    expect(await code.isVisible()).toBe(false)
    await solution.locator("summary").click()
    expect(await code.isVisible()).toBe(true)
    expect((await code.textContent())?.trim()).toBe(exercises[0].solution?.trim())
    expect(errors).toEqual([])
    await page.close()
  })

  it("reads as well in the dark", async () => {
    await jupyter.server.setTheme("JupyterLab Dark")
    const { page, errors } = await open("00-quickstart.ipynb")
    await page.locator("body[data-jp-theme-light=false]").waitFor({ state: "attached" })
    await takeScreenshot(page, "notebook-00-quickstart-dark", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })
})
