// Graphs with open sizes: one compilation, any lengths, the same numbers as tfjs and as a graph compiled for those lengths.
import * as tf from "@tensorflow/tfjs-core"
import { beforeAll, describe, expect, it } from "vitest"
import {
  compileFlexible,
  type Engine,
  type FlexibleDefinition,
  linear,
  type NamedValues,
  rmsNorm,
  scatterRows,
  selectEngine,
} from "../../src/engine"
import { NamedSizes } from "../../src/engine/named-sizes"

const [heads, size] = [2, 3]
const width = heads * size

/** Heads are split and joined, a sum is broadcast over two open sizes, a square of one is reshaped. */
const definition: FlexibleDefinition = {
  name: "attention",
  inputs: {
    x: { shape: ["rows", "length", width], dtype: "float32" },
    bias: { shape: ["length", "length"], dtype: "float32" },
    mask: { shape: ["rows", "length"], dtype: "float32" },
  },
  parameters: { w: { shape: [width, width], data: Float32Array.from({ length: width * width }, (_, i) => Math.sin(i)) }, g: ones(width) },
  forward: ({ x, bias, mask }, { w, g }) => {
    const [rows, length] = x.shape
    const h = linear(rmsNorm(x, g), w, undefined, { transposeWeight: true })
    const split = tf.transpose(tf.reshape(h, [rows, length!, heads, size]), [0, 2, 1, 3])
    const square = tf.reshape(tf.reshape(bias, [-1]), [1, 1, length!, length!])
    const scores = tf.add(tf.mul(tf.matMul(split, split, false, true), 0.5), tf.add(square, tf.reshape(mask, [rows, 1, 1, length!])))
    const joined = tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), split), [0, 2, 1, 3]), [rows, length!, width])
    return { y: joined, last: tf.topk(tf.reshape(joined, [rows * length!, width]), 2).values }
  },
}

function ones(length: number) {
  return { shape: [length], data: new Float32Array(length).fill(1) }
}

function feeds(rows: number, length: number): NamedValues {
  const fill = (shape: number[], step: number) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) + 5 }, (_, i) => Math.cos(i * step)),
  })
  return { x: fill([rows, length, width], 0.7), bias: fill([length, length], 0.3), mask: fill([rows, length], 1.1) }
}

const valuesOf = ({ shape, data }: NamedValues[string]) => [
  ...data.subarray(
    0,
    shape.reduce((a, b) => a * b),
  ),
]

let onnx: Engine
let eager: Engine
beforeAll(async () => {
  onnx = await selectEngine("onnx")
  eager = await selectEngine("eager")
})

const sizes = [
  [3, 4],
  [1, 1],
  [7, 2],
  [2, 11],
  [3, 4],
] as const

describe("compileFlexible", () => {
  it.each(["inputs", "prepacked copies"])("gives tfjs's numbers at any size, with weights as %s", async (form) => {
    const session = compileFlexible(onnx, { ...definition, isPrepacked: form !== "inputs" })
    const reference = compileFlexible(eager, definition)
    for (const [rows, length] of sizes) {
      const found = await session.run(feeds(rows, length))
      const wanted = await reference.run(feeds(rows, length))
      for (const name of ["y", "last"]) {
        expect(found[name].shape).toEqual(wanted[name].shape)
        valuesOf(found[name]).forEach((value, i) => {
          expect(value).toBeCloseTo(valuesOf(wanted[name])[i], 4)
        })
      }
      expect(found.y.shape).toEqual([rows, length, width])
    }
    session.dispose()
  })

  it("compiles for each size on an engine that knows fixed ones only", async () => {
    const { compileFlexible: _, ...rigid } = onnx
    const session = compileFlexible(rigid, definition)
    const reference = compileFlexible(onnx, definition)
    for (const [rows, length] of sizes) {
      const memory = new Float32Array(200)
      const found = await session.run(feeds(rows, length), { outputs: { y: memory } })
      const wanted = await reference.run(feeds(rows, length))
      valuesOf(found.y).forEach((value, i) => {
        expect(value).toBeCloseTo(valuesOf(wanted.y)[i], 4)
      })
      expect(found.y.data).toBe(memory)
    }
    session.dispose()
    reference.dispose()
  })

  it.each(["onnx", "eager"] as const)("writes caches where they lie on %s, at sizes that change", async (name) => {
    const session = compileFlexible(name === "onnx" ? onnx : eager, {
      inputs: {
        cache: { shape: ["rows", 1, "slots", 2], dtype: "float32" },
        places: { shape: ["rows", 3], dtype: "int32" },
        fresh: { shape: ["rows", 2], dtype: "float32" },
      },
      parameters: {},
      inPlace: { next: "cache" },
      forward: ({ cache, places, fresh }) => ({ next: scatterRows(cache, places, fresh) }),
    })
    const cache = new Float32Array(12)
    const write = (rows: number, slots: number, at: number, value: number) =>
      session.run({
        cache: { shape: [rows, 1, slots, 2], data: cache },
        places: { shape: [rows, 3], data: Int32Array.from({ length: rows * 3 }, (_, i) => [Math.floor(i / 3), 0, at][i % 3]) },
        fresh: { shape: [rows, 2], data: new Float32Array(rows * 2).fill(value) },
      })
    await write(2, 3, 1, 5)
    expect([...cache]).toEqual([0, 0, 5, 5, 0, 0, 0, 0, 5, 5, 0, 0])
    await write(1, 6, 5, 7)
    expect([...cache]).toEqual([0, 0, 5, 5, 0, 0, 0, 0, 5, 5, 7, 7])
    session.dispose()
  })

  it.each(["onnx", "eager"] as const)("says which input is missing or has a size that contradicts another on %s", async (name) => {
    const session = compileFlexible(name === "onnx" ? onnx : eager, definition)
    const { mask, ...others } = feeds(2, 3)
    await expect(session.run(others)).rejects.toThrow("The input mask is missing")
    await expect(session.run({ ...others, mask: { ...mask, shape: [2, 4] } })).rejects.toThrow("needs [rows = 2, length = 3]")
    session.dispose()
  })

  it("reads changed weights at the next run, unless they are prepacked", async () => {
    const data = Float32Array.of(2)
    const forward: FlexibleDefinition = {
      inputs: { x: { shape: ["rows", 1], dtype: "float32" } },
      parameters: { w: { shape: [1, 1], data } },
      forward: ({ x }, { w }) => ({ y: linear(x, w) }),
    }
    const session = compileFlexible(onnx, forward)
    const x = { shape: [1, 1], data: Float32Array.of(3) }
    expect((await session.run({ x })).y.data[0]).toBe(6)
    data[0] = 4
    expect((await session.run({ x })).y.data[0]).toBe(12)
    session.dispose()
  })

  it("refuses a constant as long as an open size, and names the remedy", () => {
    const forward: FlexibleDefinition["forward"] = ({ x }) => ({ y: tf.add(x, tf.range(0, x.shape[0], 1)) })
    expect(() => compileFlexible(onnx, { inputs: { x: { shape: ["rows"], dtype: "float32" } }, parameters: {}, forward })).toThrow(
      "hand it over as an input",
    )
  })
})

describe("NamedSizes", () => {
  it("takes products apart, and chooses stand-ins that divide no size of the network", () => {
    const named = new NamedSizes({ x: { shape: ["rows", "length", 8], dtype: "float32" } }, [10007, 10009 * 2])
    const [rows, length] = named.traceSpecs.x.shape
    expect([rows, length].some((standIn) => [10007, 10009].includes(standIn))).toBe(false)
    expect(named.takeApart(rows * length * length * 6)).toEqual({ factor: 6, names: ["rows", "length", "length"] })
    expect(named.takeApart(10007)).toBeUndefined()
    expect(named.resolve([rows * 4, 5], new Map([["rows", 3]]))).toEqual([12, 5])
  })
})
