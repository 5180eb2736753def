// The Hugging Face hub's client against a server that answers as the hub does.
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parquetWriteBuffer } from "hyparquet-writer"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { huggingFaceHub } from "../../src/services/hubs/hugging-face-hub"
import { makeFolder, removeFolders } from "../store/folders"
import { commit, type HubRepository, type HubServer, startHubServer, token } from "./hub-server"

const parquetOf = (columns: Record<string, string[]>, features?: object) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, data]) => ({ name, data, type: "STRING" as const })),
      rowGroupSize: 2,
      kvMetadata: features && [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  )
const dates = (from: number, to: number) =>
  parquetOf({
    written: Array.from({ length: to - from }, (_, index) => `day ${from + index}`),
    iso: Array.from({ length: to - from }, (_, index) => `1999-01-0${from + index}`),
  })
const weights = Buffer.alloc(300_000, "weights ")
const readme = "---\nlicense: apache-2.0\n---\n# Tiny T5\nA **small** [model](https://example.org) for dates.\n"

const datasets: HubRepository[] = [
  {
    id: "acme/dates-to-iso",
    info: {
      downloads: 500,
      description: "\n\t\n\t\tDates as people write them, with ISO 8601.\n",
      tags: ["task_categories:text2text-generation", "language:en", "license:mit", "region:us", "size_categories:n<1K"],
      cardData: {
        pretty_name: "Dates",
        dataset_info: {
          features: [
            { name: "written", dtype: "string" },
            { name: "iso", dtype: "string" },
            { name: "era", dtype: { class_label: { names: { "0": "old", "1": "new" } } } },
          ],
          splits: [{ name: "train", num_examples: 7 }],
          download_size: 900,
        },
      },
    },
    parquet: { default: { train: [dates(1, 5), dates(5, 8)], test: [dates(8, 9)] } },
  },
  {
    id: "acme/date-pictures",
    info: { tags: ["language:fr"] },
    parquet: { default: { train: [parquetOf({ image: ["x", "y"], label: ["a", "b"] }, { image: { _type: "Image" } })] } },
  },
  { id: "acme/gated-dates", info: { gated: "auto" }, parquet: { default: { train: [dates(1, 3)] } } },
  { id: "acme/secret-dates", info: { private: true } },
  { id: "acme/scripted_dates", files: { "README.md": "", "scripted_dates.py": "import this" } },
  { id: "acme/cats" },
]
const config = JSON.stringify({ model_type: "t5", d_model: 8 })
const models: HubRepository[] = [
  {
    id: "acme/date-t5",
    info: {
      tags: ["t5", "en", "license:apache-2.0"],
      config: { model_type: "t5" },
      safetensors: { parameters: { F32: 100, BF16: 50 }, total: 150 },
      pipeline_tag: "translation",
      cardData: { language: "en" },
      downloads: 77,
    },
    files: {
      "config.json": config,
      "README.md": readme,
      "tokenizer.json": "{}",
      "model.safetensors": weights,
      "pytorch_model.bin": "not needed",
      "tf_model.h5": "no",
      "sub/config.json": "no",
    },
    large: ["model.safetensors", "pytorch_model.bin", "tf_model.h5"],
  },
  {
    id: "acme/sharded",
    info: { tags: ["t5"], config: { model_type: "t5" } },
    files: {
      "config.json": config,
      "pytorch_model.bin.index.json": "{}",
      "pytorch_model-00001-of-00002.bin": "one",
      "pytorch_model-00002-of-00002.bin": "two",
      "model.safetensors.index.json": "{}",
    },
  },
  {
    id: "acme/gated-t5",
    info: { tags: ["t5"], config: { model_type: "t5" }, gated: "manual" },
    files: { "config.json": config, "model.safetensors": "w" },
  },
  { id: "acme/empty", info: { tags: ["t5"] }, files: { "README.md": "nothing yet" } },
]

let server: HubServer
let cacheFolder: string
beforeAll(async () => {
  server = await startHubServer({ datasets, models })
})
afterAll(async () => {
  await server.close()
  await removeFolders()
})
beforeEach(async () => {
  server.requests.length = 0
  server.faults.length = 0
  cacheFolder = await makeFolder()
  vi.stubEnv("HF_TOKEN", "")
})
afterEach(() => vi.unstubAllEnvs())

const quick = { backOffMilliseconds: 1, maxBackOffMilliseconds: 1 }
const open = (options: { accessToken?: string } = {}) =>
  huggingFaceHub({ endpoint: server.endpoint, cacheFolder, retry: quick, ...options })
const query = "Turn dates into ISO 8601"
const train = { configuration: "default", split: "train", maxRows: 3000 }

test("names itself by its address, from the environment where nothing is given", () => {
  expect(huggingFaceHub()).toMatchObject({
    name: "huggingface",
    identity: "huggingface https://huggingface.co",
    sendsTo: "https://huggingface.co",
  })
  vi.stubEnv("HF_ENDPOINT", "https://mirror.example/")
  expect(huggingFaceHub()).toMatchObject({ identity: "huggingface https://mirror.example", sendsTo: "https://mirror.example" })
  expect(() => huggingFaceHub({ endpoint: "mirror" })).toThrow(/no address of a hub/)
})

describe("findDatasets", () => {
  test("searches the words of the prompt, follows pages, and says what there is", async () => {
    const { cards, searched } = await open().findDatasets(query)
    expect(searched).toBe(5)
    expect(cards.map(({ id, access }) => [id, access])).toEqual(
      expect.arrayContaining([
        ["acme/dates-to-iso", "open"],
        ["acme/gated-dates", "gated"],
        ["acme/secret-dates", "private"],
        ["acme/scripted_dates", "script"],
      ]),
    )
    expect(cards[0]).toEqual({
      id: "acme/dates-to-iso",
      description: "Dates: Dates as people write them, with ISO 8601.",
      tags: ["text2text-generation"],
      languages: ["en"],
      license: "mit",
      downloads: 500,
      bytes: 900,
      access: "open",
      configurations: [
        {
          name: "default",
          splits: ["train", "test"],
          columns: ["written", "iso"],
          numRows: 7,
          labels: { era: ["old", "new"] },
          sampleRow: { written: "day 1", iso: "1999-01-01" },
        },
      ],
    })
    expect(cards.find(({ id }) => id === "acme/date-pictures")?.configurations).toMatchObject([
      { columns: ["label"], media: { image: "Image" }, sampleRow: { label: "a" } },
    ])
    expect(server.requests.filter(({ line }) => line.includes("search=date")).map(({ line }) => /cursor=\d+/.exec(line)?.[0])).toEqual([
      undefined,
      "cursor=1",
      "cursor=2",
      "cursor=3",
      "cursor=4",
    ])
  })

  test("of sets further down that say what columns they have, those that nothing can be read of lose them", async () => {
    const says = { downloads: 5, cardData: { dataset_info: { features: [{ name: "a" }, { name: "b" }], splits: [{ name: "train" }] } } }
    const many = Array.from({ length: 9 }, (_, row) => ({
      id: `acme/coins-${row}`,
      info: says,
      parquet: row < 7 ? { default: { train: [dates(1, 3)] } } : undefined,
    }))
    const crowded = await startHubServer({ datasets: [...many, { id: "acme/coins-script", info: says, files: { "coins-script.py": "" } }] })
    const { cards } = await huggingFaceHub({ endpoint: crowded.endpoint, cacheFolder, retry: quick }).findDatasets("old coins")
    await crowded.close()
    const readable = cards.filter(({ access, configurations }) => access === "open" && configurations.length > 0)
    expect(readable.map(({ id }) => id).sort()).toEqual(many.slice(0, 7).map(({ id }) => id))
    expect(cards.filter(({ access }) => access === "script").map(({ id }) => id)).toEqual(["acme/coins-script"])
  })

  test("a broken file of one dataset does not hide the others", async () => {
    server.faults.push(
      { on: "store /datasets/acme/dates-to-iso", corrupt: true },
      { on: "store /datasets/acme/dates-to-iso", corrupt: true },
    )
    expect((await open().findDatasets(query)).cards.length).toBeGreaterThan(3)
  })
})

describe("readRows", () => {
  test("reads as many files as it takes, by ranges", async () => {
    const { columns, rows } = await open().readRows("acme/dates-to-iso", train)
    expect(columns).toEqual(["written", "iso"])
    expect(rows.map(({ written }) => written)).toEqual(Array.from({ length: 7 }, (_, index) => `day ${index + 1}`))
    expect((await open().readRows("acme/dates-to-iso", { ...train, split: "test" })).rows).toHaveLength(1)
  })

  test("no file more than it needs, and never a whole one without a range", async () => {
    expect((await open().readRows("acme/dates-to-iso", { ...train, maxRows: 3 })).rows).toHaveLength(3)
    expect(server.requests.some(({ line }) => line.includes("/train/1"))).toBe(false)
    expect(server.requests.filter(({ to }) => to === "store").every(({ range }) => range)).toBe(true)
  })

  test("leaves out columns that hold pictures", async () => {
    expect(await open().readRows("acme/date-pictures", train)).toMatchObject({ columns: ["label"], rows: [{ label: "a" }, { label: "b" }] })
  })

  test("names the configurations and splits that there are", async () => {
    await expect(open().readRows("acme/dates-to-iso", { ...train, split: "dev" })).rejects.toMatchObject({
      code: "hub.no-such-split",
      message: expect.stringContaining("default (train, test)"),
    })
  })

  test("a body that breaks off is asked for again, and given up in the end", async () => {
    server.faults.push(
      { on: "store /datasets", truncateAt: 1 },
      { on: "store /datasets", truncateAt: 20 },
      { on: "store /datasets", truncateAt: 20 },
    )
    expect((await open().readRows("acme/dates-to-iso", train)).rows).toHaveLength(7)
    for (let fault = 0; fault < 20; fault++) server.faults.push({ on: "store /datasets", truncateAt: 5 })
    await expect(open().readRows("acme/dates-to-iso", train)).rejects.toMatchObject({ code: "hub.broken-download", isRetryable: true })
  })

  test("a file that is no Parquet file", async () => {
    for (let fault = 0; fault < 4; fault++) server.faults.push({ on: "store /datasets", corrupt: true })
    await expect(open().readRows("acme/dates-to-iso", { ...train, split: "test" })).rejects.toMatchObject({ code: "table.damaged" })
  })
})

describe("the token", () => {
  test("opens what is gated, and goes to the hub only", async () => {
    await expect(open().readRows("acme/gated-dates", train)).rejects.toMatchObject({
      code: "hub.no-access",
      message: expect.stringContaining("HF_TOKEN"),
    })
    server.requests.length = 0
    expect((await open({ accessToken: token }).readRows("acme/gated-dates", train)).rows).toHaveLength(2)
    expect(server.requests.filter(({ to }) => to === "hub").every(({ hasToken }) => hasToken)).toBe(true)
    expect(server.requests.filter(({ to }) => to === "store").map(({ hasToken }) => hasToken)).not.toContain(true)
  })

  test("comes from HF_TOKEN, and stands in no error", async () => {
    vi.stubEnv("HF_TOKEN", token)
    expect((await open().readRows("acme/gated-dates", train)).rows).toHaveLength(2)
    server.faults.push({ on: "hub /api/datasets/acme/gated-dates", text: `{"broken": "${token}` })
    const error = await open()
      .readRows("acme/gated-dates", train)
      .catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: "hub.garbled-answer" })
    expect((error as Error).message).not.toContain(token)
  })
})

describe("findModels", () => {
  test("the architectures that students have, with size and README; gated ones are left out", async () => {
    const { cards, searched } = await open().findModels("a small model for dates")
    expect(searched).toBe(2)
    expect(cards[0]).toEqual({
      id: "acme/date-t5",
      description: "For translation. # Tiny T5 A small model for dates.",
      tags: ["t5", "en"],
      languages: ["en"],
      license: "apache-2.0",
      downloads: 77,
      architecture: "t5",
      parameters: 150,
      bytes: 500,
      isPretrained: true,
    })
  })
})

describe("fetchModel", () => {
  const snapshot = (name: string) => join(cacheFolder, `models--acme--${name}`, "snapshots", commit)

  test("downloads what a student needs, as transformers' cache has it, once", async () => {
    const folder = await open().fetchModel("acme/date-t5")
    expect(folder).toBe(snapshot("date-t5"))
    expect((await readdir(folder)).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"])
    expect((await readFile(join(folder, "model.safetensors"))).equals(weights)).toBe(true)
    expect(await readFile(join(cacheFolder, "models--acme--date-t5", "refs", "main"), "utf8")).toBe(commit)
    server.requests.length = 0
    await open().fetchModel("acme/date-t5")
    expect(server.requests.filter(({ line }) => line.includes("/resolve/"))).toEqual([])
    await writeFile(join(folder, "config.json"), "{")
    await open().fetchModel("acme/date-t5")
    expect(await readFile(join(folder, "config.json"), "utf8")).toBe(config)
  })

  test("all shards and their index, where the weights are in several files", async () => {
    expect((await readdir(await open().fetchModel("acme/sharded"))).sort()).toEqual([
      "config.json",
      "pytorch_model-00001-of-00002.bin",
      "pytorch_model-00002-of-00002.bin",
      "pytorch_model.bin.index.json",
    ])
  })

  test("goes on where a download broke off", async () => {
    server.faults.push({ on: "store /models", truncateAt: 1 })
    server.faults.push({ on: "store /models", truncateAt: 100_000 })
    expect((await readFile(join(await open().fetchModel("acme/date-t5"), "model.safetensors"))).equals(weights)).toBe(true)
    expect(server.requests.some(({ to, range }) => to === "store" && range !== undefined && !range.startsWith("bytes=0-"))).toBe(true)
  })

  test.each(["store /models", "/resolve/"])("a file whose hash is another never counts (%s)", async (on) => {
    for (let fault = 0; fault < 10; fault++) server.faults.push({ on, corrupt: true })
    await expect(open().fetchModel("acme/date-t5")).rejects.toMatchObject({ code: "hub.broken-download" })
    expect(await readdir(snapshot("date-t5")).catch(() => [])).not.toContain(on === "/resolve/" ? "config.json" : "model.safetensors")
  })

  test("what cannot be had", async () => {
    await expect(open().fetchModel("acme/gated-t5")).rejects.toMatchObject({ code: "hub.no-access" })
    await expect(open().fetchModel("acme/empty")).rejects.toMatchObject({ code: "hub.no-weights" })
    await expect(open({ accessToken: token }).fetchModel("acme/nothing")).rejects.toMatchObject({ code: "hub.no-such-model" })
    await expect(open().fetchModel("acme/nothing")).rejects.toMatchObject({ code: "hub.no-access" })
    for (const name of ["../../etc", "acme/..", "a b", "acme/x?y", "a/b/c", ""])
      await expect(open().fetchModel(name)).rejects.toMatchObject({ code: "hub.name" })
  })
})

describe("when the hub is not well", () => {
  test("429 and 5xx are waited for, then said", async () => {
    server.faults.push(
      { on: "/parquet", status: 429, headers: { "Retry-After": "0" } },
      { on: "/parquet", status: 503 },
      { on: "/parquet", hangUp: true },
    )
    expect((await open().readRows("acme/dates-to-iso", train)).rows).toHaveLength(7)
    for (let fault = 0; fault < 10; fault++) server.faults.push({ on: "/parquet", status: 429 })
    await expect(open().readRows("acme/dates-to-iso", train)).rejects.toMatchObject({
      code: "hub.rate-limited",
      status: 429,
      isRetryable: true,
    })
    server.faults.length = 0
    for (let fault = 0; fault < 100; fault++) server.faults.push({ on: "/api/models", status: 500 })
    await expect(open().findModels(query)).rejects.toMatchObject({ code: "hub.out-of-order", status: 500 })
  })

  test("an answer that is no JSON", async () => {
    server.faults.push({ on: "/api/datasets", text: "<html>" })
    await expect(open().findDatasets("dates")).rejects.toMatchObject({ code: "hub.garbled-answer" })
  })

  test("nobody there: the remedy is the bundled hub", async () => {
    const gone = await startHubServer({})
    await gone.close()
    const hub = huggingFaceHub({ endpoint: gone.endpoint, cacheFolder, retry: quick })
    const unreachable = { code: "hub.unreachable", isRetryable: true, message: expect.stringContaining("--hub bundled") }
    await expect(hub.findDatasets(query)).rejects.toMatchObject(unreachable)
    await expect(hub.findModels(query)).rejects.toMatchObject(unreachable)
    await expect(hub.readRows("a/b", train)).rejects.toMatchObject(unreachable)
    await expect(hub.fetchModel("a/b")).rejects.toMatchObject(unreachable)
  })

  test("an interrupt stops at once, with its own reason", async () => {
    const reason = new Error("stop")
    const signal = AbortSignal.abort(reason)
    await expect(open().findDatasets(query, { signal })).rejects.toBe(reason)
    await expect(open().readRows("acme/dates-to-iso", { ...train, signal })).rejects.toBe(reason)
    await expect(open().fetchModel("acme/date-t5", { signal })).rejects.toBe(reason)
  })
})
