// What is written for XLA, and what is kept of it on disk; no plug-in is needed. That the programs compute what they should is tested with one.
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as tf from "@tensorflow/tfjs-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Precision } from "../../src/engine"
import { traceForward } from "../../src/engine/tracer"
import { openModule } from "../../src/engine/xla/compiled-recording"
import { ModuleBuilder } from "../../src/engine/xla/module-builder"
import { optimizeForXla } from "../../src/engine/xla/passes"
import { ProgramCache } from "../../src/engine/xla/program-cache"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xla-programs-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function writeProduct(precision: Precision, platform: string): string {
  const recording = traceForward({
    name: "product",
    inputs: { x: { shape: [2, 3], dtype: "float32" } },
    parameters: { w: { shape: [3, 4] } },
    forward: ({ x }, { w }) => ({ y: tf.add(tf.relu(tf.matMul(x, w)), 1) }),
  })
  const { module, inputs, outputs } = openModule(optimizeForXla(recording), precision, platform)
  expect(inputs.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(["input x", "parameter w"])
  return module.finish([outputs.y])
}

describe("programs", () => {
  test.each([
    ["fp32", "cuda", "HIGHEST"],
    ["tf32", "cuda", "DEFAULT"],
    ["tf32", "tpu", "HIGH"],
  ] as const)("ask for products in %s on %s as %s", (precision, platform, wanted) => {
    expect(writeProduct(precision, platform)).toContain(`precision = [${wanted}, ${wanted}]`)
  })

  test("round what products read and give in bf16, and nothing else", () => {
    const text = writeProduct("bf16", "cuda")
    expect(text).toMatch(/dot_general .*\(tensor<2x3xbf16>, tensor<3x4xbf16>\) -> tensor<2x4xbf16>/)
    expect(text).toMatch(/maximum .* : tensor<2x4xbf16>/)
    expect(text).toMatch(/add .* : tensor<2x4xf32>/)
  })

  test("say which input's memory an output takes", () => {
    const module = new ModuleBuilder()
    const [a, b] = [module.input("float32", [2]), module.input("float32", [2])]
    const text = module.finish([module.binary("add", a, b), module.unary("negate", a)], [[b, 1]])
    expect(text).toContain("%input0: tensor<2xf32>, %input1: tensor<2xf32> {tf.aliasing_output = 1 : i32}")
  })

  test("write numbers as MLIR reads them, and one value once", () => {
    const module = new ModuleBuilder()
    const values = [1, 0.1, -0, 1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const terms = values.map((value) => module.fill(value))
    expect(module.fill(0.1)).toBe(terms[1])
    expect(module.fill(0)).not.toBe(terms[2])
    const found = [...module.finish(terms).matchAll(/dense<([^>]*)>/g)].map(([, literal]) => literal)
    expect(found.slice(-1)).toEqual(["0.0e+0"])
    expect(found.slice(0, 2)).toEqual(["1.0e+0", "1.0e-1"])
    expect(found.slice(4, 7)).toEqual(["0x7FC00000", "0x7F800000", "0xFF800000"])
  })
})

describe("ProgramCache", () => {
  const bytes = Uint8Array.of(1, 2, 3)

  test("gives back what it was given, for the same program on the same device alone", async () => {
    const cache = new ProgramCache("device", join(folder, "one"))
    expect(await cache.find("program")).toBeUndefined()
    await cache.keep("program", bytes)
    expect([...(await cache.find("program"))!]).toEqual([...bytes])
    expect(await cache.find("other program")).toBeUndefined()
    expect(await new ProgramCache("other device", join(folder, "one")).find("program")).toBeUndefined()
    expect(await readdir(join(folder, "one"))).toHaveLength(1)
  })

  test.each([
    ["changed", (file: Buffer) => Buffer.concat([file.subarray(0, -1), Buffer.of(9)])],
    ["cut short", (file: Buffer) => file.subarray(0, 33)],
    ["empty", () => Buffer.alloc(0)],
  ])("forgets an entry that is %s", async (_how, damage) => {
    const place = join(folder, "damaged")
    const cache = new ProgramCache("device", place)
    await cache.keep("program", bytes)
    const [name] = await readdir(place)
    await writeFile(join(place, name), damage(await readFile(join(place, name))))
    expect(await cache.find("program")).toBeUndefined()
    expect(await readdir(place)).toEqual([])
  })

  test("keeps nothing where nothing can be written, or where it is told to", async () => {
    await writeFile(join(folder, "file"), "")
    for (const place of [join(folder, "file"), ""]) {
      const cache = new ProgramCache("device", place)
      await cache.keep("program", bytes)
      expect(await cache.find("program")).toBeUndefined()
    }
  })

  test("drops what was used longest ago when it grows too large", async () => {
    const place = join(folder, "small")
    const cache = new ProgramCache("device", place, 100)
    for (const program of ["first", "second"]) await cache.keep(program, bytes)
    const long = new Date(Date.now() - 60_000)
    for (const name of await readdir(place)) await utimes(join(place, name), long, long)
    expect(await cache.find("first")).toBeDefined()
    await cache.keep("third", bytes)
    expect(await Promise.all(["first", "second", "third"].map(async (program) => (await cache.find(program)) !== undefined))).toEqual([
      true,
      false,
      true,
    ])
  })
})
