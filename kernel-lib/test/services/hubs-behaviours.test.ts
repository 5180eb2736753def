// What the live hub does beside answering plainly: names that moved, branches, sets of many configurations, files that change, pictures, labels
// that only the card knows.
import { type BasicType, parquetWriteBuffer } from "hyparquet-writer"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import { huggingFaceHub } from "../../src/services/hubs"
import { groupPaths } from "../../src/services/hubs/hugging-face-parquet"
import { retrieveDatasets } from "../../src/stages/retrieve-datasets/retrieve-datasets"
import { type HubRepository, type HubServer, startHubServer, token } from "./hub-server"

type Columns = Record<string, readonly [type: BasicType, values: unknown[]]>
const fileOf = (columns: Columns, features?: object) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, [type, data]]) => ({ name, data, type })),
      rowGroupSize: 1,
      kvMetadata: features && [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  )
const pairs = (...rows: [string, string][]) =>
  fileOf({ input: ["STRING", rows.map(([input]) => input)], output: ["STRING", rows.map(([, output]) => output)] })
const one = pairs(["a", "b"], ["c", "d"])
const info = (features: unknown[], more: object = {}) => ({
  cardData: { dataset_info: { features, splits: [{ name: "train" }], ...more } },
})

const datasets: HubRepository[] = [
  { id: "new/pairs", formerly: ["old/pairs"], parquet: { default: { train: [one] } } },
  { id: "new/closed-pairs", formerly: ["old/closed-pairs"], info: { gated: "auto" }, parquet: { default: { train: [one] } } },
  { id: "a/converted", branches: { "refs/convert/parquet": { "fr/train/0000.parquet": one, "fr/partial-test/0000.parquet": one } } },
  { id: "a/plain", files: { "README.md": "", "data/train-00000-of-00001.parquet": one, "data/dev-0.parquet": one, "plain.py": "" } },
  {
    id: "a/languages",
    info: info([{ name: "gone" }], { config_name: "gone" }),
    parquet: Object.fromEntries(
      ["arabic", "bengali", "chinese", "danish", "german"].map((name) => [name, { train_extra: [one], train_sft: [one] }]),
    ),
  },
  {
    id: "a/uneven",
    parquet: { default: { train: [pairs(), one, fileOf({ input: ["STRING", ["e"]], note: ["STRING", ["f"]] })] } },
  },
  {
    id: "a/labels",
    info: info([
      { name: "text", dtype: "string" },
      { name: "label", dtype: { class_label: { names: { "0": "calm", "1": "angry" } } } },
      null,
    ]),
    parquet: { default: { train: [fileOf({ text: ["STRING", ["x", "y", "z"]], label: ["INT32", [0, 1, -1]] })] } },
  },
  {
    id: "a/types",
    parquet: {
      default: {
        train: [fileOf({ at: ["TIMESTAMP", [new Date(Date.UTC(1999, 4, 3, 12))]], sure: ["BOOLEAN", [true]], price: ["DOUBLE", [1.5]] })],
      },
    },
  },
  {
    id: "a/pictures-of-cats",
    parquet: {
      default: {
        train: [
          fileOf({ image: ["STRING", ["PNG"]], input: ["STRING", ["cat"]], output: ["STRING", ["tom"]] }, { image: { _type: "Image" } }),
        ],
      },
    },
  },
]
let server: HubServer
beforeAll(async () => {
  server = await startHubServer({ datasets })
})
afterAll(() => server.close())
beforeEach(() => {
  server.requests.length = 0
  server.faults.length = 0
  vi.stubEnv("HF_TOKEN", "")
})
afterEach(() => vi.unstubAllEnvs())

const quick = { backOffMilliseconds: 1, maxBackOffMilliseconds: 1 }
const open = (accessToken?: string) => huggingFaceHub({ endpoint: server.endpoint, retry: quick, accessToken })
const read = (id: string, { configuration = "default", split = "train", maxRows = 100, accessToken = "" } = {}) =>
  open(accessToken || undefined).readRows(id, { configuration, split, maxRows })
const plainRows = [
  { input: "a", output: "b" },
  { input: "c", output: "d" },
]

describe("a repository that was renamed", () => {
  test("is read by its former name, and the token goes where the hub sends it, not to the store", async () => {
    expect((await read("old/pairs")).rows).toEqual(plainRows)
    await expect(read("old/closed-pairs")).rejects.toMatchObject({
      code: "hub.no-access",
      message: expect.stringMatching(/^old\/closed-pairs is gated: accept its terms/),
    })
    await expect(read("no/pairs")).rejects.toMatchObject({ code: "hub.no-access", message: expect.stringContaining("not there at all") })
    server.requests.length = 0
    expect((await read("old/closed-pairs", { accessToken: token })).rows).toEqual(plainRows)
    expect(server.requests.map(({ to, hasToken }) => hasToken === (to === "hub"))).not.toContain(false)
  })
})

describe("sets that the hub lists no Parquet files of", () => {
  test("are read from the branch of conversions, or from their own files", async () => {
    expect((await read("a/converted", { configuration: "fr" })).rows).toEqual(plainRows)
    expect((await read("a/plain", { split: "validation" })).rows).toEqual(plainRows)
    await expect(read("a/converted", { configuration: "de" })).rejects.toMatchObject({
      code: "hub.no-such-split",
      message: expect.stringContaining("fr (partial-test, train)"),
    })
    const { cards } = await open().findDatasets("plain")
    expect(cards[0]).toMatchObject({ access: "open", configurations: [{ name: "default", splits: ["validation", "train"] }] })
  })

  test.each([
    ["default/train/0000.parquet", "default", "train"],
    ["fr/partial-train/0001.parquet", "fr", "partial-train"],
    ["data/train-00000-of-00002.parquet", "default", "train"],
    ["data/dev.parquet", "default", "validation"],
    ["fr/test.parquet", "fr", "test"],
    ["test/0.parquet", "default", "test"],
    ["rows.parquet", "default", "train"],
    ["training-set/evaluations.parquet", "default", "train"],
    ["de/validation/part-1.parquet", "de", "validation"],
  ])("%s is %s, %s", (path, configuration, split) => {
    expect(groupPaths([path], (name) => name)).toEqual({ [configuration]: { [split]: [path] } })
  })
})

describe("many configurations", () => {
  test("those that the prompt names are looked at first; what the card says and the hub has not is left out", async () => {
    const { cards } = await open().findDatasets("German from many languages")
    const { configurations } = cards.find(({ id }) => id === "a/languages")!
    expect(configurations.map(({ name }) => name)).toEqual(["german", "arabic", "bengali"])
    expect(configurations[0]).toMatchObject({ columns: ["input", "output"], splits: ["train_extra", "train_sft"], sampleRow: plainRows[0] })
  })
})

describe("files that change, and servers without ranges", () => {
  const part = "store /datasets/new/pairs/parquet"

  test("a file that was replaced while it was read is read once more, whole", async () => {
    server.faults.push({ on: part, etag: '"old"' })
    expect((await read("new/pairs")).rows).toEqual(plainRows)
    const openings = server.requests.filter(({ to, range }) => to === "store" && range === "bytes=0-0")
    expect(openings).toHaveLength(2)
  })

  test("a small file is taken whole where only that can be had", async () => {
    server.faults.push({ on: part, ignoresRange: true })
    expect((await read("new/pairs")).rows).toEqual(plainRows)
    expect(server.requests.filter(({ to }) => to === "store")).toHaveLength(1)
  })

  test("one that changes again and again is given up", async () => {
    for (let turn = 0; turn < 40; turn++) server.faults.push({ on: part, etag: `"${turn}"` })
    await expect(read("new/pairs")).rejects.toMatchObject({ code: "hub.changed-file", isRetryable: true })
  })
})

test("a file without rows, and one with other columns, beside the rest", async () => {
  expect(await read("a/uneven")).toEqual({
    columns: ["input", "output", "note"],
    rows: [...plainRows, { input: "e", note: "f" }],
  })
})

test("labels that only the card names; no label is null", async () => {
  expect((await read("a/labels")).rows.map(({ label }) => label)).toEqual(["calm", "angry", null])
  const { cards } = await open().findDatasets("labels")
  expect(cards[0].configurations).toMatchObject([
    { columns: ["text", "label"], labels: { label: ["calm", "angry"] }, sampleRow: { text: "x", label: "calm" } },
  ])
})

test("points in time are text", async () => {
  expect((await read("a/types")).rows).toEqual([{ at: "1999-05-03T12:00:00.000Z", sure: true, price: 1.5 }])
})

test("a set of pictures is shown as one, and its texts are not taken unasked", async () => {
  const spec = new PromptSpec({ instruction: "Pictures of cats", demonstrations: [{ input: "dog", output: "rex" }] })
  const candidates = await retrieveDatasets(spec, { hub: open() })
  const found = candidates.named("a/pictures-of-cats")
  expect(found).toMatchObject({ inputColumns: ["input"], outputColumn: "output", isChosen: false })
  expect(found.why).toContain("holds more than text: image (Image)")
})

test("cards that people filled in oddly keep nothing from being found", async () => {
  const features = [null, { name: 3 }, { name: "x", dtype: { class_label: { names: ["a", "b"] } } }, { name: "photo", dtype: "image" }]
  const odd: Record<string, unknown>[] = [
    { description: null, tags: null, cardData: null },
    {
      description: "odd",
      cardData: { license: ["mit", 3], dataset_info: [null, 3, { config_name: 2020, features, splits: [{ name: "t" }] }] },
    },
    { description: 5, cardData: { pretty_name: { a: 1 }, dataset_info: { features: { a: 1 }, splits: {} } } },
    { cardData: "text", tags: "text" },
  ]
  const crowd = await startHubServer({
    datasets: odd.map((info, row) => ({ id: `odd/odd-${row}`, info })),
    models: [
      {
        id: "odd/t5",
        info: { tags: ["t5", null], config: { model_type: "t5" }, cardData: { language: [false, 3, "en"], datasets: null } },
      },
      { id: "odd/shapeless", info: { tags: ["t5"], config: null } },
      { id: "odd/half", info: { tags: ["t5"], config: { model_type: "t5" }, safetensors: { parameters: null, total: 7 } } },
    ],
  })
  const hub = huggingFaceHub({ endpoint: crowd.endpoint, retry: quick })
  const listed = []
  for await (const page of hub.listDatasets!()) for (const { card } of page.entries) listed.push(card!)
  expect((await hub.findDatasets("odd")).cards).toHaveLength(4)
  const { cards } = await hub.findModels("odd")
  await crowd.close()
  expect(listed.map(({ license }) => license).sort()).toEqual(["mit", "unknown", "unknown", "unknown"])
  expect(listed.find(({ license }) => license === "mit")?.configurations).toMatchObject([
    { name: "2020", columns: ["x"], labels: { x: ["a", "b"] }, media: { photo: "Image" } },
  ])
  expect(cards.map(({ id, languages, parameters }) => [id, languages, parameters])).toEqual(
    expect.arrayContaining([
      ["odd/t5", ["no", "en"], undefined],
      ["odd/half", [], 7],
    ]),
  )
})

describe("waiting", () => {
  test("until a date, or as long as the hub's window lasts", async () => {
    server.faults.push(
      { on: "/parquet", status: 429, headers: { "Retry-After": new Date(Date.now() - 1000).toUTCString() } },
      { on: "/parquet", status: 429, headers: { RateLimit: '"api";r=0;t=0', "RateLimit-Policy": '"fixed window";"api";q=500;w=300' } },
    )
    expect((await read("new/pairs")).rows).toEqual(plainRows)
  })

  test("not for hours", async () => {
    server.faults.push({ on: "/parquet", status: 429, headers: { "Retry-After": new Date(Date.now() + 7_200_000).toUTCString() } })
    await expect(read("new/pairs")).rejects.toMatchObject({ code: "hub.rate-limited" })
  })
})
