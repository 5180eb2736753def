// The client against the real Hugging Face Hub, where LIVE_HUB=1 says that there is a network: the forms that the test server only imitates.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { openIndex } from "../../kernel-lib/src/search"
import { huggingFaceHub, indexHub } from "../../kernel-lib/src/services/hubs"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-live-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(process.env.LIVE_HUB !== "1")("huggingface.co (LIVE_HUB=1)", () => {
  const hub = huggingFaceHub({ cacheFolder: join(folder, "cache") })

  test("finds datasets with columns, and reads their rows", async () => {
    const { cards } = await hub.findDatasets("squad question answering")
    expect(cards.length).toBeGreaterThan(5)
    expect(cards.some(({ configurations }) => configurations.length > 0)).toBe(true)
    const options = { configuration: "plain_text", split: "validation", maxRows: 3 }
    const { columns, rows } = await hub.readRows("rajpurkar/squad", options)
    expect(columns).toEqual(expect.arrayContaining(["context", "question", "answers"]))
    expect(rows).toHaveLength(3)
  })

  test("finds models, and downloads a small one", async () => {
    const { cards } = await hub.findModels("a small text to text model")
    expect(cards.some(({ architecture }) => architecture === "t5")).toBe(true)
    expect(await hub.fetchModel("hf-internal-testing/tiny-random-t5")).toContain("snapshots")
  })

  test("lists newest changes first, goes on behind a page, and keeps an index of what it listed", async () => {
    const pages = []
    for await (const page of hub.listDatasets!()) {
      pages.push(page)
      if (pages.length === 2) break
    }
    expect(pages[0].next).toBeDefined()
    const changes = pages[0].entries.map(({ changedAt }) => changedAt)
    expect(changes).toEqual([...changes].sort().reverse())
    const since = changes[Math.min(20, changes.length - 1)]
    const some = { ...hub, listDatasets: (options = {}) => hub.listDatasets!({ changedSince: since, ...options }) }
    const { datasets } = await indexHub(some, { folder: join(folder, "index"), what: ["datasets"], minDownloads: 0, minWords: 1 })
    expect(datasets?.listed).toBeGreaterThan(0)
    const index = await openIndex(join(folder, "index", "datasets"))
    expect(index.count).toBe(datasets?.cards)
    index.close()
  })
})
