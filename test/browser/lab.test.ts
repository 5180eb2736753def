// `npm run lab`, as a newcomer sees it: the quickstart opens, its kernel is ready, its datasets are drawn by the extension.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { findPython, root } from "../notebooks/jupyter-environment"
import { findBrowser, isRequired, launchBrowser, takeScreenshot } from "./browser"

const places = [findPython(), findBrowser()]
const missing = places.flatMap((place) => ("reason" in place ? [place.reason] : []))
for (const reason of missing) console.warn(reason)

describe.skipIf(missing.length > 0 && !isRequired)("npm run lab", () => {
  let lab: ChildProcess
  let browser: Browser
  let log = ""
  let port = 0

  beforeAll(async () => {
    const found = findBrowser()
    if ("reason" in found) throw new Error(found.reason)
    port = await findFreePort()
    const words = ["--no-browser", "--port", String(port), "--IdentityProvider.token=for-this-test", "--ServerApp.port_retries=0"]
    lab = spawn(process.execPath, [join(root, "scripts/lab.mjs"), ...words], { stdio: ["ignore", "ignore", "pipe"] })
    await new Promise<void>((resolve, reject) => {
      lab.stderr!.setEncoding("utf8").on("data", (text: string) => {
        log += text
        if (log.includes("is running at")) resolve()
      })
      lab.on("error", reject).on("exit", () => reject(new Error(`npm run lab ended at once:\n${log}`)))
    })
    lab.removeAllListeners("exit")
    browser = await launchBrowser(found.executable)
  })
  afterAll(async () => {
    await browser?.close()
    if (!lab || lab.exitCode !== null) return
    const ended = once(lab, "exit")
    lab.kill("SIGTERM")
    await ended
  })

  it("opens the quickstart with its kernel ready and its datasets drawn", async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await page.goto(`http://127.0.0.1:${port}/?token=for-this-test`)
    await page.getByText("TypeScript | Idle").waitFor({ timeout: 60_000 })
    expect(await page.locator(".jp-NotebookPanel").count()).toBe(1)
    await page.locator(".jp-Prompt2ModelDataset table").first().waitFor()
    await takeScreenshot(page, "lab", { isWhole: false })
    await page.close()
  })

  it("serves on loopback alone, and asks for the token", async () => {
    expect(log).toContain(`http://127.0.0.1:${port}/`)
    expect((await fetch(`http://127.0.0.1:${port}/api/contents`)).status).toBe(403)
  })
})

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}
