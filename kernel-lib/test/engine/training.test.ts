// Training sessions: the same numbers on both engines, repeatable, resumable to the last bit, and clear about what goes wrong.
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import type { Engine, TrainingSession } from "../../src/engine"
import { engines, expectClose } from "./compare"
import { makeBatch, makeLoss, makeParameters } from "./tiny-translator"

const start = (engine: Engine, { rate = 0, seed = 0, frozen = [] as string[], maxGradientNorm = undefined as number | undefined } = {}) =>
  engine.createTrainingSession({
    name: "translator",
    parameters: makeParameters(),
    loss: makeLoss(rate),
    seed,
    frozen,
    optimizer: { maxGradientNorm },
  })

async function train(session: TrainingSession, steps: number, firstBatch = 0): Promise<number[]> {
  const losses: number[] = []
  for (let step = 0; step < steps; step++) losses.push((await session.step(makeBatch(firstBatch + step), { learningRate: 0.01 })).loss)
  return losses
}

test.each([0, 0.2])("loss and gradients of an encoder-decoder are those of eager tfjs, with dropout %f", async (rate) => {
  const [onnx, eager] = [start(engines.onnx, { rate, seed: 5 }), start(engines.eager, { rate, seed: 5 })]
  for (const shape of [{}, { rows: 2, length: 4, target: 6 }]) {
    const batch = makeBatch(1, shape)
    const [found, expected] = [await onnx.computeGradients(batch), await eager.computeGradients(batch)]
    expectClose([found.loss], [expected.loss], "loss", 1e-5)
    expect(Object.keys(found.gradients)).toEqual(Object.keys(makeParameters()))
    for (const [name, gradient] of Object.entries(expected.gradients)) expectClose(found.gradients[name], gradient, name, 1e-4)
    expectClose([await onnx.evaluate(batch)], [await eager.evaluate(batch)], "evaluation", 1e-5)
  }
  onnx.dispose()
})

test("ten steps over two sets of shapes are those of eager tfjs", async () => {
  const sessions = [start(engines.onnx, { maxGradientNorm: 0.5 }), start(engines.eager, { maxGradientNorm: 0.5 })]
  const losses: number[][] = [[], []]
  for (const [index, session] of sessions.entries()) {
    for (let step = 0; step < 10; step++) {
      const batch = makeBatch(step, step % 2 === 0 ? {} : { rows: 2, length: 5, target: 3 })
      losses[index].push((await session.step(batch, { learningRate: 0.01 })).loss)
    }
  }
  expectClose(losses[0], losses[1], "losses", 1e-4)
  for (const name of Object.keys(makeParameters())) expectClose(sessions[0].parameter(name), sessions[1].parameter(name), name, 2e-3)
  expect(sessions[0].stepsTaken).toBe(10)
  sessions[0].dispose()
})

describe("on ONNX Runtime", () => {
  const { onnx } = engines

  test("learns", async () => {
    const session = start(onnx, { rate: 0.1 })
    const batch = makeBatch(3)
    const first = await session.evaluate(batch)
    for (let step = 0; step < 60; step++) await session.step(batch, { learningRate: 0.01 })
    expect(await session.evaluate(batch)).toBeLessThan(first / 4)
    session.dispose()
  })

  test("the same seed gives the same run, another seed another", async () => {
    const runs: number[][] = []
    for (const seed of [1, 1, 2]) {
      const session = start(onnx, { rate: 0.3, seed })
      runs.push(await train(session, 4))
      session.dispose()
    }
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).not.toEqual(runs[0])
  })

  test("a resumed run goes on to the last bit", async () => {
    const whole = start(onnx, { rate: 0.2 })
    const expected = await train(whole, 8)
    const first = start(onnx, { rate: 0.2 })
    const losses = await train(first, 3)
    const state = structuredClone(first.exportState())
    first.dispose()
    const second = start(onnx, { rate: 0.2 })
    second.importState(state)
    expect(second.stepsTaken).toBe(3)
    losses.push(...(await train(second, 5, 3)))
    expect(losses).toEqual(expected)
    expect(second.exportState()).toEqual(whole.exportState())
    for (const session of [whole, second]) session.dispose()
  })

  test("several batches in one step count as their mean", async () => {
    const [together, apart] = [start(onnx), start(onnx)]
    const batches = [makeBatch(1), makeBatch(2, { rows: 2 }), makeBatch(3)]
    const gradients: Awaited<ReturnType<typeof apart.computeGradients>>[] = []
    for (const batch of batches) gradients.push(await apart.computeGradients(batch))
    const { loss } = await together.step(batches, { learningRate: 0 })
    expectClose([loss], [gradients.reduce((sum, part) => sum + part.loss, 0) / 3], "loss", 1e-6)
    const { firstMoments } = together.exportState()
    for (const [name, moment] of Object.entries(firstMoments)) {
      const mean = moment.map((_, index) => gradients.reduce((sum, part) => sum + part.gradients[name][index], 0) / 3)
      expectClose(
        moment,
        mean.map((gradient) => gradient * 0.1),
        name,
        1e-5,
      )
    }
    for (const session of [together, apart]) session.dispose()
  })

  test("batches weighed by their targets make the step of one large batch", async () => {
    const whole = makeBatch(4, { rows: 9 })
    const rowsOf = (from: number, to: number) =>
      Object.fromEntries(
        Object.entries(whole).map(([name, { shape, data }]) => {
          const width = data.length / shape[0]
          return [name, { shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) }]
        }),
      )
    const parts = [rowsOf(0, 2), rowsOf(2, 7), rowsOf(7, 9)]
    const weights = parts.map(({ labels }) => labels.data.filter((label) => label !== -100).length)
    expect(new Set(weights).size).toBeGreaterThan(1)
    const [together, apart] = [start(onnx, { maxGradientNorm: 1 }), start(onnx, { maxGradientNorm: 1 })]
    const one = await together.step(whole, { learningRate: 0.01 })
    const several = await apart.step(parts, { learningRate: 0.01, weights })
    expectClose([several.loss, several.gradientNorm], [one.loss, one.gradientNorm], "loss and norm", 1e-5)
    const [expected, found] = [together.exportState(), apart.exportState()]
    for (const name of Object.keys(expected.firstMoments)) expectClose(found.firstMoments[name], expected.firstMoments[name], name, 1e-5)
    await expect(apart.step(parts, { learningRate: 0.01, weights: [1, 2] })).rejects.toMatchObject({ code: "engine.bad-options" })
    for (const session of [together, apart]) session.dispose()
  })

  test("frozen parameters stay, and the others learn", async () => {
    const session = start(onnx, { frozen: ["shared", "positions"] })
    await train(session, 3)
    expect(session.parameter("shared")).toEqual(makeParameters().shared.data)
    expect(session.parameter("encoder.up")).not.toEqual(makeParameters()["encoder.up"].data)
    expect(Object.keys(session.exportState().firstMoments)).not.toContain("shared")
    session.dispose()
  })

  test("memory stays flat over hundreds of steps", async () => {
    const session = start(onnx, { rate: 0.1 })
    const batch = makeBatch(0)
    const megabytes = async (steps: number) => {
      for (let step = 0; step < steps; step++) await session.step(batch, { learningRate: 1e-3 })
      return process.memoryUsage().rss / 2 ** 20
    }
    const before = await megabytes(150)
    // A leak of the step's own tensors would be 40 MB; garbage that waits to be collected is less.
    expect((await megabytes(450)) - before).toBeLessThan(20)
    session.dispose()
  })

  test("says so when a graph needs more memory than there is, and can go on with less", async () => {
    const session = onnx.createTrainingSession({
      parameters: { w: { shape: [1, 1_000_000], data: new Float32Array(1_000_000).fill(1) } },
      loss: ({ x }, { w }) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D))),
    })
    const batch = (rows: number) => ({ x: { shape: [rows, 1], data: new Float32Array(rows).fill(2) } })
    // Terabytes, which no machine gives.
    await expect(session.step(batch(1_000_000), { learningRate: 0.1 })).rejects.toMatchObject({ code: "engine.out-of-memory" })
    expect((await session.step(batch(1), { learningRate: 0.1 })).loss).toBeCloseTo(4, 4)
    expect(session.stepsTaken).toBe(1)
    session.dispose()
  })

  test("the event loop stays free while a step runs", async () => {
    const size = 1024
    const loss = ({ x }: Record<string, tf.Tensor>, { w }: Record<string, tf.Tensor>) =>
      tf.mean(tf.matMul(tf.matMul(tf.matMul(x, w), w), w))
    const session = onnx.createTrainingSession({ parameters: { w: { shape: [size, size], data: new Float32Array(size * size) } }, loss })
    const batch = { x: { shape: [size, size], data: new Float32Array(size * size) } }
    await session.step(batch, { learningRate: 0 })
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await session.step(batch, { learningRate: 0 })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
    session.dispose()
  })
})

describe.each(Object.entries(engines))("on %s", (_name, engine) => {
  const session = () =>
    engine.createTrainingSession({
      parameters: { w: { shape: [2], data: Float32Array.of(1, 2) } },
      loss: ({ x }, { w }) => tf.mean(tf.log(tf.mul(x, w))),
      optimizer: { weightDecay: 0 },
    })
  const feed = (...data: number[]) => ({ x: { shape: [2], data: Float32Array.from(data) } })

  test("a loss that is not finite stops with the step, before anything is updated", async () => {
    const { step, ...training } = bind(session())
    await step(feed(1, 1), { learningRate: 0.1 })
    const before = structuredClone(training.exportState())
    await expect(step(feed(1, -1), { learningRate: 0.1 })).rejects.toMatchObject({
      code: "engine.loss-not-finite",
      message: expect.stringContaining("The loss of step 2 is NaN"),
    })
    await expect(step(feed(0, 1), { learningRate: 0.1 })).rejects.toMatchObject({ message: expect.stringContaining("-Infinity") })
    expect(training.exportState()).toEqual(before)
    await step(feed(1, 1), { learningRate: 0.1 })
  })

  test("refuses values that do not fill their shape, and a missing input", async () => {
    const { step } = bind(session())
    await expect(step({ x: { shape: [3], data: new Float32Array(2) } }, { learningRate: 1 })).rejects.toThrow(
      "The input x has 2 values, its shape [3] needs 3.",
    )
    await expect(step({ y: { shape: [2], data: new Float32Array(2) } }, { learningRate: 1 })).rejects.toMatchObject({
      code: expect.stringMatching(/^engine\./),
    })
    await expect(step([], { learningRate: 1 })).rejects.toThrow("A step needs at least one batch.")
    await expect(step(feed(1, 1), { learningRate: Number.NaN })).rejects.toThrow("The learning rate must be a finite number.")
  })

  test("refuses a second call while one is under way, and any call after dispose", async () => {
    const training = session()
    const first = training.step(feed(1, 1), { learningRate: 0.1 })
    await expect(training.evaluate(feed(1, 1))).rejects.toMatchObject({ code: "engine.busy" })
    await first
    training.dispose()
    training.dispose()
    await expect(training.evaluate(feed(1, 1))).rejects.toMatchObject({ code: "engine.disposed" })
  })

  test("a signal cancels a step", async () => {
    const { step, ...training } = bind(session())
    await expect(step(feed(1, 1), { learningRate: 0.1, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "engine.cancelled" })
    expect(training.stepsTaken).toBe(0)
    await step(feed(1, 1), { learningRate: 0.1 })
  })
})

test("a signal stops a run that is under way, and the session can go on", async () => {
  const size = 700
  const loss = ({ x }: Record<string, tf.Tensor>, { w }: Record<string, tf.Tensor>) => {
    let y = x
    for (let layer = 0; layer < 12; layer++) y = tf.matMul(y, w)
    return tf.mean(y)
  }
  const session = engines.onnx.createTrainingSession({
    parameters: { w: { shape: [size, size], data: new Float32Array(size * size) } },
    loss,
  })
  const batch = { x: { shape: [size, size], data: new Float32Array(size * size) } }
  await session.step(batch, { learningRate: 0 })
  const controller = new AbortController()
  const step = session.step(batch, { learningRate: 0, signal: controller.signal })
  setImmediate(() => controller.abort())
  await expect(step).rejects.toMatchObject({ code: "engine.cancelled" })
  expect(session.stepsTaken).toBe(1)
  await session.step(batch, { learningRate: 0 })
  const last = session.step(batch, { learningRate: 0 })
  session.dispose()
  await expect(last).rejects.toMatchObject({ code: "engine.cancelled" })
})

/** The parts of a session that these tests call, free of `this`. */
function bind(session: TrainingSession) {
  return {
    step: session.step.bind(session),
    exportState: () => session.exportState(),
    get stepsTaken() {
      return session.stepsTaken
    },
  }
}
