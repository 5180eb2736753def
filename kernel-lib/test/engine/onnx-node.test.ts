// ONNX Runtime through onnxruntime-node's own binding, as it is reached where koffi has no binary: the same numbers, with copies.
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { compileFlexible, linear, type TrainingSession } from "../../src/engine"
import { openNodeRuntime } from "../../src/engine/onnx-node/node-runtime"
import { makeNodeEngine } from "../../src/engine/onnx-node/onnx-node-engine"
import { differentiate, engines, expectClose, runForward } from "./compare"
import { draws, operationCases, splitInputs } from "./operation-cases"
import { makeBatch, makeLoss, makeParameters } from "./tiny-translator"

const node = makeNodeEngine("For a test.")
/** The same models run as on the C API, where all operations are tested. */
const some = operationCases.filter((_, index) => index % 8 === 0)

test("operations have the values of the C API, to the last bit", async () => {
  const [draw] = fc.sample(draws, 1)
  for (const operation of some) {
    const inputs = operation.makeInputs(draw)
    const forward = (tensors: Record<string, tf.Tensor>) => ({ y: operation.compute(tensors) })
    const [found, expected] = [await runForward(node, forward, inputs), await runForward(engines.onnx, forward, inputs)]
    expect([operation.name, found]).toEqual([operation.name, expected])
  }
})

test("gradients are those of the C API", async () => {
  const [draw] = fc.sample(draws, 1)
  for (const operation of some.filter(({ isSmooth }) => isSmooth)) {
    const { floats, others } = splitInputs(operation.makeInputs(draw))
    const loss = (inputs: Record<string, tf.Tensor>, parameters: Record<string, tf.Tensor>) =>
      tf.mean(operation.compute({ ...inputs, ...parameters }))
    const [found, expected] = [await differentiate(node, loss, others, floats), await differentiate(engines.onnx, loss, others, floats)]
    expect([operation.name, found]).toEqual([operation.name, expected])
  }
})

test("trains as the C API does, bit for bit, and a signal stops it", async () => {
  const open = (engine: typeof node): TrainingSession =>
    engine.createTrainingSession({ parameters: makeParameters(), loss: makeLoss(0.1), seed: 2, threads: 1 })
  const sessions = [open(node), open(engines.onnx)]
  for (let step = 0; step < 5; step++) {
    const [found, expected] = [
      await sessions[0].step(makeBatch(step), { learningRate: 0.01 }),
      await sessions[1].step(makeBatch(step), { learningRate: 0.01 }),
    ]
    expect(found).toEqual(expected)
  }
  expect(sessions[0].exportState()).toEqual(sessions[1].exportState())
  const controller = new AbortController()
  const step = sessions[0].step(makeBatch(9), { learningRate: 0.01, signal: controller.signal })
  controller.abort()
  await expect(step).rejects.toMatchObject({ code: "engine.cancelled" })
  expect(sessions[0].stepsTaken).toBe(5)
  for (const session of sessions) session.dispose()
})

test("runs graphs of open sizes, prepacked or not", async () => {
  const parameters = { w: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } }
  const session = compileFlexible(node, {
    forward: ({ x }, { w }) => ({ y: linear(x, w) }),
    inputs: { x: { shape: ["rows", 2], dtype: "float32" } },
    parameters,
    isPrepacked: true,
  })
  for (const rows of [1, 3]) {
    const x = { shape: [rows, 2], data: Float32Array.from({ length: rows * 2 }, (_, index) => index) }
    const { y } = await session.run({ x })
    expectClose(y.data.subarray(0, 2), [3, 4], "first row")
    expect(y.shape).toEqual([rows, 2])
  }
  session.dispose()
})

test("a model that the runtime refuses, and a package that is not there, are one sentence each", async () => {
  const api = openNodeRuntime()
  const session = api.createSession(new Uint8Array([1, 2, 3]), api.createSessionOptions())
  await expect(api.run(session, api.createRunOptions(), api.createBinding(session))).rejects.toMatchObject({ code: "engine.onnx-failed" })
  const load = () => {
    throw new Error("Cannot find module\nRequire stack")
  }
  expect(() => openNodeRuntime("cpu", load)).toThrow(/^onnxruntime-node cannot be loaded \(Cannot find module\): run/)
})
