// Downloads of models that were renamed, that another process began, or that break off.
import { spawnSync } from "node:child_process"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { useHub } from "./hub-repositories"
import { commit, token } from "./hub-server"

const weights = Buffer.from(Array.from({ length: 90_000 }, (_, at) => at % 251))
const name = "model.safetensors"
const renamed = {
  ...{ id: "new/t5", formerly: ["old/t5"], info: { tags: ["t5"], config: { model_type: "t5" } } },
  ...{ files: { "config.json": "{}", [name]: weights }, large: [name] },
}

const hub = useHub({ models: [renamed] })

test("a model is downloaded by its former name, and the token stays with the hub", async () => {
  const folder = await hub.open({ accessToken: token }).fetchModel("old/t5")
  expect((await readFile(join(folder, "model.safetensors"))).equals(weights)).toBe(true)
  expect(hub.server.requests.some(({ to, hasToken }) => to === "store" && hasToken)).toBe(false)
})

describe("a download that another process began", () => {
  const snapshot = () => join(hub.cacheFolder, "models--new--t5", "snapshots", commit)
  const deadProcess = spawnSync(process.execPath, ["-e", ""]).pid
  const leave = async (process: number, bytes: Uint8Array) => {
    await mkdir(snapshot(), { recursive: true })
    await writeFile(join(snapshot(), `.${name}.${process}.00c0ffee.part`), bytes)
  }
  const ranges = () => hub.server.requests.flatMap(({ to, range }) => (to === "store" ? [range] : []))
  const expectWhole = async () => {
    await hub.open().fetchModel("new/t5")
    expect((await readFile(join(snapshot(), name))).equals(weights)).toBe(true)
  }

  test("goes on where that one stopped, and leaves nothing", async () => {
    await leave(deadProcess, weights.subarray(0, 60_000))
    await expectWhole()
    expect(ranges()).toEqual(["bytes=60000-"])
    expect((await readdir(snapshot())).sort()).toEqual(["config.json", name])
  })

  test("begins anew where its bytes are others", async () => {
    await leave(deadProcess, Buffer.alloc(60_000))
    await expectWhole()
    expect(ranges()).toEqual(["bytes=60000-", undefined])
  })

  test("begins anew where its bytes are too many", async () => {
    await leave(deadProcess, Buffer.alloc(100_000))
    await expectWhole()
  })

  test("leaves alone what a process that is at work writes", async () => {
    await leave(process.ppid, weights.subarray(0, 60_000))
    await expectWhole()
    expect(ranges()).toEqual([undefined])
    expect(await readdir(snapshot())).toContain(`.${name}.${process.ppid}.00c0ffee.part`)
  })

  test("goes on after a failure of its own, also on a server that knows no ranges", async () => {
    for (let turn = 0; turn < 4; turn++) hub.server.faults.push({ on: "store /models", truncateAt: turn === 0 ? 50_000 : 0 })
    hub.server.faults.push({ on: "store /models", truncateAt: 0 })
    await expect(hub.open().fetchModel("new/t5")).rejects.toMatchObject({ code: "hub.broken-download" })
    hub.server.faults.length = 0
    hub.server.faults.push({ on: "store /models", ignoresRange: true })
    hub.server.requests.length = 0
    await expectWhole()
    expect(ranges()).toEqual(["bytes=50000-"])
  })

  test("twice at once in one process", async () => {
    const folders = await Promise.all([hub.open().fetchModel("new/t5"), hub.open().fetchModel("old/t5"), hub.open().fetchModel("new/t5")])
    for (const folder of folders) expect((await readFile(join(folder, name))).equals(weights)).toBe(true)
  })
})
