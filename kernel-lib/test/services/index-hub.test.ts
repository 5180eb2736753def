// indexHub against a server that lists as the hub does: filters, refreshes, interruptions and faults, and searching in what it made.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { DatasetCard } from "../../src/core/hub"
import { openIndex } from "../../src/search"
import { bundledHub, huggingFaceHub, indexHub } from "../../src/services/hubs"
import { type HubRepository, type HubServer, startHubServer } from "./hub-server"

const home = mkdtempSync(join(tmpdir(), "prompt2model-hub-index-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const dataset = (name: string, day: number, info: Record<string, unknown> = {}): HubRepository => ({
  id: `acme/${name}`,
  info: {
    description: `A dataset of ${name} and more ${name}`,
    lastModified: `2026-01-${String(day).padStart(2, "0")}T00:00:00.000Z`,
    ...info,
  },
})
const model = (name: string, tag: string, info: Record<string, unknown> = {}): HubRepository => ({
  id: `acme/${name}`,
  info: { tags: [tag], config: { model_type: tag }, ...info },
})

let datasets: HubRepository[]
const models = [
  model("one-t5", "t5"),
  model("two-t5", "t5"),
  model("rare-t5", "t5", { downloads: 2 }),
  model("a-llama", "llama"),
  model("shut-bert", "bert", { gated: "auto" }),
]
let server: HubServer
let folder: string
let number = 0
beforeEach(async () => {
  vi.stubEnv("HF_TOKEN", "")
  datasets = [
    dataset("dates", 9, { downloads: 500 }),
    dataset("birds", 8, { gated: "auto" }),
    dataset("rivers", 7, { private: true }),
    dataset("short", 6, { description: "too short" }),
    dataset("unused", 5, { downloads: 3 }),
    dataset("dates-copy", 4, { description: "A dataset of dates and more dates" }),
    dataset("coins", 3),
  ]
  server = await startHubServer({ datasets, models })
  folder = join(home, String(number++))
})
afterEach(async () => {
  await server.close()
  vi.unstubAllEnvs()
})

const open = (options = {}) =>
  huggingFaceHub({ endpoint: server.endpoint, retry: { maxTries: 3, backOffMilliseconds: 1, maxBackOffMilliseconds: 1 }, ...options })
const listed = () =>
  server.requests.filter(({ line }) => line.startsWith("GET /api/datasets?")).map(({ line }) => Number(/cursor=(\d+)/.exec(line)?.[1] ?? 0))
const idsIn = async (what: string) => {
  const index = await openIndex<DatasetCard>(join(folder, what))
  const ids = ["dates", "birds", "rivers", "short", "unused", "dates-copy", "coins", "stars", "one-t5", "two-t5", "rare-t5", "a-llama"]
  const present = ids.filter((id) => index.get(`acme/${id}`))
  index.close()
  return present
}

describe("a first listing", () => {
  test("keeps what upstream keeps, says what it left out, and leaves nothing beside the indexes", async () => {
    const { datasets, models } = await indexHub(open(), { folder })
    expect(datasets).toMatchObject({
      ...{ listed: 7, cards: 4, isFull: true },
      filtered: { "no description": 1, "few downloads": 1, "repeated description": 1 },
    })
    expect(models).toMatchObject({ listed: 5, cards: 3, filtered: { "few downloads": 1, "closed or unknown": 1 } })
    expect(await idsIn("datasets")).toEqual(["dates", "birds", "rivers", "coins"])
    expect(await idsIn("models")).toEqual(["one-t5", "two-t5", "a-llama"])
    expect(readdirSync(folder).sort()).toEqual(["datasets", "hub.json", "models"])
  })

  test("its limits can be others", async () => {
    const { datasets } = await indexHub(open(), { folder, what: ["datasets"], minWords: 2, minDownloads: 0 })
    expect(datasets).toMatchObject({ cards: 6, filtered: { "repeated description": 1 } })
  })

  test("a hub without a listing is taken as it is", async () => {
    const hub = bundledHub()
    const { datasets } = await indexHub(hub, { folder, what: ["datasets"] })
    expect(datasets?.cards).toBe((await hub.findDatasets("")).cards.length)
  })
})

describe("going on", () => {
  test("after a hub that gave up, behind the last page that came", async () => {
    for (let fault = 0; fault < 20; fault++) server.faults.push({ on: "cursor=3", status: 503 })
    await expect(indexHub(open(), { folder, what: ["datasets"] })).rejects.toMatchObject({ code: "hub.out-of-order" })
    server.faults.length = 0
    server.requests.length = 0
    expect((await indexHub(open(), { folder, what: ["datasets"] })).datasets).toMatchObject({ listed: 7, cards: 4 })
    expect(listed()).toEqual([3, 4, 5, 6])
  })

  test("from the start where the hub no longer knows the place to go on at", async () => {
    for (let fault = 0; fault < 20; fault++) server.faults.push({ on: "cursor=3", status: 503 })
    await expect(indexHub(open(), { folder, what: ["datasets"] })).rejects.toMatchObject({ code: "hub.out-of-order" })
    server.faults.splice(0, 20, { on: "cursor=3", status: 400 })
    server.requests.length = 0
    expect((await indexHub(open(), { folder, what: ["datasets"] })).datasets).toMatchObject({ listed: 7, cards: 4 })
    expect(listed()).toEqual([3, 0, 1, 2, 3, 4, 5, 6])
  })

  test("after an interrupt, also among the models of several architectures", async () => {
    const controller = new AbortController()
    let pages = 0
    const onProgress = () => ++pages === 3 && controller.abort()
    await expect(indexHub(open(), { folder, what: ["models"], signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "run.interrupted",
    })
    server.requests.length = 0
    expect((await indexHub(open(), { folder, what: ["models"] })).models).toMatchObject({ listed: 5, cards: 3 })
    expect(server.requests.some(({ line }) => line.includes("filter=t5") && !line.includes("cursor"))).toBe(false)
    expect(server.requests.some(({ line }) => line.includes("filter=distilbert"))).toBe(true)
  })
})

describe("a refresh", () => {
  test("lists only what was changed, takes in what is new, lets go of what no longer passes", async () => {
    await indexHub(open(), { folder, what: ["datasets"] })
    datasets.push(dataset("stars", 20))
    datasets[0] = dataset("dates", 21, { description: "Only dates now, and nothing else" })
    datasets[6] = dataset("coins", 22, { downloads: 1 })
    server.requests.length = 0
    expect((await indexHub(open(), { folder, what: ["datasets"] })).datasets).toMatchObject({ listed: 3, cards: 4, isFull: false })
    expect(listed()).toEqual([0, 1, 2, 3])
    expect(await idsIn("datasets")).toEqual(["dates", "birds", "rivers", "stars"])
    const index = await openIndex<DatasetCard>(join(folder, "datasets"))
    expect(index.get("acme/dates")?.description).toBe("Only dates now, and nothing else")
    index.close()
  })

  test("what the hub no longer has leaves with a full one, and other limits ask for a full one", async () => {
    await indexHub(open(), { folder, what: ["datasets"] })
    datasets.shift()
    expect((await indexHub(open(), { folder, what: ["datasets"] })).datasets).toMatchObject({ cards: 4, isFull: false })
    expect((await indexHub(open(), { folder, what: ["datasets"], isFull: true })).datasets).toMatchObject({ cards: 4, isFull: true })
    expect(await idsIn("datasets")).toEqual(["birds", "rivers", "dates-copy", "coins"])
    expect((await indexHub(open(), { folder, what: ["datasets"], minDownloads: 11 })).datasets).toMatchObject({ cards: 0, isFull: true })
  })
})

describe("a hub that is not well", () => {
  test("is waited for where it asks so, and a page that broke off is read again", async () => {
    server.faults.push(
      { on: "cursor=1", status: 429, headers: { RateLimit: '"api";r=0;t=0' } },
      { on: "cursor=2", status: 429, headers: { "Retry-After": "0" } },
      { on: "cursor=3", hangUp: true },
      { on: "cursor=4", truncateAt: 20 },
    )
    expect((await indexHub(open(), { folder, what: ["datasets"] })).datasets).toMatchObject({ listed: 7, cards: 4 })
    expect(server.faults).toEqual([])
  })

  test("says so where it sends no listing, and keeps the index that was there", async () => {
    await indexHub(open(), { folder, what: ["datasets"] })
    server.faults.push({ on: "/api/datasets", text: "<html>" })
    await expect(indexHub(open(), { folder, what: ["datasets"], isFull: true })).rejects.toMatchObject({ code: "hub.garbled-answer" })
    expect(await idsIn("datasets")).toEqual(["dates", "birds", "rivers", "coins"])
  })
})

describe("searching in the index", () => {
  test("sends no word of the prompt, and shows what is closed as such", async () => {
    await indexHub(open(), { folder })
    server.requests.length = 0
    const hub = open({ index: folder })
    const { cards, searched } = await hub.findDatasets("Watch birds by rivers")
    expect(searched).toBe(4)
    expect(cards.map(({ id, access }) => [id, access]).sort()).toEqual([
      ["acme/birds", "gated"],
      ["acme/rivers", "private"],
    ])
    expect((await hub.findModels("llama for birds")).cards[0].id).toBe("acme/a-llama")
    expect(server.requests.some(({ line }) => /search=|bird/.test(line))).toBe(false)
    expect(hub.identity).toContain(open().identity)
    expect(hub.identity).not.toBe(open().identity)
  })

  test("needs an index of this hub", async () => {
    expect(() => open({ index: folder })).toThrow(/holds no index of a hub/)
    await indexHub(open(), { folder, what: ["datasets"] })
    expect(() => huggingFaceHub({ endpoint: "https://elsewhere.example", index: folder })).toThrow(/another hub/)
    const other = huggingFaceHub({ endpoint: "https://elsewhere.example" })
    await expect(indexHub(other, { folder })).rejects.toMatchObject({ code: "index.other-hub" })
    writeFileSync(join(folder, "hub.json"), readFileSync(join(folder, "hub.json"), "utf8").slice(0, 20))
    expect(() => open({ index: folder })).toThrow(/holds no index of a hub/)
    await expect(indexHub(open(), { folder })).rejects.toMatchObject({ code: "index.other-hub" })
  })
})

describe("a folder that another process works in", () => {
  const lock = (id: number, host = hostname()) => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, ".lock"), `${id} ${host}`)
  }

  test("is left to it, on this machine and on others", async () => {
    for (const [id, host] of [[process.ppid], [1, "another-machine"]] as const) {
      lock(id, host)
      await expect(indexHub(open(), { folder })).rejects.toMatchObject({ code: "index.busy", message: expect.stringContaining(".lock") })
      expect(readdirSync(folder)).toEqual([".lock"])
    }
    expect(server.requests).toEqual([])
  })

  test("is taken over from one that was killed", async () => {
    lock(spawnSync(process.execPath, ["-e", ""]).pid)
    expect((await indexHub(open(), { folder, what: ["datasets"] })).datasets?.cards).toBe(4)
    expect(readdirSync(folder).sort()).toEqual(["datasets", "hub.json"])
  })
})

test("a listing whose pages lead back to themselves ends", async () => {
  const page = JSON.stringify([{ _id: "1", id: "acme/one", downloads: 20, likes: 0, lastModified: "2026-01-01T00:00:00.000Z" }])
  const circle = createServer((request, response) => {
    const next = request.url?.includes("cursor=b") ? "a" : "b"
    response
      .writeHead(200, {
        "content-type": "application/json",
        link: `<http://${request.headers.host}/api/datasets?cursor=${next}>; rel="next"`,
      })
      .end(page)
  })
  await new Promise<void>((ready) => circle.listen(0, "127.0.0.1", ready))
  const { port } = circle.address() as AddressInfo
  const hub = huggingFaceHub({ endpoint: `http://127.0.0.1:${port}` })
  await expect(indexHub(hub, { folder, what: ["datasets"] })).rejects.toMatchObject({
    code: "hub.garbled-answer",
    message: expect.stringContaining("circle"),
  })
  await new Promise((closed) => circle.close(closed))
})
