// Our own pages in a real browser: the demo that a served student shows, and report.html.
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { renderDemoPage } from "../../kernel-lib/src/display/demo-page"
import { renderReportPage } from "../../kernel-lib/src/display/report-page"
import { hostileDataset, hostileText, plainPayloads } from "../../kernel-lib/test/display/sample-payloads"
import { collectErrors, findBrowser, isRequired, launchBrowser, takeScreenshot } from "./browser"

const found = findBrowser()
if ("reason" in found) console.warn(found.reason)

const nonce = "dGVzdA=="
const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
const examples = ["3rd of May 1999", "Sept. 17, 2024", hostileText, "3 مايو 1999"]

/** Answers with the input upside down; "error" is refused. */
async function startDemo(): Promise<Server> {
  const page = renderDemoPage({ title: "byte-t5-tiny", instruction: "Turn a date into ISO 8601.", examples, nonce, isSimulated: true })
  const server = createServer(async (request, response) => {
    if (request.url === "/report.html")
      return response
        .setHeader("content-type", "text/html; charset=utf-8")
        .end(renderReportPage({ title: "Dates", subtitle: "simulated teacher", payloads: [...plainPayloads, hostileDataset] }))
    if (request.url !== "/predict")
      return response.setHeader("content-type", "text/html; charset=utf-8").setHeader("content-security-policy", policy).end(page)
    const [input] = JSON.parse(await readBody(request)).inputs
    const [status, body] =
      input === "error"
        ? [400, { error: "Send something else." }]
        : [200, { predictions: [{ output: `<b>${input}</b>`, confidence: 0.5 }] }]
    response.writeHead(status as number, { "content-type": "application/json" }).end(JSON.stringify(body))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  return server
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ""
  for await (const piece of request) body += piece
  return body
}

describe.skipIf("reason" in found && !isRequired)("in a browser", () => {
  let browser: Browser
  let server: Server
  let address: string

  beforeAll(async () => {
    if ("reason" in found) throw new Error(found.reason)
    browser = await launchBrowser(found.executable)
    server = await startDemo()
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterAll(async () => {
    await browser?.close()
    server?.closeAllConnections()
    server?.close()
  })

  it.each(["light", "dark"] as const)("the demo answers what is typed or clicked, in %s", async (colorScheme) => {
    const page = await browser.newPage({ viewport: { width: 820, height: 760 }, colorScheme })
    const errors = collectErrors(page)
    await page.goto(address)
    await page.locator("#input").fill("2nd November 2000")
    await page.keyboard.press("Enter")
    const answers = page.locator("#answers tbody tr")
    await answers.first().waitFor()
    expect(await answers.first().locator("td").allTextContents()).toEqual(["2nd November 2000", "<b>2nd November 2000</b>", "0.50"])
    await page.getByText(hostileText).click()
    await page.locator("#answers tbody tr:nth-child(2)").waitFor()
    expect(await answers.first().locator("td").first().textContent()).toBe(hostileText)
    expect(await page.locator("img, b").count()).toBe(0)
    await takeScreenshot(page, `demo-${colorScheme}`)
    expect(errors).toEqual([])
    await page.locator("#input").fill("error")
    await page.locator("#send").click()
    await page.getByText("Send something else.").waitFor()
    expect(await answers.count()).toBe(2)
    await page.close()
  })

  it.each(["light", "dark"] as const)("report.html is readable, in %s", async (colorScheme) => {
    const page = await browser.newPage({ viewport: { width: 1040, height: 900 }, colorScheme })
    const errors = collectErrors(page)
    const requests: string[] = []
    page.on("request", (request) => !request.url().startsWith("data:") && requests.push(request.url()))
    await page.goto(`${address}report.html`)
    expect(await page.locator("h4").allTextContents()).toEqual(
      [...plainPayloads, hostileDataset].filter(({ kind }) => kind !== "progress").map(({ title }) => title),
    )
    const [ink, paper] = await page
      .locator(".p2m")
      .first()
      .evaluate((element) => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor])
    expect(contrastOf(ink, paper)).toBeGreaterThan(7)
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
    await takeScreenshot(page, `report-${colorScheme}`)
    expect(requests).toEqual([`${address}report.html`])
    expect(errors).toEqual([])
    await page.close()
  })
})

/** The contrast ratio of WCAG, of two colours as `rgb(r, g, b)`. */
function contrastOf(first: string, second: string): number {
  const luminance = (colour: string) => {
    const [red, green, blue] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
      const value = Number(part) / 255
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [dark, light] = [luminance(first), luminance(second)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}
