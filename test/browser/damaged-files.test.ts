// The viewer's worker, as it is built, over files that are damaged or lie: it reads them or says what is wrong, and neither hangs nor runs out of memory.
// Here it runs in a thread of Node; that its sentence is shown, the tests with a browser say.
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"
import { readRleBitPackedHybrid as readByLibrary } from "hyparquet/src/encoding.js"
import { ByteWriter } from "hyparquet-writer"
import { writeRleBitPackedHybrid } from "hyparquet-writer/src/encoding.js"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { FileFormat, FileState, FromWorker, FullRow, ToWorker } from "../../jupyter-extension/src/protocol"
import { readRleBitPackedHybrid } from "../../jupyter-extension/src/worker/checked-pages"
import { Random } from "../../kernel-lib/src/core/random"
import { findPython, openJupyterEnvironment, root } from "../notebooks/jupyter-environment"
import { isRequired } from "./browser"
import { changeFooter, join as joinBytes, makePage, makeParquet, makeRun } from "./lying-parquet"

const python = findPython()
if ("reason" in python) console.warn(python.reason)

/** Runs the built worker where a browser's globals are looked for. */
const program = `
const { parentPort, workerData } = require("node:worker_threads")
globalThis.postMessage = (message) => parentPort.postMessage(message)
globalThis.addEventListener = (_name, listen) => parentPort.on("message", (data) => listen({ data }))
import(workerData)`

describe("runs of numbers in a page", () => {
  it.each([1, 2, 3])("are what hyparquet itself reads, seed %i", (seed) => {
    const random = new Random(seed)
    for (let round = 0; round < 200; round++) {
      const width = random.integer(18)
      const numbers: number[] = []
      while (numbers.length < 400)
        numbers.push(...new Array(1 + random.integer(random.next() < 0.5 ? 3 : 60)).fill(random.integer(2 ** width)))
      const writer = new ByteWriter()
      if (width > 0) writeRleBitPackedHybrid(writer, numbers, width)
      else writer.appendBytes(makeRun(numbers.length, 0).subarray(0, 2))
      const bytes = new Uint8Array(writer.getBuffer())
      const [ours, theirs] = [readRleBitPackedHybrid, readByLibrary].map((read) => {
        const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
        const output = new Array<number>(numbers.length)
        read(reader, width, output, bytes.length)
        return { output, offset: reader.offset }
      })
      expect(ours.output).toEqual(numbers)
      expect(ours).toEqual(theirs)
    }
  })
})

describe.skipIf("reason" in python && !isRequired)("the viewer's worker over damaged files", () => {
  let server: Server
  let worker: Worker
  let content = new Uint8Array(0)
  let end: string | undefined
  const waiting = new Map<number, (message: Extract<FromWorker, { id: number }>) => void>()
  let nextId = 0

  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    openJupyterEnvironment(python.command, { withExtension: true })
    server = createServer((request, response) => {
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "")!.map(Number)
      const part = content.subarray(first, last + 1)
      if (part.length === 0) return response.writeHead(416).end()
      response.writeHead(206, { "content-range": `bytes ${first}-${first + part.length - 1}/${content.length}` }).end(part)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const workerData = pathToFileURL(join(root, "jupyter-extension/dist/worker.js")).href
    worker = new Worker(program, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: 1500 } })
    worker.on("message", (message: FromWorker) => "id" in message && waiting.get(message.id)?.(message))
    worker.on("error", (error) => {
      end = error.message
    })
  })
  afterAll(async () => {
    await worker?.terminate()
    server?.close()
  })

  /** The answer, or the sentence in its place. A worker that hangs never gives either, and the test ends by its time. */
  async function ask<T>(name: ToWorker["name"], request: unknown): Promise<T | string> {
    const id = nextId++
    const message = await new Promise<Extract<FromWorker, { id: number }>>((resolve, reject) => {
      waiting.set(id, resolve)
      worker.once("error", reject)
      worker.postMessage({ id, name, request })
    })
    worker.removeAllListeners("error").on("error", (error) => {
      end = error.message
    })
    waiting.delete(id)
    return "error" in message
      ? message.error.message.replace(/%(\d)/g, (_mark, place) => String(message.error.values[place - 1]))
      : (message.answer as T)
  }
  function open(bytes: Uint8Array<ArrayBuffer> | string, format: FileFormat): Promise<FileState | string> {
    content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes
    return ask<FileState>("open", { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, headers: {}, format })
  }
  /** Reads every value of the file. */
  async function readAll(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
    const file = await open(bytes, "parquet")
    if (typeof file === "string") return file
    if (file.columns.length === 0 || file.numRows === 0) return undefined
    const rows = await ask<Blob>("export", { format: "jsonl" })
    return typeof rows === "string" ? rows : undefined
  }

  it("answers whatever bytes of a Parquet file are changed", async () => {
    const whole = [makeParquet("SNAPPY"), makeParquet("UNCOMPRESSED")]
    for (const bytes of whole) expect(await readAll(bytes)).toBeUndefined()
    const telling = [0, 1, 16, 127, 128, 254, 255]
    const random = new Random("damage")
    const said: string[] = []
    for (let round = 0; round < 400; round++) {
      const bytes = whole[round % 2].slice()
      const footerAt = bytes.length - 8 - new DataView(bytes.buffer).getUint32(bytes.length - 8, true)
      const isInFooter = random.next() < 0.5
      for (let changes = 1 + random.integer(4); changes > 0; changes--) {
        const at = isInFooter ? footerAt + random.integer(bytes.length - 8 - footerAt) : 4 + random.integer(footerAt - 4)
        for (let length = random.next() < 0.4 ? 1 + random.integer(6) : 1; length > 0; length--)
          bytes[at + length - 1] = random.next() < 0.6 ? telling[random.integer(telling.length)] : random.integer(256)
      }
      const sentence = await readAll(bytes)
      if (sentence !== undefined) said.push(sentence)
    }
    expect(end).toBeUndefined()
    // A changed letter of a text is no damage; most else is.
    expect(said.length).toBeGreaterThan(80)
    for (const sentence of said) expect(sentence).toMatch(/^[A-Z][^\n]{5,260}\.$/)
  }, 240_000)

  const rows = 2_000_000_000
  const ofHeader = { encoding: "PLAIN", definition_level_encoding: "RLE", repetition_level_encoding: "RLE" } as const
  const levels = (count: number) => joinBytes(new Uint8Array([6, 0, 0, 0]), makeRun(count, 1))
  it.each([
    [
      "counts of rows that do not agree",
      changeFooter(makeParquet("SNAPPY"), (footer) => Object.assign(footer, { num_rows: 7n })),
      /promises 7 rows and has 300/,
    ],
    [
      "fewer than no rows",
      changeFooter(makeParquet("SNAPPY"), (footer) => {
        footer.row_groups[0].num_rows = -100n
        footer.num_rows = 100n
      }),
      /promises 100 rows/,
    ],
    [
      "rows that are nowhere",
      changeFooter(makeParquet("SNAPPY"), (footer) => {
        for (const group of footer.row_groups) group.num_rows = 1_000_000n
        footer.num_rows = 3_000_000n
      }),
      /fewer values than it promises rows/,
    ],
    [
      "columns of another schema",
      changeFooter(makeParquet("SNAPPY"), (footer) => Object.assign(footer.schema[1], { name: "other" })),
      /not those of its schema/,
    ],
    [
      "a number where a text is",
      changeFooter(makeParquet("UNCOMPRESSED"), (footer) => {
        footer.schema[1].type = "DOUBLE"
        for (const group of footer.row_groups) group.columns[0].meta_data!.type = "DOUBLE"
      }),
      /damaged/,
    ],
    [
      "pages beyond the file's end",
      changeFooter(makeParquet("SNAPPY"), (footer) =>
        Object.assign(footer.row_groups[0].columns[0].meta_data!, { data_page_offset: 10n ** 12n }),
      ),
      /points to bytes/,
    ],
    [
      "a column of terabytes",
      changeFooter(makeParquet("SNAPPY"), (footer) =>
        Object.assign(footer.row_groups[0].columns[0].meta_data!, { total_compressed_size: 10n ** 13n }),
      ),
      /points to bytes/,
    ],
    [
      "a thousand million levels in six bytes",
      makePage({ data_page_header: { num_values: 10, ...ofHeader } }, levels(rows / 2), { rows: 10n, isNullable: true }),
      /damaged/,
    ],
    [
      "a thousand million values",
      makePage({ data_page_header: { num_values: rows, ...ofHeader } }, levels(rows / 2), { rows: 10n, isNullable: true }),
      /promises 2000000000 values/,
    ],
    [
      "a thousand million times the one entry of a dictionary",
      makePage({ data_page_header: { num_values: rows, ...ofHeader, encoding: "RLE_DICTIONARY" } }, new Uint8Array([0, 0]), {
        rows: 10n,
        hasDictionary: true,
      }),
      /promises 2000000000 values/,
    ],
    [
      "a group of a thousand million rows",
      makePage({ data_page_header: { num_values: 1, ...ofHeader } }, new Uint8Array(4), { rows: BigInt(rows) }),
      /2000000000 rows in one group/,
    ],
    [
      "a text of gigabytes",
      makePage({ data_page_header: { num_values: 1, ...ofHeader } }, new Uint8Array([255, 255, 255, 127, 120]), { rows: 1n }),
      /damaged/,
    ],
    [
      "a page of gigabytes",
      makePage(
        { uncompressed_page_size: 2 ** 31 - 1, data_page_header: { num_values: 1, ...ofHeader } },
        new Uint8Array([1, 0, 0, 0, 120]),
        { rows: 1n },
      ),
      /promises 2147483647 bytes/,
    ],
  ])("refuses with a sentence: %s", async (_name, bytes, sentence) => {
    expect(await readAll(bytes)).toMatch(sentence)
    expect(end).toBeUndefined()
  })

  it("reads JSON lines of more columns than anybody looks at", async () => {
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 30_000 }, (_none, column) => [`c${column}`, column])))
    const short = Array.from({ length: 100_000 }, (_none, row) => `{"c1":${row}}`)
    const others = Array.from({ length: 50 }, (_none, line) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_none, column) => [`${line} ${column}`, 1]))),
    )
    const file = (await open([wide, ...short, ...others].join("\n"), "jsonl")) as FileState
    expect(file.columns).toHaveLength(20_001)
    const row = (await ask<FullRow>("row", { row: 0 })) as FullRow
    expect(row.numColumns).toBe(20_001)
    const block = await ask<{ cells: unknown[][] }>("block", { start: 0, end: 1, columns: ["c1", "(further columns)"] })
    expect(block).toMatchObject({ cells: [[1], [expect.stringContaining('"c20000":20000')]] })
    await ask("query", { search: "c29999", filters: [], sort: [] })
    expect(await ask("ping", null)).toBeNull()
  })

  it("reads CSV with a header that repeats itself, ragged lines and a quote that is never closed", async () => {
    const header = new Array(100_000).fill("a").join(",")
    const lines = Array.from({ length: 50_000 }, (_none, row) => `${row},"x"`)
    const file = (await open(`${header}\n${lines.join("\n")}\n"never closed\n1,2\n`, "csv")) as FileState
    expect(file.columns.slice(0, 3).map(({ name }) => name)).toEqual(["a", "a 2", "a 3"])
    expect(file.columns).toHaveLength(20_000)
    expect(await ask("block", { start: 1, end: 2, columns: ["a", "a 2", "a 3"] })).toMatchObject({ cells: [["1"], ["x"], [null]] })
  })

  it("shows what is nested without end, and lines that are very long", async () => {
    const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`
    const long = JSON.stringify({ a: "x".repeat(20_000_000) })
    const file = (await open(`{"a":1,"__proto__":{"polluted":1},"constructor":2}\n${deep}\n${long}\n`, "jsonl")) as FileState
    expect(await ask("export", { format: "jsonl" })).toBeInstanceOf(Blob)
    expect(file.columns.map(({ name }) => name)).toEqual(["a", "__proto__", "constructor"])
    const block = (await ask<{ cells: string[][] }>("block", { start: 0, end: 3, columns: ["a", "__proto__"] })) as { cells: string[][] }
    expect(block.cells[0][1]).toMatch(/nested too deeply|^\[\[\[/)
    expect(block.cells[0][2].length).toBeLessThan(1000)
    expect(block.cells[1]).toEqual(['{"polluted":1}', null, null])
  })

  it("finds each row once, however many look for rows at the same time, and exports all of them", async () => {
    const count = 300_000
    const lines = Array.from({ length: count }, (_none, row) => `{"row":${row},"text":"line ${row} of a file of some length"}\n`)
    await open(lines.join(""), "jsonl")
    await ask("watch", { columns: ["row", "text"] })
    await ask("query", { search: "length", filters: [], sort: [] })
    const rows = await ask<Blob>("export", { format: "jsonl" })
    expect(await (rows as Blob).text()).toBe(lines.join(""))
  })
})
