import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isPrompt2ModelError } from "../../src/core/errors"
import { countNumbers, listWeights, type TensorEntry, WeightReader } from "../../src/students/safetensors"
import { listTorchTensors } from "../../src/students/torch-checkpoint"

const golden = fileURLToPath(new URL("./golden-torch", import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "torch-"))
})
afterAll(() => rm(folder, { recursive: true }))

type Described = Record<string, { shape: number[]; bits: number[] }>

/** Every tensor's shape, and its numbers as the bits of 32-bit floats. */
async function readAll(entries: ReadonlyMap<string, TensorEntry>): Promise<Described> {
  const reader = new WeightReader()
  try {
    const described: Described = {}
    for (const [name, entry] of entries) {
      const data = new Float32Array(countNumbers(entry.shape))
      await reader.readInto(entry, data)
      described[name] = { shape: [...entry.shape], bits: [...new Int32Array(data.buffer)] }
    }
    return described
  } finally {
    await reader.close()
  }
}

async function readGolden(name: string): Promise<Described> {
  return JSON.parse(await readFile(join(golden, name), "utf8"))
}

describe("a torch file", () => {
  it("gives torch's numbers: every type, views, shared storages, scalars and empty tensors", async () => {
    const expected = await readGolden("golden.json")
    const tensors = await readAll(await listWeights(golden))
    expect(Object.keys(tensors)).toEqual(Object.keys(expected))
    for (const name of Object.keys(expected)) expect(tensors[name], name).toEqual(expected[name])
  })

  it("is read in shards as its index says, in the pickles of protocol 2 and 4", async () => {
    expect(await readAll(await listWeights(join(golden, "sharded")))).toEqual(await readGolden("sharded/golden.json"))
  })

  it("is read when it is a zip64 archive, as one over 4 GiB is", async () => {
    const expected = await readGolden("sharded/golden.json")
    expect(await readAll(await listTorchTensors(join(golden, "zip64.bin")))).toEqual({
      "0.weight": expected["0.weight"],
      "0.bias": expected["0.bias"],
    })
  })

  it("runs nothing that stands in it", async () => {
    await expect(listTorchTensors(join(golden, "hostile.bin"))).rejects.toMatchObject({
      name: "InputError",
      code: "weights.unsafe",
      message: expect.stringMatching(/asks for "posix\.system".*nothing of it was run/),
    })
    await expect(stat("hostile-was-here")).rejects.toMatchObject({ code: "ENOENT" })
  })

  it("of another kind is refused with the remedy", async () => {
    const rejected = (name: string) => expect(listTorchTensors(join(golden, name))).rejects
    await rejected("before-1.6.bin").toMatchObject({ code: "weights.type", message: expect.stringMatching(/save it again/) })
    await rejected("float8.bin").toMatchObject({ code: "weights.type", message: expect.stringMatching(/safetensors/) })
    await rejected("nested.bin").toMatchObject({ code: "weights.damaged", message: expect.stringMatching(/state_dict\(\) alone/) })
    await rejected("golden.json").toMatchObject({ code: "weights.damaged", message: expect.stringMatching(/no torch file/) })
  })

  it("gives way to safetensors in the same folder", async () => {
    await copyFile(join(golden, "pytorch_model.bin"), join(folder, "pytorch_model.bin"))
    await writeFile(join(folder, "model.safetensors"), "short")
    await expect(listWeights(folder)).rejects.toThrow(/header is longer/)
  })

  it("whose index points out of its folder is refused", async () => {
    const indexed = join(folder, "indexed")
    await mkdir(indexed)
    await writeFile(join(indexed, "pytorch_model.bin.index.json"), JSON.stringify({ weight_map: { a: "../pytorch_model.bin" } }))
    await expect(listWeights(indexed)).rejects.toMatchObject({ code: "weights.damaged" })
  })
})

describe("a damaged torch file", () => {
  const shard = "sharded/pytorch_model-00001-of-00002.bin"

  /** What is read from `bytes`, or undefined when they are refused with a sentence. */
  async function readDamaged(bytes: Uint8Array): Promise<Described | undefined> {
    const path = join(folder, "damaged.bin")
    await writeFile(path, bytes)
    try {
      return await readAll(await listTorchTensors(path))
    } catch (error) {
      if (!isPrompt2ModelError(error) || !error.code.startsWith("weights.")) throw error
      return undefined
    }
  }

  it("is refused or read right, whichever bits are flipped", async () => {
    const whole = await readFile(join(golden, shard))
    const expected = await readDamaged(whole)
    expect(Object.keys(expected!)).toEqual(["0.weight", "0.bias"])
    const flip = fc.record({ at: fc.nat(whole.length - 1), bit: fc.nat(7) })
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
        const bytes = Buffer.from(whole)
        for (const { at, bit } of flips) bytes[at] ^= 1 << bit
        const found = await readDamaged(bytes)
        if (found) expect(found).toEqual(expected)
        else refused++
      }),
      { numRuns: 400 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  it("is refused wherever it was cut off", async () => {
    const whole = await readFile(join(golden, shard))
    for (let length = 0; length < whole.length; length += 13)
      expect(await readDamaged(whole.subarray(0, length)), `${length}`).toBeUndefined()
  })
})
