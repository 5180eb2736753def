// The Hugging Face hub's client against a server that answers as the hub does: sets, their rows, the token, and what goes wrong.
import { describe, expect, test, vi } from "vitest"
import { huggingFaceHub } from "../../src/services/hubs/hugging-face-hub"
import { dates, useHub } from "./hub-repositories"
import { startHubServer, token } from "./hub-server"

const hub = useHub()
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
    const { cards, searched } = await hub.open().findDatasets(query)
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
    expect(hub.server.requests.filter(({ line }) => line.includes("search=date")).map(({ line }) => /cursor=\d+/.exec(line)?.[0])).toEqual([
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
    const { cards } = await hub.open({ endpoint: crowded.endpoint }).findDatasets("old coins")
    await crowded.close()
    const readable = cards.filter(({ access, configurations }) => access === "open" && configurations.length > 0)
    expect(readable.map(({ id }) => id).sort()).toEqual(many.slice(0, 7).map(({ id }) => id))
    expect(cards.filter(({ access }) => access === "script").map(({ id }) => id)).toEqual(["acme/coins-script"])
  })

  test("a broken file of one dataset does not hide the others", async () => {
    hub.server.faults.push(
      { on: "store /datasets/acme/dates-to-iso", corrupt: true },
      { on: "store /datasets/acme/dates-to-iso", corrupt: true },
    )
    expect((await hub.open().findDatasets(query)).cards.length).toBeGreaterThan(3)
  })
})

describe("readRows", () => {
  test("reads as many files as it takes, by ranges", async () => {
    const { columns, rows } = await hub.open().readRows("acme/dates-to-iso", train)
    expect(columns).toEqual(["written", "iso"])
    expect(rows.map(({ written }) => written)).toEqual(Array.from({ length: 7 }, (_, index) => `day ${index + 1}`))
    expect((await hub.open().readRows("acme/dates-to-iso", { ...train, split: "test" })).rows).toHaveLength(1)
  })

  test("no file more than it needs, and never a whole one without a range", async () => {
    expect((await hub.open().readRows("acme/dates-to-iso", { ...train, maxRows: 3 })).rows).toHaveLength(3)
    expect(hub.server.requests.some(({ line }) => line.includes("/train/1"))).toBe(false)
    expect(hub.server.requests.filter(({ to }) => to === "store").every(({ range }) => range)).toBe(true)
  })

  test("leaves out columns that hold pictures", async () => {
    expect(await hub.open().readRows("acme/date-pictures", train)).toMatchObject({
      columns: ["label"],
      rows: [{ label: "a" }, { label: "b" }],
    })
  })

  test("names the configurations and splits that there are", async () => {
    await expect(hub.open().readRows("acme/dates-to-iso", { ...train, split: "dev" })).rejects.toMatchObject({
      code: "hub.no-such-split",
      message: expect.stringContaining("default (train, test)"),
    })
  })

  test("a body that breaks off is asked for again, and given up in the end", async () => {
    hub.server.faults.push(
      { on: "store /datasets", truncateAt: 1 },
      { on: "store /datasets", truncateAt: 20 },
      { on: "store /datasets", truncateAt: 20 },
    )
    expect((await hub.open().readRows("acme/dates-to-iso", train)).rows).toHaveLength(7)
    for (let fault = 0; fault < 20; fault++) hub.server.faults.push({ on: "store /datasets", truncateAt: 5 })
    await expect(hub.open().readRows("acme/dates-to-iso", train)).rejects.toMatchObject({ code: "hub.broken-download", isRetryable: true })
  })

  test("a file that is no Parquet file", async () => {
    for (let fault = 0; fault < 4; fault++) hub.server.faults.push({ on: "store /datasets", corrupt: true })
    await expect(hub.open().readRows("acme/dates-to-iso", { ...train, split: "test" })).rejects.toMatchObject({ code: "table.damaged" })
  })
})

describe("the token", () => {
  test("opens what is gated, and goes to the hub only", async () => {
    await expect(hub.open().readRows("acme/gated-dates", train)).rejects.toMatchObject({
      code: "hub.no-access",
      message: expect.stringContaining("HF_TOKEN"),
    })
    hub.server.requests.length = 0
    expect((await hub.open({ accessToken: token }).readRows("acme/gated-dates", train)).rows).toHaveLength(2)
    expect(hub.server.requests.filter(({ to }) => to === "hub").every(({ hasToken }) => hasToken)).toBe(true)
    expect(hub.server.requests.filter(({ to }) => to === "store").map(({ hasToken }) => hasToken)).not.toContain(true)
  })

  test("comes from HF_TOKEN, and stands in no error", async () => {
    vi.stubEnv("HF_TOKEN", token)
    expect((await hub.open().readRows("acme/gated-dates", train)).rows).toHaveLength(2)
    hub.server.faults.push({ on: "hub /api/datasets/acme/gated-dates", text: `{"broken": "${token}` })
    const error = await hub
      .open()
      .readRows("acme/gated-dates", train)
      .catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: "hub.garbled-answer" })
    expect((error as Error).message).not.toContain(token)
  })
})

describe("when the hub is not well", () => {
  test("429 and 5xx are waited for, then said", async () => {
    hub.server.faults.push(
      { on: "/parquet", status: 429, headers: { "Retry-After": "0" } },
      { on: "/parquet", status: 503 },
      { on: "/parquet", hangUp: true },
    )
    expect((await hub.open().readRows("acme/dates-to-iso", train)).rows).toHaveLength(7)
    for (let fault = 0; fault < 10; fault++) hub.server.faults.push({ on: "/parquet", status: 429 })
    await expect(hub.open().readRows("acme/dates-to-iso", train)).rejects.toMatchObject({
      code: "hub.rate-limited",
      status: 429,
      isRetryable: true,
    })
    hub.server.faults.length = 0
    for (let fault = 0; fault < 100; fault++) hub.server.faults.push({ on: "/api/models", status: 500 })
    await expect(hub.open().findModels(query)).rejects.toMatchObject({ code: "hub.out-of-order", status: 500 })
  })

  test("an answer that is no JSON", async () => {
    hub.server.faults.push({ on: "/api/datasets", text: "<html>" })
    await expect(hub.open().findDatasets("dates")).rejects.toMatchObject({ code: "hub.garbled-answer" })
  })

  test("nobody there: the remedy is the bundled hub", async () => {
    const gone = await startHubServer({})
    await gone.close()
    const nobody = hub.open({ endpoint: gone.endpoint })
    const unreachable = { code: "hub.unreachable", isRetryable: true, message: expect.stringContaining("--hub bundled") }
    await expect(nobody.findDatasets(query)).rejects.toMatchObject(unreachable)
    await expect(nobody.findModels(query)).rejects.toMatchObject(unreachable)
    await expect(nobody.readRows("a/b", train)).rejects.toMatchObject(unreachable)
    await expect(nobody.fetchModel("a/b")).rejects.toMatchObject(unreachable)
  })

  test("an interrupt stops at once, with its own reason", async () => {
    const reason = new Error("stop")
    const signal = AbortSignal.abort(reason)
    await expect(hub.open().findDatasets(query, { signal })).rejects.toBe(reason)
    await expect(hub.open().readRows("acme/dates-to-iso", { ...train, signal })).rejects.toBe(reason)
    await expect(hub.open().fetchModel("acme/date-t5", { signal })).rejects.toBe(reason)
  })
})
