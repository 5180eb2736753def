// What a forward session promises on every engine: weights read where they lie, caches written in place, memory of the caller's.
import * as tf from "@tensorflow/tfjs-core"
import { expect } from "vitest"
import { compileFlexible, type Engine, type ForwardDefinition, linear, scatterRows } from "../../src/engine"
import { expectClose } from "./compare"
import { compiled, type EngineCase, rounding } from "./engine-cases"

export const forwardCases: readonly EngineCase[] = [
  { name: "follows a training, with one size and with any", check: followTraining },
  { name: "writes a cache in place, and attention reads what was written", check: writeCache },
  { name: "rounds products where it is asked to, beside a cache that it writes in place", on: rounding, check: roundProducts },
  { name: "keeps a cache of its own", check: keepCache },
  { name: "takes memory that is longer than its tensor, and values written into it", check: takeMemory },
  { name: "gives back inputs, constants, several names of one value, and all types", check: giveBack },
  { name: "tensors without values go in and out", check: passEmptyTensors },
  { name: "one row through a layer whose scale is part of the product", check: scaleProduct },
  { name: "says what does not fit", check: refuseWhatDoesNotFit },
  { name: "refuses a run after dispose", on: compiled, check: refuseAfterDispose },
]

const inputs = { x: { shape: [1, 2], dtype: "float32" } } as const

async function followTraining(engine: Engine): Promise<void> {
  const training = engine.createTrainingSession({
    parameters: { w: { shape: [2, 1], data: Float32Array.of(1, 2) } },
    loss: ({ x }, { w }) => tf.mean(tf.square(tf.sub(tf.matMul(x, w), 7))),
  })
  const forward: ForwardDefinition["forward"] = ({ x }, { w }) => ({ y: tf.matMul(x, w) })
  const { parameters } = training
  const session = engine.compileForward({ forward, inputs, parameters })
  const flexible = compileFlexible(engine, { forward, inputs: { x: { shape: ["rows", 2], dtype: "float32" } }, parameters })
  const sum = () => training.parameter("w")[0] + training.parameter("w")[1]
  const x = { x: Float32Array.of(1, 1) }
  const batch = { x: { shape: [1, 2], data: x.x } }
  expect((await session.run(x)).y).toEqual({ shape: [1, 1], data: Float32Array.of(3) })
  await training.step(batch, { learningRate: 0.5 })
  const found = (await session.run(x)).y.data[0]
  expect(found).toBeGreaterThan(3.9)
  expect(found).toBeCloseTo(sum(), 6)
  await training.step(batch, { learningRate: 0.1 })
  const later = sum()
  expect(later).not.toBeCloseTo(found, 2)
  // A run beside a step, which may have given the parameters away.
  await Promise.all([training.step(batch, { learningRate: 0 }), session.run(x)])
  const rows = { x: { shape: [3, 2], data: Float32Array.of(1, 1, 0, 0, 1, 1) } }
  expectClose((await flexible.run(rows)).y.data, [later, 0, later], "three rows")
  training.dispose()
  expect((await session.run(x)).y.data[0]).toBeCloseTo(later, 6)
  for (const each of [session, flexible]) each.dispose()
}

async function writeCache(engine: Engine): Promise<void> {
  const cache = Float32Array.from({ length: 2 * 1 * 4 * 2 }, (_, index) => index)
  const session = engine.compileForward({
    forward: ({ keys, slots, rows }) => {
      const written = scatterRows(keys, slots, rows)
      return { keys: written, sums: tf.sum(written, [2, 3]) }
    },
    inputs: {
      keys: { shape: [2, 1, 4, 2], dtype: "float32" },
      slots: { shape: [2, 3], dtype: "int32" },
      rows: { shape: [2, 1, 1, 2], dtype: "float32" },
    },
    parameters: {},
    memory: { keys: cache },
    inPlace: { keys: "keys" },
  })
  const expected = cache.slice()
  for (let position = 0; position < 3; position++) {
    const rows = Float32Array.of(10 * position, 1, 20 * position, 2)
    expected.set(rows.subarray(0, 2), position * 2)
    expected.set(rows.subarray(2), 8 + position * 2)
    const { sums } = await session.run({ slots: Int32Array.of(0, 0, position, 1, 0, position), rows })
    expect(cache).toEqual(expected)
    const sum = (from: number) => expected.subarray(from, from + 8).reduce((total, value) => total + value, 0)
    expect(Array.from(sums.data)).toEqual([sum(0), sum(8)])
  }
  expect(session.outputs.keys.data).toBe(cache)
  session.dispose()
}

/** Writes rows into slots of a cache [2, 1, 4, 2], and multiplies the rows by [1.001, 1], which bf16 rounds to [1, 1]. */
const compileCache = (engine: Engine, more: Partial<ForwardDefinition>) =>
  engine.compileForward({
    forward: ({ keys, slots, rows }, { w }) => ({ keys: scatterRows(keys, slots, rows), product: tf.matMul(rows, w) }),
    inputs: {
      keys: { shape: [2, 1, 4, 2], dtype: "float32" },
      slots: { shape: [2, 3], dtype: "int32" },
      rows: { shape: [2, 2], dtype: "float32" },
    },
    parameters: { w: { shape: [2, 1], data: Float32Array.of(1.001, 1) } },
    inPlace: { keys: "keys" },
    ...more,
  })

async function roundProducts(engine: Engine): Promise<void> {
  const cache = Float32Array.from({ length: 16 }, (_, index) => index)
  const session = compileCache(engine, { memory: { keys: cache }, precision: "bf16" })
  const { product } = await session.run({ slots: Int32Array.of(0, 0, 1, 1, 0, 3), rows: Float32Array.of(1, 2, 3, 4) })
  expect([...product.data]).toEqual([3, 7])
  const written = [0, 1, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 3, 4]
  expect([...cache]).toEqual(written)
  cache[0] = 99
  await session.run({ rows: Float32Array.of(-1, -2, 3, 4) })
  expect([...cache]).toEqual([99, 1, -1, -2, ...written.slice(4)])
  session.dispose()
}

async function keepCache(engine: Engine): Promise<void> {
  const session = compileCache(engine, {})
  session.inputs.keys.data.set([0, 1, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 3, 4])
  const rows = Float32Array.of(5, 6, 7, 8)
  await session.run({ slots: Int32Array.of(0, 0, 1, 1, 0, 3), rows })
  const { keys } = await session.run({ slots: Int32Array.of(0, 0, 0, 0, 0, 2), rows })
  expect([...keys.data]).toEqual([5, 6, 5, 6, 7, 8, 6, 7, 8, 9, 10, 11, 12, 13, 7, 8])
  session.dispose()
}

async function takeMemory(engine: Engine): Promise<void> {
  const memory = { x: Float32Array.of(1, 2, 99), y: new Float32Array(5) }
  const session = engine.compileForward({ forward: ({ x }) => ({ y: tf.mul(x, 3) }), inputs, parameters: {}, memory })
  await session.run()
  expect(memory.y).toEqual(Float32Array.of(3, 6, 0, 0, 0))
  session.inputs.x.data[0] = 5
  await session.run()
  expect(memory.y[0]).toBe(15)
  session.dispose()
}

async function giveBack(engine: Engine): Promise<void> {
  const forward: ForwardDefinition["forward"] = ({ x }) => ({
    x,
    same: x,
    twice: tf.mul(x, 2),
    again: tf.mul(x, 2),
    one: tf.ones([2]),
    big: tf.greater(x, 1),
    whole: tf.cast(x, "int32"),
    few: tf.tensor1d([0.1]),
    extreme: tf.tensor1d([Number.POSITIVE_INFINITY, 1e-42, -0]),
  })
  const session = engine.compileForward({ forward, inputs, parameters: {} })
  expect(await session.run({ x: Float32Array.of(0.5, 1.5) })).toEqual({
    x: { shape: [1, 2], data: Float32Array.of(0.5, 1.5) },
    same: { shape: [1, 2], data: Float32Array.of(0.5, 1.5) },
    twice: { shape: [1, 2], data: Float32Array.of(1, 3) },
    again: { shape: [1, 2], data: Float32Array.of(1, 3) },
    one: { shape: [2], data: Float32Array.of(1, 1) },
    big: { shape: [1, 2], data: Uint8Array.of(0, 1) },
    whole: { shape: [1, 2], data: Int32Array.of(0, 1) },
    few: { shape: [1], data: Float32Array.of(0.1) },
    extreme: { shape: [3], data: Float32Array.of(Number.POSITIVE_INFINITY, 1e-42, -0) },
  })
  session.dispose()
}

async function passEmptyTensors(engine: Engine): Promise<void> {
  const empty = { x: { shape: [0, 3], dtype: "float32" } } as const
  const session = engine.compileForward({ forward: ({ x }) => ({ y: tf.mul(x, 2), sum: tf.sum(x) }), inputs: empty, parameters: {} })
  expect(await session.run({ x: new Float32Array(0) })).toEqual({
    y: { shape: [0, 3], data: new Float32Array(0) },
    sum: { shape: [], data: Float32Array.of(0) },
  })
  session.dispose()
}

async function scaleProduct(engine: Engine): Promise<void> {
  const parameters = { w: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }, b: { shape: [3], data: Float32Array.of(1, 1, 1) } }
  const session = engine.compileForward({ forward: ({ x }, { w, b }) => ({ y: linear(tf.mul(x, 0.5), w, b) }), inputs, parameters })
  expect(Array.from((await session.run({ x: Float32Array.of(2, 4) })).y.data)).toEqual([10, 13, 16])
  session.dispose()
}

async function refuseWhatDoesNotFit(engine: Engine): Promise<void> {
  const forward: ForwardDefinition["forward"] = ({ x }) => ({ y: tf.mul(x, 2) })
  const compile = (more: object) => () => engine.compileForward({ forward, inputs, parameters: {}, ...more })
  expect(compile({ memory: { z: new Float32Array(2) } })).toThrow("Memory is given for z, which is no input and no output.")
  expect(compile({ memory: { y: new Float32Array(1) } })).toThrow("The memory given for y does not hold float32 [1, 2].")
  expect(compile({ memory: { x: new Int32Array(2) } })).toThrow("The memory given for x does not hold float32 [1, 2].")
  expect(compile({ inPlace: { z: "x" } })).toThrow("There is no output z to write in place.")
  expect(compile({ inPlace: { y: "z" } })).toThrow("The output y cannot be written in place of z")
  const session = compile({})()
  await expect(session.run({ x: new Float32Array(3) })).rejects.toThrow("The input x got 3 float32 values and needs 2 of float32.")
  await expect(session.run({ z: new Float32Array(2) })).rejects.toThrow("There is no input z; the inputs are x.")
  session.dispose()
}

async function refuseAfterDispose(engine: Engine): Promise<void> {
  const session = engine.compileForward({ forward: ({ x }) => ({ y: tf.mul(x, 2) }), inputs, parameters: {} })
  session.dispose()
  await expect(session.run({ x: new Float32Array(2) })).rejects.toMatchObject({ code: "engine.disposed" })
}
