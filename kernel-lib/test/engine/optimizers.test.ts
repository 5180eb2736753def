// Adafactor and AdamW against transformers and PyTorch (make_golden.py), and what must hold for any optimizer.
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { assemble } from "../../scripts/build-wasm.mjs"
import { Random } from "../../src/core/random"
import type { NamedParameters, OptimizerOptions } from "../../src/engine"
import { adafactorModule } from "../../src/engine/optimizers/adafactor.wasm"
import { makeOptimizer } from "../../src/engine/optimizers/make-optimizer"
import { sizeOf } from "../../src/engine/recording"
import { expectClose } from "./compare"

const { optimizers: golden } = JSON.parse(readFileSync(new URL("golden/training.json", import.meta.url), "utf8"))

const open = (parameters: NamedParameters, optimizer: OptimizerOptions, frozen: readonly string[] = []) =>
  makeOptimizer({ parameters, optimizer, frozen, loss: () => expect.fail("an optimizer needs no loss") })

const random = new Random("optimizers")
const makeParameters = (shapes: Record<string, readonly number[]>): NamedParameters =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()) },
    ]),
  )

const kinds: readonly OptimizerOptions["kind"][] = ["adamw", "adafactor"]

test.each([
  ["adafactor", 0, { kind: "adafactor" }],
  ["adafactor warmupInit", 0, { kind: "adafactor", warmupInit: true }],
  ["adafactor as the Trainer", 0.02, { kind: "adafactor", scaleParameter: false, relativeStep: false }],
  [
    "adafactor scaled rate, decay, other clipping",
    0.02,
    {
      kind: "adafactor",
      relativeStep: false,
      weightDecay: 0.1,
      clipThreshold: 0.5,
      decayRate: -0.6,
      gradientEpsilon: 1e-20,
      parameterEpsilon: 0.1,
    },
  ],
  ["adafactor clipped gradients", 0.02, { kind: "adafactor", relativeStep: false, maxGradientNorm: 0.7 }],
  ["adamw", 0.02, {}],
  ["adamw clipped gradients", 0.02, { weightDecay: 0.2, beta1: 0.8, beta2: 0.95, maxGradientNorm: 0.7 }],
] as [string, number, OptimizerOptions][])("ten steps give what Python gives: %s", async (name, learningRate, options) => {
  const parameters = Object.fromEntries(
    Object.entries(golden.shapes as Record<string, number[]>).map(([key, shape]) => [
      key,
      { shape, data: Float32Array.from(golden.first[key]) },
    ]),
  )
  const optimizer = open(parameters, options)
  for (const [step, gradients] of golden.gradients.entries()) {
    for (const key of optimizer.names) optimizer.gradient(key).set(gradients[key])
    await optimizer.update(optimizer.names, learningRate)
    const expected = golden.after[name][step + 1]
    for (const key of expected ? optimizer.names : []) expectClose(optimizer.values(key), expected[key], `${key}, step ${step + 1}`, 2e-6)
  }
})

describe.each(kinds)("%s", (kind) => {
  const options = { kind, weightDecay: 0.1 } as OptimizerOptions
  const shapes = { a: [6, 9], b: [9], c: [300, 5], d: [] }

  test("parameters do not see each other: any partition of them gives the same values to the last bit", async () => {
    const parameters = makeParameters(shapes)
    const gradients = [1, 2, 3].map(() => makeParameters(shapes))
    const train = async (names: readonly string[]) => {
      const optimizer = open(Object.fromEntries(names.map((name) => [name, parameters[name]])), options)
      for (const step of gradients) {
        for (const name of names) optimizer.gradient(name).set(step[name].data)
        await optimizer.update(names, 0.01)
      }
      return names.map((name) => [name, optimizer.values(name)] as const)
    }
    const together = await train(Object.keys(shapes))
    for (const partition of [
      [["a"], ["b"], ["c"], ["d"]],
      [
        ["d", "b"],
        ["c", "a"],
      ],
      [["a", "c", "d"], ["b"]],
    ]) {
      expect(new Map((await Promise.all(partition.map(train))).flat())).toEqual(new Map(together))
    }
    for (const [name, values] of together) expect(values).not.toEqual(parameters[name].data)
  })

  test("frozen parameters are read where they lie, never written, and cost no memory", async () => {
    const parameters = makeParameters(shapes)
    const before = structuredClone(parameters)
    const optimizer = open(parameters, options, ["a", "b"])
    expect(optimizer.trainedNames).toEqual(["c", "d"])
    expect(optimizer.values("a").buffer).toBe(parameters.a.data.buffer)
    for (const name of optimizer.trainedNames) optimizer.gradient(name).fill(1)
    await optimizer.update(optimizer.trainedNames, 0.1)
    expect(parameters).toEqual(before)
    expect(optimizer.values("c")).not.toEqual(before.c.data)
    expect(Object.keys(optimizer.exportState().parameters)).toEqual(["c", "d"])
    expect(() => optimizer.gradient("a")).toThrow("There is no parameter a that is trained")
  })

  test("a step against the gradient makes a quadratic smaller, until it is at its bottom", async () => {
    const target = makeParameters({ w: [7, 10] }).w.data
    const optimizer = open({ w: { shape: [7, 10], data: new Float32Array(70) } }, {
      kind,
      weightDecay: 0,
      scaleParameter: false,
      relativeStep: false,
    } as OptimizerOptions)
    const distance = () => Math.hypot(...optimizer.values("w").map((value, i) => value - target[i]))
    const first = distance()
    for (let step = 0; step < 300; step++) {
      optimizer.gradient("w").set(optimizer.values("w").map((value, i) => value - target[i]))
      await optimizer.update(["w"], 0.05 * (1 - step / 300))
    }
    expect(distance()).toBeLessThan(first / 50)
  })

  test("a step takes the clipped gradient, whatever its length was", async () => {
    const parameters = makeParameters(shapes)
    const train = async (factor: number) => {
      const optimizer = open(parameters, { ...options, maxGradientNorm: 0.5 })
      for (const name of optimizer.names) optimizer.gradient(name).set(parameters[name].data.map((value) => value * factor))
      await optimizer.update(optimizer.names, 0.01)
      return optimizer
    }
    const [short, long] = [await train(1), await train(1000)]
    for (const name of short.names) expectClose(long.values(name), short.values(name), name, 1e-5)
  })

  test("goes on from a saved state to the last bit, and refuses the other optimizer's", async () => {
    const parameters = makeParameters(shapes)
    const gradients = [1, 2, 3, 4].map(() => makeParameters(shapes))
    const [first, second] = [open(parameters, options), open(parameters, options)]
    const step = async (optimizer: typeof first, at: number) => {
      for (const name of optimizer.names) optimizer.gradient(name).set(gradients[at][name].data)
      await optimizer.update(optimizer.names, 0.01)
    }
    for (const at of [0, 1]) await step(first, at)
    second.importState(structuredClone(first.exportState()))
    for (const at of [2, 3]) for (const optimizer of [first, second]) await step(optimizer, at)
    expect(second.exportState()).toEqual(first.exportState())
    const other = open(parameters, { kind: kinds.find((one) => one !== kind) } as OptimizerOptions)
    expect(() => other.importState(first.exportState())).toThrow("it belongs to another model, another optimizer or another choice")
  })
})

test("Adafactor keeps a row and a column of numbers for a matrix", () => {
  const { rowMoments, columnMoments, secondMoments, firstMoments } = open(makeParameters({ w: [30, 20], b: [20] }), {
    kind: "adafactor",
  }).exportState()
  expect([rowMoments?.w.length, columnMoments?.w.length, secondMoments.b.length]).toEqual([30, 20, 20])
  expect([Object.keys(firstMoments), Object.keys(secondMoments)]).toEqual([[], ["b"]])
})

test("Adafactor refuses options that make no sense", () => {
  for (const bad of [{ clipThreshold: 0 }, { decayRate: 0.8 }, { gradientEpsilon: 0 }, { weightDecay: -1 }, { maxGradientNorm: 0 }]) {
    expect(() => open(makeParameters({ w: [2, 2] }), { kind: "adafactor", ...bad })).toThrow("Adafactor needs")
  }
})

test("the WebAssembly that is shipped is its text, assembled", async () => {
  expect(adafactorModule).toBe((await assemble("adafactor")).toString("base64"))
})
