// What a training session promises on every engine when something goes wrong: it says what, and nothing has changed.
import * as tf from "@tensorflow/tfjs-core"
import { expect } from "vitest"
import type { Engine, TrainingSession } from "../../src/engine"
import { compiled, type EngineCase } from "./engine-cases"
import { startTraining } from "./tiny-translator"

export const trainingFaultCases: readonly EngineCase[] = [
  { name: "a loss that is not finite stops with the step, before anything is updated", check: meetInfiniteLoss },
  { name: "a gradient that is not finite stops with the step, before anything is updated", check: meetInfiniteGradient },
  { name: "refuses values that do not fill their shape, a missing input, no batch and a rate that is no number", check: refuseFeeds },
  { name: "refuses to freeze what is not there, and an optimizer that makes no sense", check: refuseDefinitions },
  { name: "refuses a second call while one is under way, and any call after dispose", check: refuseSecondCall },
  { name: "a signal cancels a step", check: cancelBefore },
  {
    name: "the event loop stays free while a step runs, a signal stops it, and dispose may come at any time",
    on: compiled,
    check: cancelWithin,
  },
  { name: "says so when a graph needs more memory than there is, and can go on with less", on: ["onnx"], check: runOutOfMemory },
]

type Compute = (product: tf.Tensor) => tf.Tensor
const options = { learningRate: 0.1 }
const feed = (...data: number[]) => ({ x: { shape: [2], data: Float32Array.from(data) } })

/** Trains w = [1, 2], with the mean of `compute` of x * w as its loss. */
const startSmall = (engine: Engine, compute: Compute = tf.log) =>
  engine.createTrainingSession({
    parameters: { w: { shape: [2], data: Float32Array.of(1, 2) } },
    loss: ({ x }, { w }) => tf.mean(compute(tf.mul(x, w))),
    optimizer: { weightDecay: 0 },
  })

/** Takes a good step, then expects that `meet` changes nothing, then takes another. */
async function expectNoChange(session: TrainingSession, meet: () => Promise<void>): Promise<void> {
  await session.step(feed(1, 1), options)
  const before = structuredClone(session.exportState())
  await meet()
  expect(structuredClone(session.exportState())).toEqual(before)
  await session.step(feed(1, 1), options)
  session.dispose()
}

async function meetInfiniteLoss(engine: Engine): Promise<void> {
  const session = startSmall(engine)
  await expectNoChange(session, async () => {
    await expect(session.step(feed(1, -1), options)).rejects.toMatchObject({
      code: "engine.loss-not-finite",
      message: expect.stringContaining("The loss of step 2 is NaN"),
    })
    await expect(session.step(feed(0, 1), options)).rejects.toMatchObject({ message: expect.stringContaining("-Infinity") })
  })
}

async function meetInfiniteGradient(engine: Engine): Promise<void> {
  const session = startSmall(engine, tf.sqrt)
  await expectNoChange(session, async () => {
    const error = { code: "engine.gradient-not-finite", message: expect.stringContaining("step 2") }
    await expect(session.step(feed(1, 0), options)).rejects.toMatchObject(error)
  })
}

async function refuseFeeds(engine: Engine): Promise<void> {
  const session = startSmall(engine)
  await expectNoChange(session, async () => {
    await expect(session.step({ x: { shape: [3], data: new Float32Array(2) } }, options)).rejects.toMatchObject({
      code: "engine.bad-feed",
      message: expect.stringContaining("The input x has 2 values, its shape [3] needs 3."),
    })
    await expect(session.step({ y: { shape: [2], data: new Float32Array(2) } }, options)).rejects.toMatchObject({
      code: expect.stringMatching(/^engine\./),
    })
    await expect(session.step([], options)).rejects.toThrow("A step needs at least one batch.")
    await expect(session.step(feed(1, 1), { learningRate: Number.NaN })).rejects.toThrow("The learning rate must be a finite number.")
  })
}

async function refuseDefinitions(engine: Engine): Promise<void> {
  expect(() => startTraining(engine, { frozen: ["nothing"] })).toThrow("There is no parameter nothing to freeze")
  expect(() => startTraining(engine, { optimizer: { beta1: 1 } })).toThrow("AdamW needs betas in [0, 1)")
}

async function refuseSecondCall(engine: Engine): Promise<void> {
  const session = startSmall(engine)
  const first = session.step(feed(1, 1), options)
  await expect(session.evaluate(feed(1, 1))).rejects.toMatchObject({ code: "engine.busy" })
  await first
  session.dispose()
  session.dispose()
  await expect(session.evaluate(feed(1, 1))).rejects.toMatchObject({ code: "engine.disposed" })
}

async function cancelBefore(engine: Engine): Promise<void> {
  const session = startSmall(engine)
  const step = session.step(feed(1, 1), { ...options, signal: AbortSignal.abort() })
  await expect(step).rejects.toMatchObject({ code: "engine.cancelled" })
  expect(session.stepsTaken).toBe(0)
  await session.step(feed(1, 1), options)
  expect(session.stepsTaken).toBe(1)
  session.dispose()
}

async function cancelWithin(engine: Engine): Promise<void> {
  // Many products: a step takes long enough to meet it on its way.
  const shape = [512, 512]
  const loss = ({ x }: Record<string, tf.Tensor>, { w }: Record<string, tf.Tensor>) => {
    let y = x
    for (let layer = 0; layer < 12; layer++) y = tf.matMul(y, w)
    return tf.mean(y)
  }
  const zeros = () => ({ shape, data: new Float32Array(512 * 512) })
  const session = engine.createTrainingSession({ parameters: { w: zeros() }, loss })
  const batch = { x: zeros() }
  await session.step(batch, options)
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  await session.step(batch, options)
  clearInterval(timer)
  expect(ticks).toBeGreaterThan(1)

  const controller = new AbortController()
  const step = session.step(batch, { ...options, signal: controller.signal })
  await expect(session.evaluate(batch)).rejects.toMatchObject({ code: "engine.busy" })
  setImmediate(() => controller.abort())
  await expect(step).rejects.toMatchObject({ code: "engine.cancelled" })
  expect(session.stepsTaken).toBe(2)
  await session.step(batch, options)
  const last = session.step(batch, options)
  session.dispose()
  await expect(last).rejects.toMatchObject({ code: "engine.cancelled" })
  await expect(session.evaluate(batch)).rejects.toMatchObject({ code: "engine.disposed" })
}

async function runOutOfMemory(engine: Engine): Promise<void> {
  const session = engine.createTrainingSession({
    parameters: { w: { shape: [1, 1_000_000], data: new Float32Array(1_000_000).fill(1) } },
    loss: ({ x }, { w }) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D))),
  })
  const batch = (rows: number) => ({ x: { shape: [rows, 1], data: new Float32Array(rows).fill(2) } })
  // Terabytes, which no machine gives.
  await expect(session.step(batch(1_000_000), options)).rejects.toMatchObject({ code: "engine.out-of-memory" })
  expect((await session.step(batch(1), options)).loss).toBeCloseTo(4, 4)
  expect(session.stepsTaken).toBe(1)
  session.dispose()
}
