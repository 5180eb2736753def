import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  countNumbers,
  listTensors,
  listWeights,
  type NamedTensor,
  WeightReader,
  writeSafetensors,
  writeWeights,
} from "../../src/students/safetensors"
import { goldenFolder, readGolden } from "./golden"

const python = process.env.PYTHON_WITH_TRANSFORMERS
const script = fileURLToPath(new URL("./make_golden.py", import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safetensors-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** A file with this header, and `bytes` of data. */
async function writeHeader(header: unknown, bytes: number): Promise<string> {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const path = join(folder, "model.safetensors")
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(bytes)]))
  return path
}

const tensor = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") => ({ dtype, shape, data_offsets: [begin, end] })

describe("WeightReader", () => {
  it("widens F16 and BF16 exactly, subnormal, infinite and signed zeros too", async () => {
    const expected: Record<string, number[]> = JSON.parse(await readFile(join(goldenFolder("dtypes"), "golden.json"), "utf8"))
    const reader = new WeightReader()
    const entries = await listWeights(goldenFolder("dtypes"))
    expect([...entries.keys()].sort()).toEqual(["BF16", "F16", "F32"])
    for (const [name, entry] of entries) {
      const values = new Float32Array(12)
      await reader.readInto(entry, values)
      expect([...new Int32Array(values.buffer)], name).toEqual(expected[name])
    }
    await reader.close()
  })

  it("refuses a type that it does not know how to widen", async () => {
    const entries = await listTensors(await writeHeader({ ids: tensor(0, 2, [2], "F8_E4M3") }, 2))
    await expect(new WeightReader().readInto(entries.get("ids")!, new Float32Array(2))).rejects.toMatchObject({ code: "weights.type" })
  })
})

describe("writeSafetensors", () => {
  it("writes what is read back bit by bit, scalars and empty tensors too", async () => {
    const path = join(folder, "written.safetensors")
    const memory = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i) * 10 ** (i % 20))
    const tensors = [
      { name: "b", shape: [2, 3], data: memory.subarray(7, 13) },
      { name: "a", shape: [], data: memory.subarray(0, 1) },
      { name: "c", shape: [0, 4], data: new Float32Array(0) },
    ]
    await writeSafetensors(path, tensors, { made: "here" })
    const entries = await listTensors(path)
    const reader = new WeightReader()
    for (const { name, shape, data } of tensors) {
      expect(entries.get(name)).toMatchObject({ dtype: "F32", shape })
      const read = new Float32Array(data.length)
      await reader.readInto(entries.get(name)!, read)
      expect(read).toEqual(data)
    }
    await reader.close()
    const raw = await readFile(path)
    expect(Number(raw.readBigUInt64LE()) % 8).toBe(0)
    expect(raw.toString("latin1", 8, 200)).toContain('"__metadata__":{"format":"pt","made":"here"}')
  })
})

describe("writeWeights", () => {
  const tensors = Array.from({ length: 5 }, (_, i) => ({
    name: `layer.${i}`,
    shape: [3, i + 1],
    data: Float32Array.from({ length: 3 * (i + 1) }, (_, k) => i + k / 8),
  }))

  it("divides a large model into files with an index, and a tensor never", async () => {
    const sharded = await mkdtemp(join(folder, "divided-"))
    await writeWeights(sharded, tensors, { maxShardBytes: 40 })
    const index = JSON.parse(await readFile(join(sharded, "model.safetensors.index.json"), "utf8"))
    expect(index).toEqual({
      metadata: { total_size: 180 },
      weight_map: {
        "layer.0": "model-00001-of-00004.safetensors",
        "layer.1": "model-00001-of-00004.safetensors",
        "layer.2": "model-00002-of-00004.safetensors",
        "layer.3": "model-00003-of-00004.safetensors",
        "layer.4": "model-00004-of-00004.safetensors",
      },
    })
    const entries = await listWeights(sharded)
    const reader = new WeightReader()
    for (const { name, data } of tensors) {
      const read = new Float32Array(data.length)
      await reader.readInto(entries.get(name)!, read)
      expect(read).toEqual(data)
    }
    await reader.close()
  })

  it("writes a model that fits into one file without an index", async () => {
    const single = await mkdtemp(join(folder, "single-"))
    await writeWeights(single, tensors, { maxShardBytes: 180 })
    expect(await readdir(single)).toEqual(["model.safetensors"])
    await writeWeights(single, [])
    expect((await listWeights(single)).size).toBe(0)
  })
})

describe.skipIf(!python)("transformers, given weights in several files (PYTHON_WITH_TRANSFORMERS)", () => {
  it("answers as with those in one", async () => {
    const sharded = await mkdtemp(join(folder, "python-"))
    await cp(goldenFolder("relu-tied"), sharded, { recursive: true, filter: (path) => !path.endsWith(".safetensors") })
    const entries = await listWeights(goldenFolder("relu-tied"))
    const reader = new WeightReader()
    const weights: NamedTensor[] = []
    for (const { name, shape } of entries.values()) {
      const data = new Float32Array(countNumbers(shape))
      await reader.readInto(entries.get(name)!, data)
      weights.push({ name, shape, data })
    }
    await reader.close()
    await writeWeights(sharded, weights, { maxShardBytes: 12_000 })
    expect((await readdir(sharded)).filter((name) => name.endsWith(".safetensors")).length).toBeGreaterThan(3)
    const { stdout } = await promisify(execFile)(python!, [script, "--check", sharded], { maxBuffer: 2 ** 24 })
    const { greedy } = JSON.parse(stdout.slice(stdout.indexOf("{")))
    expect(greedy).toEqual(readGolden("relu-tied").texts)
  }, 120_000)
})

describe("listTensors refuses", () => {
  const damages: [string, unknown, number, RegExp][] = [
    ["overlapping tensors", { a: tensor(0, 8), b: tensor(4, 12) }, 12, /b overlaps/],
    ["a hole", { a: tensor(0, 8), b: tensor(12, 16) }, 16, /hole/],
    ["offsets past the end", { a: tensor(0, 80) }, 8, /ends before/],
    ["bytes after the last tensor", { a: tensor(0, 8) }, 12, /goes on/],
    ["a shape that does not fit its bytes", { a: tensor(0, 8, [3]) }, 8, /bytes as its shape/],
    ["a negative size", { a: tensor(0, 8, [-2]) }, 8, /valid shape/],
    ["offsets that go backwards", { a: tensor(8, 0, [2]) }, 8, /bytes as its shape/],
    ["a shape too large for any file", { a: tensor(0, 8, [2 ** 31, 2 ** 31]) }, 8, /bytes as its shape/],
    ["an unknown type", { a: tensor(0, 8, [2], "constructor") }, 8, /unknown type/],
    ["an entry that is none", { a: 3 }, 0, /unknown type/],
    ["a header that is no object", [], 0, /no JSON object/],
    ["a header that is no JSON", "{", 0, /cannot be read/],
  ]
  it.each(damages)("%s", async (_, header, bytes, message) => {
    const path = await writeHeader(header, bytes)
    await expect(listTensors(path)).rejects.toMatchObject({ code: "weights.damaged", message: expect.stringMatching(message) })
  })

  it("a header longer than the file, and a file of less than eight bytes", async () => {
    const path = await writeHeader({ a: tensor(0, 8) }, 8)
    await truncate(path, 20)
    await expect(listTensors(path)).rejects.toThrow(/longer than the file/)
    await truncate(path, 3)
    await expect(listTensors(path)).rejects.toThrow(/longer than the file/)
  })
})

describe("listWeights", () => {
  it("finds every tensor of a sharded model", async () => {
    const entries = await listWeights(goldenFolder("gated-untied"))
    expect(new Set([...entries.values()].map((entry) => entry.path)).size).toBe(6)
    expect(entries.get("lm_head.weight")!.shape).toEqual([47, 20])
  })

  it("refuses an index that points out of its folder or at nothing", async () => {
    const index = join(folder, "sharded")
    await mkdir(index)
    for (const shard of ["../model.safetensors", "/etc/passwd", "missing.safetensors"]) {
      await writeFile(join(index, "model.safetensors.index.json"), JSON.stringify({ weight_map: { a: shard } }))
      await expect(listWeights(index)).rejects.toMatchObject({ code: "weights.damaged" })
    }
  })

  it("says what is missing", async () => {
    const empty = await mkdtemp(join(folder, "empty-"))
    await expect(listWeights(empty)).rejects.toMatchObject({ code: "weights.missing" })
    await writeFile(join(empty, "pytorch_model.bin"), "")
    await expect(listWeights(empty)).rejects.toThrow(/no torch file/)
  })
})
