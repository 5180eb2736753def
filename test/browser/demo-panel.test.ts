// The demo of a student in a real JupyterLab, as on a hub: under a base URL, behind a proxy, by a name that is not this machine's. The student stands
// in a notebook's kernel, and is asked through the kernel and through Jupyter's own proxy.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { hostileText } from "../../kernel-lib/test/display/sample-payloads"
import { collectErrors, takeScreenshot } from "./browser"
import { openExtrasEnvironment } from "./extras-environment"
import { type ReverseProxy, startReverseProxy } from "./reverse-proxy"
import { canRun, useJupyter, writeNotebook } from "./use-jupyter"

const baseUrl = "/user/someone/"
/** A name that the browser is told to find on this machine: servers see it as they would see a hub's. */
const hub = "hub.example"

/** Turns dates into ISO 8601, some of them; "error" is refused. */
const cell = `import { Dataset, serve, PromptSpec, type Student } from "prompt2model"

const hold: { go?: () => void } = {}
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
const student: Student = {
  kind: "student", name: "byte-t5-dates", architecture: "t5", parameters: 700_000, bytes: 2_800_000, isPretrained: false, fingerprint: "dates",
  async predict(inputs) {
    hold.go?.()
    if (inputs.includes("error")) throw new Error("The student has fallen over.")
    return inputs.map((input) => {
      const [, day, month, year] = /(\\d+)\\w* of (\\w{3})\\w* (\\d{4})/.exec(input) ?? []
      const number = months.indexOf(month) + 1
      const output = number > 0 ? \`\${year}-\${String(number).padStart(2, "0")}-\${day.padStart(2, "0")}\` : \`<b>\${input}</b>\`
      return { output, tokens: [1], confidence: number > 0 ? 0.93 : 0.21 }
    })
  },
  async save() {},
  dispose() {},
}
const rows = ["3rd of May 1999", "3 of May 1998", "the 3rd of June 1999", "May 3, 1999", "21st of April 1974", "3rd of May 2001, a Thursday", ${JSON.stringify(hostileText)}]
const train = Dataset.from(rows.map((input, row) => ({ input, output: row === 0 ? "1999-05-03" : "1998-05-0" + row })))
const spec = new PromptSpec({
  instruction: "Turn a date, however people write it, into ISO 8601.",
  demonstrations: ["3rd of May 1999", "on the 21st of April 1974", ${JSON.stringify(hostileText)}].map((input) => ({ input, output: "" })),
})
const demo = await serve(student, { spec, train })
demo`

/** The second cell runs until the student is asked. */
const sources = [cell, "await new Promise<void>((resolve) => { hold.go = resolve })", "await demo.close()"]

describe.skipIf(!canRun)("the demo of a student on a hub", () => {
  let proxy: ReverseProxy

  const jupyter = useJupyter("browser-demo", {
    prepare(folder) {
      for (const name of ["kernel.ipynb", "proxy.ipynb"])
        writeNotebook(
          join(folder, name),
          sources.map((source) => ({ source })),
        )
    },
    ...{ openEnvironment: openExtrasEnvironment, baseUrl, browserFlags: [`--host-resolver-rules=MAP ${hub} 127.0.0.1`] },
    moreWords: ["--ServerApp.allow_remote_access=True", "--ServerApp.terminals_enabled=False"],
  })
  beforeAll(async () => {
    proxy = await startReverseProxy(jupyter.server.port)
  })
  afterAll(() => proxy?.close())

  function writeSettings(content: object): void {
    const place = join(jupyter.folder, ".settings/jupyterlab-prompt2model")
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, "settings.jupyterlab-settings"), JSON.stringify(content))
  }

  async function open(notebook: string) {
    const page = await jupyter.browser.newPage({ viewport: { width: 1280, height: 900 } })
    const errors = collectErrors(page)
    const asked: string[] = []
    page.on("request", (request) => request.method() === "POST" && /predict\b/.test(request.url()) && asked.push(request.url()))
    const address = new URL(jupyter.server.address(`/lab/tree/${notebook}`))
    await page.goto(`http://${hub}:${proxy.port}${address.pathname}${address.search}`)
    await page.getByText("TypeScript | Idle").waitFor({ timeout: 60_000 })
    return { page, errors, asked, demo: page.locator(".jp-OutputArea .jp-Prompt2ModelDemo") }
  }

  async function serveStudent(page: Page): Promise<void> {
    await page.locator(".jp-Cell").first().click()
    await page.keyboard.press("Control+Enter")
    await page.locator(".jp-OutputArea .jp-Prompt2ModelDemo").waitFor({ timeout: 60_000 })
  }

  it("answers in the output and in a panel, through the kernel, with the nearest training rows", async () => {
    await jupyter.server.setTheme("JupyterLab Light")
    writeSettings({ nearestRows: 4 })
    const { page, errors, asked, demo } = await open("kernel.ipynb")
    await serveStudent(page)
    await demo.locator("textarea").fill("the 3rd of May 1999")
    await page.keyboard.press("Enter")
    await demo.locator(".p2m-output", { hasText: "1999-05-03" }).waitFor({ timeout: 60_000 })
    expect(await demo.locator(".p2m-confidence").textContent()).toContain("0.93")
    const nearest = demo.locator(".p2m-nearest tbody tr")
    expect(await nearest.count()).toBe(4)
    expect(await nearest.first().locator("td").allTextContents()).toEqual([
      "0",
      "3rd of May 1999",
      "1999-05-03",
      expect.stringMatching(/^0\.\d\d$/),
    ])
    expect(await nearest.first().locator(".p2m-equal").count()).toBe(1)
    await demo.locator(".p2m-tries button", { hasText: "script" }).click()
    await demo.locator(".p2m-output", { hasText: `<b>${hostileText}</b>` }).waitFor()
    expect(await demo.locator("script, img, b").count()).toBe(0)
    await demo.locator(".p2m-earlier button", { hasText: "the 3rd of May" }).click()
    await demo.locator(".p2m-output", { hasText: "1999-05-03" }).waitFor()
    await demo.locator("textarea").fill("error")
    await page.keyboard.press("Enter")
    await demo.locator(".p2m-state", { hasText: "The student has fallen over." }).waitFor()
    await takeScreenshot(page, "demo-output-light", { isWhole: false })

    await demo.getByText("Open beside the notebook").click()
    const panel = page.locator(".jp-MainAreaWidget > .jp-Prompt2ModelDemo")
    const askPanel = async () => {
      await panel.locator("textarea").fill("21st of April 1974")
      await panel.getByText("Answer", { exact: true }).click()
      await panel.locator(".p2m-output", { hasText: "1974-04-21" }).waitFor()
    }
    await askPanel()
    await vi.waitFor(
      async () => {
        const saved = await (await fetch(jupyter.server.address("/lab/api/workspaces/default"))).json()
        expect(JSON.stringify(saved.data["layout-restorer:data"])).toContain("prompt2model-demo:")
      },
      { timeout: 30_000 },
    )
    await jupyter.server.setTheme("JupyterLab Dark")
    await page.goto(`http://${hub}:${proxy.port}${baseUrl}lab`)
    await page.locator("body[data-jp-theme-light=false]").waitFor({ state: "attached" })
    await panel.waitFor({ timeout: 60_000 })
    await page.locator(".jp-Notebook .jp-Cell").nth(1).waitFor()
    await askPanel()
    await takeScreenshot(page, "demo-panel-dark", { isWhole: false })
    expect(asked).toEqual([])

    // While the kernel is at work it could not answer: the proxy does.
    await page.locator(".jp-Notebook .jp-Cell").nth(1).click()
    await page.keyboard.press("Control+Enter")
    await page.getByText("TypeScript | Busy").waitFor()
    await panel.locator("textarea").fill("5th of June 2002")
    await page.keyboard.press("Enter")
    await panel.locator(".p2m-output", { hasText: "2002-06-05" }).waitFor()
    expect(asked).toHaveLength(1)

    await page.locator(".jp-Notebook .jp-Cell").nth(2).click()
    await page.keyboard.press("Control+Enter")
    await page.getByText("TypeScript | Idle").waitFor()
    await panel.locator("textarea").fill("anything")
    await page.keyboard.press("Enter")
    await panel.locator(".p2m-state", { hasText: "run the cell with serve again" }).waitFor()
    expect(errors).toEqual([])
    await page.close()
  })

  it("answers through Jupyter's proxy, by a name that is not this machine's", async () => {
    await jupyter.server.setTheme("JupyterLab Light")
    writeSettings({ asksThrough: "proxy", nearestRows: 2 })
    const { page, errors, asked, demo } = await open("proxy.ipynb")
    await serveStudent(page)
    await demo.locator("textarea").fill("on the 21st of April 1974")
    await page.keyboard.press("Enter")
    await demo.locator(".p2m-output", { hasText: "1974-04-21" }).waitFor({ timeout: 60_000 })
    expect(await demo.locator(".p2m-nearest tbody tr").count()).toBe(2)
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatch(new RegExp(`^http://${hub}:${proxy.port}${baseUrl}proxy/\\d+/predict\\b`))
    expect(errors).toEqual([])

    await page.close()
  })
})
