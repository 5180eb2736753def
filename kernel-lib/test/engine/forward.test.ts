// Forward sessions: weights read where they lie, caches written in place, memory of the caller's.
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { linear, scatterRows } from "../../src/engine"
import { engines } from "./compare"

describe.each(Object.entries(engines))("on %s", (_name, engine) => {
  const inputs = { x: { shape: [1, 2], dtype: "float32" } } as const

  test("reads a training session's parameters at no copy", async () => {
    const training = engine.createTrainingSession({
      parameters: { w: { shape: [2, 1], data: Float32Array.of(1, 2) } },
      loss: ({ x }, { w }) => tf.mean(tf.square(tf.sub(tf.matMul(x, w), 7))),
    })
    const forward = engine.compileForward({ forward: ({ x }, { w }) => ({ y: tf.matMul(x, w) }), inputs, parameters: training.parameters })
    const x = { x: Float32Array.of(1, 1) }
    expect((await forward.run(x)).y).toEqual({ shape: [1, 1], data: Float32Array.of(3) })
    await training.step({ x: { shape: [1, 2], data: x.x } }, { learningRate: 0.5 })
    const sum = training.parameter("w")[0] + training.parameter("w")[1]
    expect(sum).toBeGreaterThan(3.9)
    expect((await forward.run(x)).y.data[0]).toBeCloseTo(sum, 6)
    training.dispose()
    expect((await forward.run(x)).y.data[0]).toBeCloseTo(sum, 6)
    forward.dispose()
  })

  test("writes a cache in place, and attention reads what was written", async () => {
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
  })

  test("takes memory that is longer than its tensor, and values written into it", async () => {
    const memory = { x: Float32Array.of(1, 2, 99), y: new Float32Array(5) }
    const session = engine.compileForward({ forward: ({ x }) => ({ y: tf.mul(x, 3) }), inputs, parameters: {}, memory })
    await session.run()
    expect(memory.y).toEqual(Float32Array.of(3, 6, 0, 0, 0))
    session.inputs.x.data[0] = 5
    await session.run()
    expect(memory.y[0]).toBe(15)
    session.dispose()
  })

  test("gives back inputs, constants, several names of one value, and all types", async () => {
    const forward = ({ x }: Record<string, tf.Tensor>) => ({
      x,
      same: x,
      twice: tf.mul(x, 2),
      again: tf.mul(x, 2),
      one: tf.ones([2]),
      big: tf.greater(x, 1),
      whole: tf.cast(x, "int32"),
    })
    const session = engine.compileForward({ forward, inputs, parameters: {} })
    const found = await session.run({ x: Float32Array.of(0.5, 1.5) })
    expect(found).toEqual({
      x: { shape: [1, 2], data: Float32Array.of(0.5, 1.5) },
      same: { shape: [1, 2], data: Float32Array.of(0.5, 1.5) },
      twice: { shape: [1, 2], data: Float32Array.of(1, 3) },
      again: { shape: [1, 2], data: Float32Array.of(1, 3) },
      one: { shape: [2], data: Float32Array.of(1, 1) },
      big: { shape: [1, 2], data: Uint8Array.of(0, 1) },
      whole: { shape: [1, 2], data: Int32Array.of(0, 1) },
    })
    session.dispose()
  })

  test("one row through a layer whose scale is part of the product", async () => {
    const parameters = { w: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }, b: { shape: [3], data: Float32Array.of(1, 1, 1) } }
    const session = engine.compileForward({ forward: ({ x }, { w, b }) => ({ y: linear(tf.mul(x, 0.5), w, b) }), inputs, parameters })
    expect(Array.from((await session.run({ x: Float32Array.of(2, 4) })).y.data)).toEqual([10, 13, 16])
    session.dispose()
  })

  test("says what does not fit", async () => {
    const forward = ({ x }: Record<string, tf.Tensor>) => ({ y: tf.mul(x, 2) })
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
  })
})
