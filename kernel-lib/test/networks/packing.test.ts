// Rows behind each other: what is laid out in a grid of each head and picked up again, and the gradients on the way, on every engine that is always here.
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { type LossFunction, selectEngine } from "../../src/engine"
import { joinHeads, readPacking, splitHeads } from "../../src/networks/packing"
import { packRows } from "../../src/students/pack-rows"

const heads = 2
const headSize = 3
const width = heads * headSize

/** Rows with random lengths, two of them empty, and numbers for each token. */
function drawCase(seed: string) {
  const random = new Random(seed)
  const rows = Array.from({ length: 4 }, () => Array.from({ length: 1 + random.integer(9) }, (_, at) => at))
  const packed = packRows(rows, 6)
  const [count] = packed.places.shape
  const values = Float32Array.from({ length: count * width }, () => random.next() - 0.5)
  return { rows, packed, count, values }
}

describe.each(["onnx", "eager"] as const)("on %s", (engineName) => {
  it.each(["a", "b", "c"])("each token stands at its place, and comes back (%s)", async (seed) => {
    const { rows, packed, count, values } = drawCase(seed)
    const session = (await selectEngine(engineName)).compileForward({
      forward: ({ x, places, tokens }) => {
        const packing = readPacking(places, tokens, [1, heads])
        const grid = splitHeads(x, heads, packing)
        return { grid, back: joinHeads(grid, packing) }
      },
      inputs: {
        x: { shape: [count, width], dtype: "float32" },
        places: { shape: packed.places.shape, dtype: "int32" },
        tokens: { shape: packed.tokens.shape, dtype: "int32" },
      },
      parameters: {},
      threads: 1,
    })
    const { grid, back } = await session.run({ x: values, places: packed.places.data, tokens: packed.tokens.data })
    const [, length] = packed.tokens.shape
    expect(grid.shape).toEqual([6, heads, length, headSize])
    let token = 0
    for (const [row, ids] of rows.entries()) {
      for (const at of ids) {
        const own = [...values.subarray(token * width, (token + 1) * width)]
        const laidOut = Array.from({ length: heads }, (_, head) => {
          const place = ((row * heads + head) * length + at) * headSize
          return [...grid.data.subarray(place, place + headSize)]
        })
        expect(laidOut.flat()).toEqual(own)
        expect([...back.data.subarray(token * width, (token + 1) * width)]).toEqual(own)
        token++
      }
    }
    session.dispose()
  })

  it.each(["a", "b", "c"])("only tokens of rows learn, and only from their own place (%s)", async (seed) => {
    const { packed, count, values } = drawCase(seed)
    const random = new Random(`weights ${seed}`)
    const weights = Float32Array.from({ length: packed.tokens.data.length * width }, () => random.next())
    const [numRows, length] = packed.tokens.shape
    const loss: LossFunction = ({ places, tokens, weights }, { x }) =>
      tf.sum(tf.mul(splitHeads(x, heads, readPacking(places, tokens, [heads])), weights))
    const session = (await selectEngine(engineName)).createTrainingSession({
      parameters: { x: { shape: [count, width], data: values } },
      loss,
      threads: 1,
    })
    const { gradients } = await session.computeGradients({
      places: packed.places,
      tokens: packed.tokens,
      weights: { shape: [numRows, heads, length, headSize], data: weights },
    })
    const expected = new Float32Array(count * width)
    packed.places.data.forEach((place, token) => {
      if (place < 0) return
      for (let head = 0; head < heads; head++) {
        const from = ((Math.floor(place / length) * heads + head) * length + (place % length)) * headSize
        expected.set(weights.subarray(from, from + headSize), token * width + head * headSize)
      }
    })
    expect([...gradients.x]).toEqual([...expected])
    session.dispose()
  })
})
