// Each pass by itself: it does what it is for, and what comes out computes the same numbers as what went in.
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { Random } from "../../src/core/random"
import { dropout, embed, gelu, linear, RandomStream, relu, softmaxCrossEntropy } from "../../src/engine"
import { allocateValues } from "../../src/engine/feeds"
import { emitOnnx, graphNames } from "../../src/engine/onnx/emitter"
import { NativeSession } from "../../src/engine/onnx/native-session"
import { onnxPasses } from "../../src/engine/onnx/passes"
import { biasIntoMatMul } from "../../src/engine/passes/bias-into-matmul"
import { foldConstants } from "../../src/engine/passes/fold-constants"
import { gradientsAsRows, idsOutput, rowsOutput } from "../../src/engine/passes/gradients-as-rows"
import { liftReshapes } from "../../src/engine/passes/lift-reshapes"
import { mergeRandomWords } from "../../src/engine/passes/merge-random-words"
import { removeNoOps } from "../../src/engine/passes/remove-no-ops"
import type { Pass } from "../../src/engine/passes/rewrite"
import { scaleIntoMatMul } from "../../src/engine/passes/scale-into-matmul"
import { scaleRowsLast } from "../../src/engine/passes/scale-rows-last"
import { shareCommonNodes } from "../../src/engine/passes/share-common-nodes"
import { shortenSoftmaxGradient } from "../../src/engine/passes/shorten-softmax-gradient"
import { splitTallProducts } from "../../src/engine/passes/split-tall-products"
import { transposeNarrowSide } from "../../src/engine/passes/transpose-narrow-side"
import { unwrapOutputs } from "../../src/engine/passes/unwrap-outputs"
import { type Recording, sizeOf } from "../../src/engine/recording"
import { openOnnxApi } from "../../src/engine/select-engine"
import type { LossFunction, TensorSpec, TensorValue } from "../../src/engine/session"
import { gradientOutput, traceForward, traceLoss } from "../../src/engine/tracer"
import { expectClose } from "./compare"
import { makeBatch, makeLoss, makeParameters } from "./tiny-translator"

type Tensors = Record<string, tf.Tensor>

const float = (...shape: number[]): TensorSpec => ({ shape, dtype: "float32" })
const record = (inputs: Record<string, TensorSpec>, forward: (inputs: Tensors) => Tensors) =>
  traceForward({ name: "net", inputs, parameters: {}, forward })
const operationsOf = (recording: Recording) =>
  recording.nodes.map(({ operation }) => operation).filter((name) => name !== "Input" && name !== "Parameter")

/** Runs a recording as it is on ONNX Runtime, with random inputs that depend on their names alone. */
async function run(recording: Recording): Promise<Record<string, TensorValue>> {
  const outputs = allocateValues(recording.outputs)
  const inputs = Object.entries({ ...recording.inputs, ...recording.parameters }).map(([name, spec]) => {
    const kind = name in recording.inputs ? graphNames.input : graphNames.parameter
    return [kind(name), drawValue(name, spec)] as const
  })
  const bound = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [graphNames.output(name), value]))
  const session = new NativeSession(openOnnxApi(), emitOnnx(recording), { inputs: Object.fromEntries(inputs), outputs: bound, threads: 1 })
  await session.run()
  session.dispose()
  return outputs
}

function drawValue(name: string, { shape, dtype }: TensorSpec): TensorValue {
  const random = new Random(name)
  const length = sizeOf(shape)
  const data =
    dtype === "float32" ? Float32Array.from({ length }, () => random.normal()) : Int32Array.from({ length }, () => random.integer(3))
  return { shape, data }
}

async function expectSame(before: Recording, after: Recording): Promise<void> {
  const [expected, found] = [await run(before), await run(after)]
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(found[name].shape).toEqual(shape)
    expectClose(found[name].data, data, name, 1e-4)
  }
}

test("foldConstants computes what is known, and drops ones and zeros", async () => {
  const before = record({ x: float(2, 3) }, ({ x }) => {
    const ones = tf.ones([2, 3])
    const scaled = tf.div(tf.mul(tf.add(tf.mul(x, ones), tf.zeros([2, 3])), tf.sub(tf.fill([2, 3], 5), 1)), 2)
    return { y: tf.add(scaled, tf.reshape(tf.neg(tf.fill([6], 3)), [2, 3])), wide: tf.mul(tf.sum(x, 1, true), ones) }
  })
  const after = foldConstants(before)
  expect(operationsOf(after).sort()).toEqual(["Add", "BroadcastTo", "Fill", "Fill", "Fill", "Multiply", "Multiply", "Sum"])
  await expectSame(before, after)
})

test("shareCommonNodes makes one of equal nodes, and keeps different constants apart", async () => {
  const before = record({ x: float(2, 3) }, ({ x }) => {
    const part = (values: number[]) => tf.mul(tf.exp(x), tf.tensor1d(values))
    return { y: tf.add(part([1, 2, 3]), part([1, 2, 3])), z: part([1, 2, 4]) }
  })
  const after = shareCommonNodes(before)
  expect(operationsOf(after).sort()).toEqual(["Add", "Constant", "Constant", "Exp", "Multiply", "Multiply"])
  await expectSame(before, after)
})

test("removeNoOps takes out what changes nothing", async () => {
  const before = record({ x: float(2, 3, 1, 4), y: float(1, 4) }, ({ x, y }) => {
    const turned = tf.transpose(tf.transpose(tf.reshape(tf.reshape(x, [6, 4]), [2, 3, 4]), [0, 2, 1]), [0, 2, 1])
    const moved = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [2, 3, 4])
    return {
      sum: tf.add(tf.slice(turned, [0, 0, 0], [2, 3, 4]), moved),
      wide: tf.mul(tf.broadcastTo(y, [3, 4]), tf.reshape(x, [2, 3, 4])),
      same: tf.max(x, 2, true),
    }
  })
  const after = removeNoOps(before)
  expect(operationsOf(after)).toEqual(["Reshape", "Reshape", "Add", "Reshape", "Multiply"])
  await expectSame(before, after)
})

test("removeNoOps lets a product read a transposed matrix", async () => {
  const before = record({ a: float(2, 4, 3), b: float(2, 5, 4) }, ({ a, b }) => ({
    y: tf.matMul(tf.transpose(a, [0, 2, 1]), tf.transpose(b, [0, 2, 1])),
  }))
  const after = removeNoOps(before)
  expect(operationsOf(after)).toEqual(["MatMul"])
  await expectSame(before, after)
})

test("scaleIntoMatMul moves numbers into the product, through reshapes and masks", async () => {
  const before = record({ a: float(4, 3), b: float(3, 4), mask: float(4, 4), q: float(4, 4) }, ({ a, b, mask, q }) => {
    const product = tf.mul(tf.reshape(tf.matMul(tf.neg(a), tf.mul(b, 0.5)), [2, 2, 4]), 3)
    return { product, masked: tf.matMul(tf.mul(tf.mul(tf.softmax(q), 4), mask), q) }
  })
  const after = scaleIntoMatMul(before)
  expect(operationsOf(after).sort()).toEqual(["MatMul", "MatMul", "Multiply", "Reshape", "Softmax"])
  expect(after.nodes.flatMap((node) => (node.operation === "MatMul" ? [node.attributes.alpha] : []))).toEqual([-1.5, 4])
  await expectSame(before, after)
})

test("scaleIntoMatMul leaves a product alone that somebody else reads", async () => {
  const before = record({ a: float(4, 3), b: float(3, 4) }, ({ a, b }) => {
    const product = tf.matMul(a, b)
    return { product, scaled: tf.mul(product, 3) }
  })
  const after = scaleIntoMatMul(before)
  expect(operationsOf(after)).toEqual(operationsOf(before))
  await expectSame(before, after)
})

test("biasIntoMatMul adds a row in the product", async () => {
  const before = record({ a: float(4, 3), b: float(3, 5), row: float(5), column: float(4, 1) }, ({ a, b, row, column }) => ({
    y: tf.add(tf.add(tf.matMul(a, b), row), tf.add(column, tf.matMul(a, b))),
  }))
  const after = biasIntoMatMul(before)
  expect(operationsOf(after)).toEqual(["MatMul", "MatMul", "Add", "Add"])
  await expectSame(before, after)
})

test("biasIntoMatMul adds a residual in the later product", async () => {
  const before = record({ a: float(4, 4), b: float(4, 4), c: float(4, 4) }, ({ a, b, c }) => {
    const first = tf.matMul(a, b)
    return { y: tf.add(first, tf.matMul(tf.exp(first), c)), z: tf.add(tf.matMul(a, c), tf.matMul(b, c)) }
  })
  const after = biasIntoMatMul(before)
  expect(operationsOf(after)).toEqual(["MatMul", "Exp", "MatMul", "MatMul", "MatMul"])
  await expectSame(before, after)
})

test("liftReshapes lets a layer's chain run on matrices", async () => {
  const parameters = { w: { shape: [4, 4] }, b: { shape: [4] } }
  const inputs = { x: float(2, 3, 4) }
  const loss = ({ x }: Tensors, { w, b }: Tensors) => {
    const h = tf.add(x, gelu(tf.mul(relu(linear(x, w, b)), 2)))
    return tf.mean(tf.square(linear(tf.add(h, linear(h, w)), w)))
  }
  const before = removeNoOps(foldConstants(traceLoss({ name: "chain", inputs, parameters, loss, differentiate: ["w", "b"] })))
  const after = removeNoOps(liftReshapes(before))
  const reshapes = (recording: Recording) => operationsOf(recording).filter((name) => name === "Reshape").length
  expect([reshapes(before), reshapes(after)]).toEqual([10, 6])
  await expectSame(before, after)
})

test("scaleRowsLast moves weights of rows to the narrow side", async () => {
  const before = record(
    { wide: float(6, 50), weights: float(6, 1), table: float(50, 4), hidden: float(6, 4) },
    ({ wide, weights, table, hidden }) => {
      const weighted = tf.mul(wide, weights)
      return { down: tf.matMul(weighted, table), across: tf.matMul(weighted, hidden, true), back: tf.matMul(hidden, weighted, true) }
    },
  )
  const after = scaleRowsLast(before)
  const products = after.nodes.filter(({ operation }) => operation === "Multiply")
  expect(products.every(({ results: [{ shape }] }) => shape[1] === 4)).toBe(true)
  await expectSame(before, after)
})

test.each([0, 0.3])("shortenSoftmaxGradient sums over values instead of scores, with dropout %f", async (rate) => {
  const parameters = { q: { shape: [2, 9, 4] }, k: { shape: [2, 9, 4] }, v: { shape: [2, 9, 4] } }
  const loss: LossFunction = (_inputs, { q, k, v }, random) => {
    const shares = dropout(tf.softmax(tf.matMul(q, k, false, true)), rate, random)
    return tf.mean(tf.square(tf.matMul(shares, v)))
  }
  const before = traceLoss({ name: "attention", inputs: {}, parameters, loss, differentiate: ["q", "k", "v"] })
  const after = shortenSoftmaxGradient(before)
  const sums = after.nodes.flatMap((node) => (node.operation === "Sum" ? [node.inputs[0].shape] : []))
  expect(sums).toEqual([[2, 9, 4]])
  await expectSame(before, after)
})

test("shortenSoftmaxGradient knows tfjs's own form of the gradient too", async () => {
  const before = record({ x: float(3, 9), dy: float(3, 9) }, ({ x, dy }) => {
    const y = tf.softmax(x)
    const weighted = tf.mul(dy, y)
    return { dx: tf.sub(weighted, tf.mul(tf.sum(weighted, [1], true), y)) }
  })
  const after = shortenSoftmaxGradient(before)
  expect(operationsOf(after)).toEqual(["Softmax", "Multiply", "Sum", "Sub", "Multiply"])
  await expectSame(before, after)
})

test("gradientsAsRows gives a table's gradient as the rows that were read", async () => {
  const parameters = { table: { shape: [3, 4] }, head: { shape: [3, 4] } }
  const inputs = { ids: { shape: [5], dtype: "int32" }, labels: { shape: [5], dtype: "int32" } } as const
  const loss = ({ ids, labels }: Tensors, { table, head }: Tensors) => {
    const x = tf.add(embed(table, ids), embed(head, labels))
    return softmaxCrossEntropy(linear(x, head, undefined, { transposeWeight: true }), labels)
  }
  const before = traceLoss({ name: "net", inputs, parameters, loss, differentiate: ["table", "head"] })
  const after = gradientsAsRows(removeNoOps(before))
  expect(Object.keys(after.outputs)).toEqual([
    "loss",
    rowsOutput("table", 0),
    idsOutput("table", 0),
    gradientOutput("head"),
    rowsOutput("head", 0),
    idsOutput("head", 0),
  ])
  const [expected, found] = [await run(before), await run(after)]
  for (const name of ["table", "head"]) {
    const sum = Float32Array.from(found[gradientOutput(name)]?.data ?? new Float32Array(12))
    const [rows, ids] = [found[rowsOutput(name, 0)].data, found[idsOutput(name, 0)].data]
    rows.forEach((value, index) => {
      sum[ids[Math.floor(index / 4)] * 4 + (index % 4)] += value
    })
    expectClose(sum, expected[gradientOutput(name)].data, name, 1e-5)
  }
})

test("mergeRandomWords draws all random words at once", async () => {
  const before = record({ x: float(4, 5), key: { shape: [2], dtype: "int32" } }, ({ x, key }) => {
    const stream = new RandomStream(key as tf.Tensor1D)
    return { y: dropout(dropout(x, 0.5, stream), 0.2, stream) }
  })
  const after = mergeRandomWords(before)
  expect(after.nodes.flatMap((node) => (node.operation === "RandomWords" ? [node.attributes] : []))).toEqual([{ offset: 0, count: 18 }])
  await expectSame(before, after)
})

test.each([
  ["wide", [40, 30], [40, 600], ["Transpose", "MatMul"]],
  ["small", [40, 30], [40, 20], ["MatMul"]],
] as [string, number[], number[], string[]][])(
  "transposeNarrowSide transposes the narrow matrix of a %s gradient",
  async (_name, a, b, operations) => {
    const before = record({ a: float(...a), b: float(...b) }, ({ a, b }) => ({ y: tf.mul(tf.matMul(a, b, true), 1) }))
    const after = transposeNarrowSide(foldConstants(before))
    expect(operationsOf(after)).toEqual(operations)
    await expectSame(before, after)
  },
)

test.each([
  ["tall", [40, 9000], [40, 20], 500],
  ["tall and indivisible", [4, 9001], [4, 5], undefined],
  ["short", [40, 900], [40, 20], undefined],
] as [string, number[], number[], number | undefined][])("splitTallProducts makes blocks of a %s gradient", async (_name, a, b, block) => {
  const before = record({ a: float(...a), b: float(...b) }, ({ a, b }) => ({ y: tf.mul(tf.matMul(a, b, true), 0.5) }))
  const after = splitTallProducts(scaleIntoMatMul(foldConstants(before)))
  const products = after.nodes.filter(({ operation }) => operation === "MatMul")
  expect(products.map(({ results: [{ shape }] }) => shape)).toEqual([block ? [a[1] / block, block, b[1]] : [a[1], b[1]]])
  await expectSame(before, after)
})

test("splitTallProducts leaves a gradient that is wider than tall", () => {
  const before = record({ a: float(4, 9000), b: float(4, 9500) }, ({ a, b }) => ({ y: tf.matMul(a, b, true) }))
  expect(operationsOf(splitTallProducts(before))).toEqual(operationsOf(before))
})

test("unwrapOutputs gives reshaped outputs as they were made, but for inputs", async () => {
  const before = record({ x: float(6, 4) }, ({ x }) => ({
    made: tf.reshape(tf.reshape(tf.exp(x), [24]), [3, 8]),
    same: tf.reshape(x, [24]),
    plain: tf.neg(x),
  }))
  const after = unwrapOutputs(before)
  expect(Object.values(after.outputs).map(({ shape }) => shape)).toEqual([[6, 4], [24], [6, 4]])
  const [expected, found] = [await run(before), await run(after)]
  for (const name of Object.keys(expected)) expect(found[name].data).toEqual(expected[name].data)
})

describe("a whole training step", () => {
  const parameters = makeParameters()
  const inputs = Object.fromEntries(Object.entries(makeBatch(1)).map(([name, { shape }]) => [name, { shape, dtype: "int32" as const }]))
  const before = traceLoss({ name: "translator", inputs, parameters, loss: makeLoss(0.2), differentiate: Object.keys(parameters) })

  test.each([...new Set(onnxPasses)].filter((pass) => pass !== gradientsAsRows).map((pass) => [pass.name, pass] as [string, Pass]))(
    "computes the same after %s",
    async (_name, pass) => expectSame(before, pass(before)),
  )

  test("is much shorter after all of them", () => {
    const after = onnxPasses.reduce((recording, pass) => pass(recording), before)
    expect(after.nodes.length).toBeLessThan(0.8 * before.nodes.length)
  })
})
