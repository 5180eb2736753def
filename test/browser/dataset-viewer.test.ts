// The viewer of dataset files in a real JupyterLab: what is opened, filtered, sorted, searched, read and found again after a reload.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { describe, expect, it, vi } from "vitest"
import { hostileText } from "../../kernel-lib/test/display/sample-payloads"
import { collectErrors, takeScreenshot } from "./browser"
import { generateRow, writeGeneratedCsv, writeGeneratedJsonl, writeGeneratedParquet } from "./dataset-files"
import { canRun, useJupyter } from "./use-jupyter"

const numRows = 40_000
const rows = Array.from({ length: numRows }, (_none, row) => generateRow(row))

type Theme = "JupyterLab Light" | "JupyterLab Dark"

function writeHostileFiles(folder: string): void {
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content)
  const lines: readonly Record<string, unknown>[] = [
    { input: hostileText, output: "<img src=x onerror=alert(1)>", "<b>name</b>": "\u202egnp.exe \u0000\u0007\u001b[31m" },
    { input: "x".repeat(3_000_000), output: ["a", { b: null }], constructor: 1 },
    { input: "\ud83d", output: "lines\nof\ttext" },
  ]
  write("hostile.jsonl", `${lines.map((line) => JSON.stringify(line)).join("\n")}\nno JSON\n[1]\n`)
  write("wide.jsonl", `${JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_none, column) => [`c${column}`, column])))}\n`)
  const whole = readFileSync(join(folder, "generated.parquet"))
  write("truncated.parquet", whole.subarray(0, whole.length >> 1))
  write("text.parquet", "input,output\n".repeat(100))
  write("empty.parquet", "")
  // A footer that is longer than the file.
  write("lying.parquet", Buffer.concat([whole.subarray(0, 400), Buffer.from([255, 255, 255, 127]), Buffer.from("PAR1")]))
}

const longText =
  "On a cold morning in the year 1999 the ship left the harbour with nobody aboard but the captain and a dog that could not swim"

/** A training set in which rows repeat each other and the test set beside it. */
function writeAlikeFiles(folder: string): void {
  const write = (name: string, inputs: readonly string[]) =>
    writeFileSync(join(folder, name), inputs.map((input) => `${JSON.stringify({ input, output: "x" })}\n`).join(""))
  mkdirSync(folder, { recursive: true })
  const train = [
    "3 May 1999",
    "June 2, 2001",
    "3 may, 1999!",
    longText,
    "July 4",
    longText.replace("dog", "cat"),
    "Held out, 1 April",
    "July 5",
  ]
  write("train.jsonl", train)
  write("test.jsonl", ["something else", "held out 1 April"])
}

describe.skipIf(!canRun)("the dataset viewer in JupyterLab", () => {
  const jupyter = useJupyter("browser-viewer", {
    prepare(folder) {
      writeGeneratedParquet(join(folder, "generated.parquet"), numRows)
      writeGeneratedParquet(join(folder, "generated.rejected.parquet"), 73)
      writeGeneratedCsv(join(folder, "rows.csv"), numRows)
      writeGeneratedJsonl(join(folder, "rows.jsonl"), numRows)
      writeHostileFiles(folder)
      writeAlikeFiles(join(folder, "run"))
    },
  })

  async function open(file: string, { theme = "JupyterLab Light" as Theme, fragment = "" } = {}) {
    await jupyter.server.setTheme(theme)
    const page = await jupyter.browser.newPage({ viewport: { width: 1500, height: 820 } })
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
    const errors = collectErrors(page)
    await page.goto(jupyter.server.address(`/lab/tree/${file}`) + fragment)
    const viewer = page.locator(".jp-Prompt2ModelViewer")
    await viewer.waitFor({ timeout: 60_000 })
    return { page, errors, viewer, grid: viewer.locator(".lm-DataGrid-viewport"), heading: viewer.locator(".p2m-side h5").first() }
  }

  /** Until the background has seen the whole file. */
  async function waitUntilDone(page: Page): Promise<void> {
    await page.locator(".jp-Prompt2ModelViewer[data-state=done]").waitFor({ timeout: 60_000 })
  }
  async function waitForHeaders(page: Page): Promise<void> {
    await page.locator(".jp-Prompt2ModelViewer[data-headers=whole]").waitFor({ timeout: 60_000 })
  }

  const inOutput = { x: 520, y: 90 }
  const rowOf = (row: number) => `Row ${row.toLocaleString("en")}`

  it("opens Parquet by itself: rows, headers, a row's way here, in both themes", async () => {
    for (const theme of ["JupyterLab Light", "JupyterLab Dark"] as const) {
      const { page, errors, viewer, grid, heading } = await open("generated.parquet", { theme })
      await waitUntilDone(page)
      await viewer.locator(".p2m-bar", { hasText: "40,000 rows" }).waitFor()
      await grid.click({ position: { x: 300, y: 200 } })
      await viewer.locator(".p2m-side h5", { hasText: "Against" }).waitFor()
      expect(await heading.textContent()).toContain(rowOf(4))
      expect(await viewer.locator(".p2m-example .p2m-text").first().textContent()).toBe(rows[4].input)
      await page.keyboard.press("j")
      await heading.filter({ hasText: rowOf(5) }).waitFor()
      expect(await viewer.locator(".p2m-path").textContent()).toContain(`T ${(rows[5].from as { temperature: number }).temperature}`)
      await waitForHeaders(page)
      await viewer.locator(".p2m-side h5", { hasText: "Against" }).waitFor()
      await takeScreenshot(page, theme === "JupyterLab Light" ? "viewer-light" : "viewer-dark", { isWhole: false })
      expect(errors).toEqual([])
      await page.close()
    }
  })

  it("sorts, filters by a click into a header, searches, copies code, and is the same after a reload", async () => {
    const { page, errors, viewer, grid, heading } = await open("generated.parquet")
    await waitForHeaders(page)
    await grid.click({ position: inOutput })
    await page.keyboard.press("s")
    await waitUntilDone(page)
    await grid.press("Home")
    const sorted = rows
      .map((_row, row) => row)
      .sort((a, b) => (rows[a].output < rows[b].output ? -1 : rows[a].output > rows[b].output ? 1 : a - b))
    await heading.filter({ hasText: rowOf(sorted[0]) }).waitFor()
    await grid.click({ position: { x: 84 + 35, y: 66 } })
    const chip = viewer.locator(".p2m-chip")
    const [low, high] = ((await chip.textContent()) ?? "").match(/\d+/g)!.map(Number)
    const inRange = ({ input }: { input: string }) => input.length >= low && input.length <= (high || low)
    await viewer.locator(".p2m-matches", { hasText: `${rows.filter(inRange).length.toLocaleString("en")} rows match` }).waitFor()
    await grid.press("/")
    await page.keyboard.type("aPRil")
    const matching = sorted.filter((row) => inRange(rows[row]) && /april/i.test(rows[row].input))
    await viewer.locator(".p2m-matches", { hasText: `${matching.length.toLocaleString("en")} rows match` }).waitFor()
    await waitUntilDone(page)
    await page.keyboard.press("Enter")
    await grid.press("Home")
    await heading.filter({ hasText: rowOf(matching[0]) }).waitFor()
    await takeScreenshot(page, "viewer-filtered", { isWhole: false })

    await grid.press("c")
    await viewer.locator(".p2m-matches", { hasText: "Copied" }).waitFor()
    const code = await page.evaluate(() => navigator.clipboard.readText())
    expect(code).toContain('Dataset.from("generated.parquet")')
    const condition = /dataset\.filter\(\(row\) => (.*)\)\n/.exec(code)![1]
    const keep = new Function("row", `return ${condition}`) as (row: object) => boolean
    expect(rows.filter(keep).length).toBe(matching.length)

    const download = page.waitForEvent("download")
    await viewer.getByText("JSONL").click()
    const lines = readFileSync(await (await download).path(), "utf8")
      .trimEnd()
      .split("\n")
    expect(lines.map((line) => JSON.parse(line).input)).toEqual(matching.map((row) => rows[row].input))

    await vi.waitFor(
      async () => {
        const saved = await (await fetch(jupyter.server.address("/lab/api/workspaces/default"))).text()
        expect(saved).toContain('"aPRil"')
        expect(saved).toMatch(new RegExp(`"row": ?${matching[0]}`))
      },
      { timeout: 30_000 },
    )
    await page.reload()
    await viewer.locator(".p2m-matches", { hasText: `${matching.length.toLocaleString("en")} rows match` }).waitFor({ timeout: 60_000 })
    expect(await viewer.locator(".p2m-search").inputValue()).toBe("aPRil")
    expect(await chip.count()).toBe(1)
    await heading.filter({ hasText: rowOf(matching[0]) }).waitFor()
    await chip.click()
    await viewer.locator(".p2m-search").fill("")
    await page.waitForFunction(() => document.querySelector(".p2m-matches")?.textContent === "")
    expect(errors).toEqual([])
    await page.close()
  })

  it("goes to the row that an address names, compares with a marked one, and opens the rejected rows", async () => {
    const { page, errors, viewer, grid, heading } = await open("generated.parquet", { fragment: "#row=31234" })
    await heading.filter({ hasText: rowOf(31_234) }).waitFor()
    await grid.press("l")
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("/lab/tree/generated.parquet#row=31234")
    await grid.press("m")
    await viewer.locator(".p2m-matches", { hasText: "is marked" }).waitFor()
    await grid.press("j")
    await viewer.locator(".p2m-side", { hasText: `Against row 31,234, marked` }).waitFor()
    await viewer.getByText("Rejected rows").click()
    await page.locator(".jp-Prompt2ModelViewer .p2m-title", { hasText: "generated.rejected.parquet" }).waitFor()
    expect(errors).toEqual([])
    await page.close()
  })

  it("opens JSON lines by itself, and CSV from the file browser's menu", async () => {
    const { page, errors, viewer } = await open("rows.jsonl")
    await viewer.locator(".p2m-bar", { hasText: "40,000 rows" }).waitFor()
    await waitForHeaders(page)
    await takeScreenshot(page, "viewer-jsonl", { isWhole: false })
    await page.locator(".jp-DirListing-item", { hasText: "rows.csv" }).click({ button: "right" })
    await page.locator(".lm-Menu-item", { hasText: "Open in Dataset Viewer" }).first().click()
    const csv = page.locator(".jp-Prompt2ModelViewer", { hasText: "rows.csv" })
    await csv.locator(".p2m-bar", { hasText: "40,000 rows" }).waitFor()
    await csv.and(page.locator("[data-headers=whole]")).waitFor()
    await csv.locator(".lm-DataGrid-viewport").press("End")
    await csv.locator(".p2m-side h5", { hasText: rowOf(39_999) }).waitFor()
    expect(await csv.locator(".p2m-side").textContent()).toContain(rows[39_999].input)
    await takeScreenshot(page, "viewer-csv", { isWhole: false })
    expect(errors).toEqual([])
    await page.close()
  })

  it("groups rows that are alike or repeat the test set, and leads from one to the other", async () => {
    const { page, errors, viewer, grid, heading } = await open("run/train.jsonl")
    await viewer.locator(".p2m-bar", { hasText: "8 rows" }).waitFor()
    await viewer.getByText("Alike rows").click()
    await viewer.locator(".p2m-matches", { hasText: "4 rows in 2 groups, 1 repeats another split" }).waitFor()
    await viewer.locator(".p2m-chip", { hasText: "alike present" }).waitFor()
    await waitUntilDone(page)
    const inOrder: string[] = []
    await grid.press("Home")
    for (let place = 0; place < 5; place++) {
      await viewer.locator(".p2m-path", { hasText: "alike" }).waitFor()
      inOrder.push(((await heading.textContent()) ?? "").replace(/\D+/g, ""))
      const before = await heading.textContent()
      await grid.press("j")
      if (place < 4) await page.waitForFunction((text) => document.querySelector(".p2m-side h5")?.textContent !== text, before)
    }
    expect(inOrder).toEqual(["0", "2", "6", "3", "5"])
    await grid.press("Home")
    await heading.filter({ hasText: "Row 0" }).waitFor()
    await page.waitForFunction(() => document.querySelector(".p2m-lengths")?.textContent?.includes("tokens"))
    expect(await viewer.locator(".p2m-lengths").textContent()).toBe("10 + 1 characters \u00b7 5 + 1 tokens")
    await takeScreenshot(page, "viewer-alike", { isWhole: false })
    await page.reload()
    await viewer.locator(".p2m-bar", { hasText: "8 rows" }).waitFor({ timeout: 60_000 })
    expect(await viewer.locator(".p2m-chip").count()).toBe(0)
    expect(errors).toEqual([])
    await page.close()
  })

  it("shows what is hostile as text, and says in a sentence what it cannot read", async () => {
    const { page, errors, viewer, grid } = await open("hostile.jsonl")
    await waitForHeaders(page)
    await grid.press("Home")
    await viewer.locator(".p2m-side h5", { hasText: "Row 0" }).waitFor()
    await viewer.locator(".p2m-side", { hasText: hostileText.slice(0, 20) }).waitFor()
    await takeScreenshot(page, "viewer-hostile", { isWhole: false })
    expect(await page.locator(".p2m-side script, .p2m-side img").count()).toBe(0)
    for (const [file, sentence] of [
      ["truncated.parquet", /cannot be read: .+\./],
      ["text.parquet", /cannot be read: .+\./],
      ["empty.parquet", /This is no Parquet file: it has 0 bytes\./],
      ["lying.parquet", /cannot be read: .+\./],
    ] as const) {
      await page.locator(".jp-DirListing-item", { hasText: file }).dblclick()
      const other = page.locator(".jp-Prompt2ModelViewer", { hasText: file })
      await other.locator(".p2m-trouble", { hasText: sentence }).waitFor()
    }
    await takeScreenshot(page, "viewer-trouble", { isWhole: false })
    await page.locator(".jp-DirListing-item", { hasText: "wide.jsonl" }).dblclick()
    const wide = page.locator(".jp-Prompt2ModelViewer", { hasText: "wide.jsonl" })
    await wide.locator(".p2m-bar", { hasText: "10,000 columns" }).waitFor()
    await wide.and(page.locator("[data-headers=whole]")).waitFor()
    await wide.locator(".lm-DataGrid-viewport").press("Home")
    await wide.locator(".p2m-side", { hasText: "and 9,900 more columns" }).waitFor()
    expect(errors).toEqual([])
    await page.close()
  })
})
