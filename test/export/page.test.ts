// The page of an export in a real browser, from a server that knows files and nothing else: it answers token for token as the student, talks to
// nobody but that server, and sends it nothing.

import { mkdtempSync, rmSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { exportStudent } from "../../kernel-lib/src/stages/export-student/export-student"
import { loadStudent } from "../../kernel-lib/src/students"
import { decoderFolder } from "../../kernel-lib/test/students/decoder-golden"
import { encoderFolder } from "../../kernel-lib/test/students/encoder-golden"
import { goldenFolder } from "../../kernel-lib/test/students/golden"
import { collectErrors, findBrowser, isRequired, launchBrowser, takeScreenshot } from "../browser/browser"

const found = findBrowser()
if ("reason" in found) console.warn(found.reason)

const texts = ["3rd of May 1999", "é 😀 <img src=x onerror=alert(1)>", "a longer text ".repeat(6), "a"]
const spec = { instruction: "Answer <b>shortly</b>.", demonstrations: [{ input: "3rd of May 1999", output: "x" }] }
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
}

interface Hosted {
  readonly url: string
  readonly server: Server
  readonly requests: { readonly method: string; readonly path: string; readonly bytes: number }[]
}

/** Any static host. */
async function host(folder: string): Promise<Hosted> {
  const requests: Hosted["requests"] = []
  const server = createServer(async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += chunk.length
    const path = new URL(request.url ?? "/", "http://localhost").pathname
    requests.push({ method: request.method ?? "", path: request.url ?? "", bytes })
    const data = await readFile(join(folder, path)).catch(() => undefined)
    response.writeHead(data ? 200 : 404, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(data)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, requests }
}

const students = [
  ["a T5", goldenFolder("bytes"), "onnx"],
  ["a T5 in 8 bits", goldenFolder("bytes"), "onnx-int8"],
  ["a GPT-2", decoderFolder("gpt2"), "onnx"],
  ["a Llama", decoderFolder("llama3"), "onnx"],
  ["a classifier", encoderFolder("bert-labels"), "onnx"],
] as const

describe.skipIf("reason" in found && !isRequired)("the page of an export", () => {
  const folder = mkdtempSync(join(tmpdir(), "export-page-"))
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser("executable" in found ? found.executable : "")
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(students)("answers as %s, and nothing leaves it", async (name, path, format) => {
    const student = await loadStudent(path, { threads: 1 })
    const exported = await exportStudent(student, format, { folder: join(folder, name.replaceAll(" ", "-")), page: true, spec })
    const answers = await student.predict(texts, { decoding: { kind: "greedy" } })
    const { url, server, requests } = await host(exported.folder)
    const page = await browser.newPage({ viewport: { width: 900, height: 760 } })
    try {
      const errors = collectErrors(page)
      const asked: string[] = []
      page.on("request", (request) => asked.push(request.url()))
      await page.goto(`${url}/demo.html`)
      await page.waitForSelector("#send:not([disabled])")
      const loaded = requests.length
      await page.click(".try")
      await page.waitForSelector("#answers tbody tr td")
      for (const text of texts.slice(1)) {
        await page.fill("#input", text)
        await page.keyboard.press("Enter")
        await page.waitForFunction((count) => document.querySelectorAll("#answers tbody tr").length === count, texts.indexOf(text) + 1)
      }
      const shown = await page.$$eval("#answers tbody tr", (rows) =>
        rows.map((row) => Array.from((row as HTMLTableRowElement).cells, (cell) => cell.textContent)),
      )
      const expected = answers.map(({ output, confidence }, row) => [texts[row], output || "(empty)", confidence.toFixed(2)]).reverse()
      if (format === "onnx") expect(shown.map((cells) => cells.slice(0, 3))).toEqual(expected)
      const inPage = await page.evaluate(async (all) => {
        const { student } = globalThis as unknown as { student: { answer(text: string): Promise<{ tokens: number[] }> } }
        const tokens: number[][] = []
        for (const text of all) tokens.push((await student.answer(text)).tokens)
        return tokens
      }, texts)
      expect(inPage).toEqual(answers.map(({ tokens }) => tokens))
      await takeScreenshot(page, `export-${name.replaceAll(" ", "-")}`)
      expect(errors).toEqual([])
      expect(asked.filter((one) => !one.startsWith(url) && !one.startsWith("data:"))).toEqual([])
      // Once the model is there, not even the page's own server hears of anything.
      expect(requests.slice(loaded)).toEqual([])
      expect(requests.filter(({ method, bytes, path }) => method !== "GET" || bytes > 0 || path.includes("?"))).toEqual([])
    } finally {
      await page.close()
      server.close()
    }
  })
})
