// Models of the Hugging Face hub: which are found, and how their files come and are kept.
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { config, useHub, weights } from "./hub-repositories"
import { commit, token } from "./hub-server"

const hub = useHub()

describe("findModels", () => {
  test("the architectures that students have, with size and README; gated ones are left out", async () => {
    const { cards, searched } = await hub.open().findModels("a small model for dates")
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
  const snapshot = (name: string) => join(hub.cacheFolder, `models--acme--${name}`, "snapshots", commit)

  test("downloads what a student needs, as transformers' cache has it, once", async () => {
    const folder = await hub.open().fetchModel("acme/date-t5")
    expect(folder).toBe(snapshot("date-t5"))
    expect((await readdir(folder)).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"])
    expect((await readFile(join(folder, "model.safetensors"))).equals(weights)).toBe(true)
    expect(await readFile(join(hub.cacheFolder, "models--acme--date-t5", "refs", "main"), "utf8")).toBe(commit)
    hub.server.requests.length = 0
    await hub.open().fetchModel("acme/date-t5")
    expect(hub.server.requests.filter(({ line }) => line.includes("/resolve/"))).toEqual([])
    await writeFile(join(folder, "config.json"), "{")
    await hub.open().fetchModel("acme/date-t5")
    expect(await readFile(join(folder, "config.json"), "utf8")).toBe(config)
  })

  test("all shards and their index, where the weights are in several files", async () => {
    expect((await readdir(await hub.open().fetchModel("acme/sharded"))).sort()).toEqual([
      "config.json",
      "pytorch_model-00001-of-00002.bin",
      "pytorch_model-00002-of-00002.bin",
      "pytorch_model.bin.index.json",
    ])
  })

  test("goes on where a download broke off", async () => {
    hub.server.faults.push({ on: "store /models", truncateAt: 1 })
    hub.server.faults.push({ on: "store /models", truncateAt: 100_000 })
    expect((await readFile(join(await hub.open().fetchModel("acme/date-t5"), "model.safetensors"))).equals(weights)).toBe(true)
    expect(hub.server.requests.some(({ to, range }) => to === "store" && range !== undefined && !range.startsWith("bytes=0-"))).toBe(true)
  })

  test.each(["store /models", "/resolve/"])("a file whose hash is another never counts (%s)", async (on) => {
    for (let fault = 0; fault < 10; fault++) hub.server.faults.push({ on, corrupt: true })
    await expect(hub.open().fetchModel("acme/date-t5")).rejects.toMatchObject({ code: "hub.broken-download" })
    expect(await readdir(snapshot("date-t5")).catch(() => [])).not.toContain(on === "/resolve/" ? "config.json" : "model.safetensors")
  })

  test("what cannot be had", async () => {
    await expect(hub.open().fetchModel("acme/gated-t5")).rejects.toMatchObject({ code: "hub.no-access" })
    await expect(hub.open().fetchModel("acme/empty")).rejects.toMatchObject({ code: "hub.no-weights" })
    await expect(hub.open({ accessToken: token }).fetchModel("acme/nothing")).rejects.toMatchObject({ code: "hub.no-such-model" })
    await expect(hub.open().fetchModel("acme/nothing")).rejects.toMatchObject({ code: "hub.no-access" })
    for (const name of ["../../etc", "acme/..", "a b", "acme/x?y", "a/b/c", ""])
      await expect(hub.open().fetchModel(name)).rejects.toMatchObject({ code: "hub.name" })
  })
})
