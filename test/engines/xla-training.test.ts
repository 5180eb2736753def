// Training sessions on XLA: what they promise on the other engines, with state that stays on the device.
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import {
  compileFlexible,
  type Engine,
  type OptimizerOptions,
  type Precision,
  scatterRows,
  type TrainingSession,
} from "../../kernel-lib/src/engine"
import { engines, expectClose } from "../../kernel-lib/test/engine/compare"
import { makeBatch, makeLoss, makeParameters } from "../../kernel-lib/test/engine/tiny-translator"
import { label, plugin, pluginFile, xla } from "./xla"

interface StartOptions {
  readonly rate?: number
  readonly seed?: number
  readonly frozen?: string[]
  readonly optimizer?: OptimizerOptions
  readonly precision?: Precision
}

const start = (engine: Engine, { rate = 0, ...options }: StartOptions = {}) =>
  engine.createTrainingSession({ name: "translator", parameters: makeParameters(), loss: makeLoss(rate), ...options })

async function train(session: TrainingSession, steps: number, firstBatch = 0): Promise<number[]> {
  const losses: number[] = []
  for (let step = 0; step < steps; step++) losses.push((await session.step(makeBatch(firstBatch + step), { learningRate: 0.01 })).loss)
  return losses
}

const feed = (...data: number[]) => ({ x: { shape: [2], data: Float32Array.from(data) } })

describe.skipIf(!pluginFile)(label, () => {
  test.each([0, 0.2])("loss and gradients of an encoder-decoder are those of eager tfjs, with dropout %f", async (rate) => {
    const [session, eager] = [start(xla, { rate, seed: 5 }), start(engines.eager, { rate, seed: 5 })]
    for (const shape of [{}, { rows: 2, length: 4, target: 6 }]) {
      const batch = makeBatch(1, shape)
      const [found, expected] = [await session.computeGradients(batch), await eager.computeGradients(batch)]
      expectClose([found.loss], [expected.loss], "loss", 1e-5)
      expect(Object.keys(found.gradients).sort()).toEqual(Object.keys(makeParameters()).sort())
      for (const [name, gradient] of Object.entries(expected.gradients)) expectClose(found.gradients[name], gradient, name, 1e-4)
      expectClose([await session.evaluate(batch)], [await eager.evaluate(batch)], "evaluation", 1e-5)
    }
    session.dispose()
  })

  test.each<[string, OptimizerOptions]>([
    ["AdamW", {}],
    ["AdamW that clips and decays", { maxGradientNorm: 0.5, weightDecay: 0.3 }],
    ["Adafactor", { kind: "adafactor", relativeStep: false }],
    ["Adafactor that clips, decays and sets its rate", { kind: "adafactor", maxGradientNorm: 0.5, weightDecay: 0.1, warmupInit: true }],
  ])("ten steps of %s over two sets of shapes are those of eager tfjs", async (_name, optimizer) => {
    const sessions = [start(xla, { optimizer }), start(engines.eager, { optimizer })]
    const results: number[][] = [[], []]
    for (const [index, session] of sessions.entries()) {
      for (let step = 0; step < 10; step++) {
        const batch = makeBatch(step, step % 2 === 0 ? {} : { rows: 2, length: 5, target: 3 })
        const { loss, gradientNorm } = await session.step(batch, { learningRate: 0.01 })
        results[index].push(loss, gradientNorm)
      }
    }
    expectClose(results[0], results[1], "losses and norms", 1e-4)
    for (const name of Object.keys(makeParameters())) expectClose(sessions[0].parameter(name), sessions[1].parameter(name), name, 2e-3)
    expect(sessions[0].stepsTaken).toBe(10)
    sessions[0].dispose()
  })

  test("bf16 rounds the products, and learns all the same", async () => {
    const [rounded, exact] = [start(xla, { rate: 0.1, precision: "bf16" }), start(xla, { rate: 0.1 })]
    const batch = makeBatch(3)
    const first = await exact.evaluate(batch)
    const firstRounded = await rounded.evaluate(batch)
    expect(firstRounded).not.toBe(first)
    expectClose([firstRounded], [first], "loss", 0.02)
    const [found, expected] = [await rounded.computeGradients(batch), await exact.computeGradients(batch)]
    for (const [name, gradient] of Object.entries(expected.gradients)) expectClose(found.gradients[name], gradient, name, 0.05)
    for (let step = 0; step < 60; step++) await rounded.step(batch, { learningRate: 0.01 })
    expect(await rounded.evaluate(batch)).toBeLessThan(first / 4)
    for (const session of [rounded, exact]) session.dispose()
  })

  test.each<[string, OptimizerOptions]>([
    ["AdamW", {}],
    ["Adafactor", { kind: "adafactor" }],
  ])("a resumed run with %s goes on to the last bit, and another seed is another run", async (_name, optimizer) => {
    const whole = start(xla, { rate: 0.2, optimizer })
    const expected = await train(whole, 6)
    const first = start(xla, { rate: 0.2, optimizer })
    const losses = await train(first, 3)
    const state = structuredClone(first.exportState())
    first.dispose()
    const second = start(xla, { rate: 0.2, optimizer })
    second.importState(state)
    expect(second.stepsTaken).toBe(3)
    losses.push(...(await train(second, 3, 3)))
    expect(losses).toEqual(expected)
    expect(structuredClone(second.exportState())).toEqual(structuredClone(whole.exportState()))
    const other = start(xla, { rate: 0.2, optimizer, seed: 1 })
    expect(await train(other, 2)).not.toEqual(expected.slice(0, 2))
    for (const session of [whole, second, other]) session.dispose()
  })

  test("a state goes from another engine to this one and back", async () => {
    const [onnx, session] = [start(engines.onnx), start(xla)]
    await train(onnx, 3)
    session.importState(onnx.exportState())
    const [expected, found] = [await train(onnx, 3, 3), await train(session, 3, 3)]
    expectClose(found, expected, "losses", 1e-4)
    onnx.importState(session.exportState())
    expectClose(await train(onnx, 1, 6), await train(session, 1, 6), "loss", 1e-4)
    const foreign = { ...onnx.exportState(), parameters: {} }
    expect(() => session.importState(foreign)).toThrow("it belongs to another model")
    for (const each of [onnx, session]) each.dispose()
  })

  test("several batches in one step count by their weights, and draw dropout of their own", async () => {
    const batches = [makeBatch(1), makeBatch(2, { rows: 2 }), makeBatch(3)]
    const sessions = [start(xla, { rate: 0.2, seed: 3 }), start(engines.eager, { rate: 0.2, seed: 3 })]
    const results = []
    for (const session of sessions) {
      for (let step = 0; step < 3; step++) results.push(await session.step(batches, { learningRate: 0.01, weights: [1, 2, 5] }))
    }
    for (let step = 0; step < 3; step++) {
      expectClose([results[step].loss, results[step].gradientNorm], [results[step + 3].loss, results[step + 3].gradientNorm], "step", 1e-4)
    }
    await expect(sessions[0].step(batches, { learningRate: 0.01, weights: [1, 2] })).rejects.toMatchObject({ code: "engine.bad-options" })
    sessions[0].dispose()
  })

  test("parameters that only some batches reach keep the others' gradients out", async () => {
    const parameters = { a: { shape: [2], data: Float32Array.of(1, 2) }, b: { shape: [2], data: Float32Array.of(3, 4) } }
    // Which parameter counts depends on the shape alone.
    const loss = ({ x }: Record<string, tf.Tensor>, { a, b }: Record<string, tf.Tensor>) =>
      tf.mean(tf.square(x.shape[0] === 1 ? tf.add(x, a) : tf.add(x, b)))
    const short = { x: { shape: [1, 2], data: Float32Array.of(1, -1) } }
    const long = { x: { shape: [2, 2], data: Float32Array.of(1, -1, 2, 0.5) } }
    const states = []
    for (const engine of [xla, engines.eager]) {
      const session = engine.createTrainingSession({ parameters, loss })
      for (const step of [long, [short, long], [long, short], short]) await session.step(step, { learningRate: 0.1 })
      states.push(structuredClone(session.exportState()))
      session.dispose()
    }
    for (const part of ["parameters", "firstMoments", "secondMoments"] as const) {
      for (const name of ["a", "b"]) expectClose(states[0][part][name], states[1][part][name], `${part} ${name}`, 1e-4)
    }
  })

  test("what is written into a parameter counts from the next step on", async () => {
    const session = start(xla)
    await train(session, 2)
    const before = await session.evaluate(makeBatch(0))
    const best = Object.entries(session.parameters).map(([name, { data }]) => [name, data.slice()] as const)
    await train(session, 3)
    expect(await session.evaluate(makeBatch(0))).not.toBe(before)
    for (const [name, values] of best) session.parameter(name).set(values)
    expect(await session.evaluate(makeBatch(0))).toBe(before)
    session.dispose()
    expect(session.parameter("shared")).toEqual(new Map(best).get("shared"))
    expect(session.parameters.shared.data).toEqual(new Map(best).get("shared"))
  })

  test("frozen parameters stay, and the others learn", async () => {
    const session = start(xla, { frozen: ["shared", "positions"] })
    await train(session, 3)
    expect(session.parameter("shared")).toEqual(makeParameters().shared.data)
    expect(session.parameter("encoder.up")).not.toEqual(makeParameters()["encoder.up"].data)
    expect(Object.keys(session.exportState().firstMoments)).not.toContain("shared")
    session.dispose()
    const still = start(xla, { frozen: Object.keys(makeParameters()) })
    expect((await still.step(makeBatch(0), { learningRate: 1 })).gradientNorm).toBe(0)
    still.dispose()
    expect(() => start(xla, { frozen: ["nothing"] })).toThrow("There is no parameter nothing to freeze")
    expect(() => start(xla, { optimizer: { beta1: 1 } })).toThrow("AdamW needs betas in [0, 1)")
  })

  test("a loss or a gradient that is not finite stops before anything is updated", async () => {
    const session = xla.createTrainingSession({
      parameters: { w: { shape: [2], data: Float32Array.of(1, 2) } },
      loss: ({ x }, { w }) => tf.mean(tf.sqrt(tf.mul(x, w))),
      optimizer: { weightDecay: 0 },
    })
    await session.step(feed(1, 1), { learningRate: 0.1 })
    const before = structuredClone(session.exportState())
    const code = (name: string) => ({ code: `engine.${name}-not-finite`, message: expect.stringContaining("step 2") })
    await expect(session.step(feed(1, -1), { learningRate: 0.1 })).rejects.toMatchObject(code("loss"))
    await expect(session.step(feed(1, 0), { learningRate: 0.1 })).rejects.toMatchObject(code("gradient"))
    const tooFew = { x: { shape: [3], data: new Float32Array(2) } }
    await expect(session.step(tooFew, { learningRate: 1 })).rejects.toMatchObject({ code: "engine.bad-feed" })
    expect(structuredClone(session.exportState())).toEqual(before)
    await session.step(feed(1, 1), { learningRate: 0.1 })
    session.dispose()
  })

  test("the event loop stays free while a step runs, a signal stops it, and dispose may come at any time", async () => {
    const size = 768
    const loss = ({ x }: Record<string, tf.Tensor>, { w }: Record<string, tf.Tensor>) =>
      tf.mean(tf.matMul(tf.matMul(tf.matMul(x, w), w), w))
    const parameters = { w: { shape: [size, size], data: new Float32Array(size * size) } }
    const session = xla.createTrainingSession({ parameters, loss })
    const batch = { x: { shape: [size, size], data: new Float32Array(size * size) } }
    await session.step(batch, { learningRate: 0 })
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await session.step(batch, { learningRate: 0 })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(1)

    const controller = new AbortController()
    const step = session.step(batch, { learningRate: 0, signal: controller.signal })
    await expect(session.evaluate(batch)).rejects.toMatchObject({ code: "engine.busy" })
    setImmediate(() => controller.abort())
    await expect(step).rejects.toMatchObject({ code: "engine.cancelled" })
    expect(session.stepsTaken).toBe(2)
    await session.step(batch, { learningRate: 0 })
    const last = session.step(batch, { learningRate: 0 })
    session.dispose()
    session.dispose()
    await expect(last).rejects.toMatchObject({ code: "engine.cancelled" })
    await expect(session.evaluate(batch)).rejects.toMatchObject({ code: "engine.disposed" })
  })

  test("a signal ends the wait for the compiler, and the next step goes on", async () => {
    const [session, other] = [start(xla), start(xla)]
    const batch = makeBatch(0, { rows: 4 })
    for (const work of [
      session.step.bind(session, [batch, batch]),
      session.evaluate.bind(session, batch),
      session.step.bind(session, batch),
    ]) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 1)
      const promise = work({ learningRate: 0.01, signal: controller.signal } as never)
      await expect(promise).rejects.toMatchObject({ code: "engine.cancelled" })
    }
    expect(session.stepsTaken).toBe(0)
    const options = { learningRate: 0.01 }
    expect(await session.step(batch, options)).toEqual(await other.step(batch, options))
    for (const each of [session, other]) each.dispose()
  })

  test("memory stays flat over hundreds of steps", async () => {
    const session = start(xla, { rate: 0.1 })
    const batch = makeBatch(0)
    const megabytes = async (steps: number) => {
      for (let step = 0; step < steps; step++) await session.step(batch, { learningRate: 1e-3 })
      return process.memoryUsage().rss / 2 ** 20
    }
    const before = await megabytes(150)
    expect((await megabytes(300)) - before).toBeLessThan(20)
    session.dispose()
  })

  test("forward sessions follow a training, whichever way they read its parameters", async () => {
    const training = xla.createTrainingSession({
      parameters: { w: { shape: [2, 1], data: Float32Array.of(1, 2) } },
      loss: ({ x }, { w }) => tf.mean(tf.square(tf.sub(tf.matMul(x, w), 7))),
    })
    const inputs = { x: { shape: [1, 2], dtype: "float32" } } as const
    const forward = ({ x }: Record<string, tf.Tensor>, { w }: Record<string, tf.Tensor>) => ({ y: tf.matMul(x, w) })
    const session = xla.compileForward({ forward, inputs, parameters: training.parameters })
    const x = { x: Float32Array.of(1, 1) }
    expect((await session.run(x)).y).toEqual({ shape: [1, 1], data: Float32Array.of(3) })
    const batch = { x: { shape: [1, 2], data: x.x } }
    await training.step(batch, { learningRate: 0.5 })
    const found = (await session.run(x)).y.data[0]
    expect(found).toBeGreaterThan(3.9)
    expect(found).toBeCloseTo(training.parameter("w")[0] + training.parameter("w")[1], 6)
    const flexible = compileFlexible(xla, {
      forward,
      inputs: { x: { shape: ["rows", 2], dtype: "float32" } },
      parameters: training.parameters,
    })
    const rows = { x: { shape: [3, 2], data: Float32Array.of(1, 1, 0, 0, 1, 1) } }
    await training.step(batch, { learningRate: 0.1 })
    const later = training.parameter("w")[0] + training.parameter("w")[1]
    expect(later).not.toBeCloseTo(found, 2)
    // A run beside a step, whose parameters are donated.
    await Promise.all([training.step(batch, { learningRate: 0 }), session.run(x)])
    expectClose((await flexible.run(rows)).y.data, [later, 0, later], "three rows")
    training.dispose()
    expect((await session.run(x)).y.data[0]).toBeCloseTo(later, 6)
    for (const each of [session, flexible]) each.dispose()
    await expect(session.run(x)).rejects.toMatchObject({ code: "engine.disposed" })
  })

  test("a forward session rounds products where it is asked to, reads caller's memory and writes caches in place", async () => {
    const cache = Float32Array.from({ length: 16 }, (_, index) => index)
    const define = (more: object) =>
      xla.compileForward({
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
    const feeds = { slots: Int32Array.of(0, 0, 1, 1, 0, 3), rows: Float32Array.of(1, 2, 3, 4) }
    const expected = [0, 1, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 3, 4]
    const given = define({ memory: { keys: cache }, precision: "bf16" })
    expect([...(await given.run(feeds)).product.data]).toEqual([3, 7])
    expect([...cache]).toEqual(expected)
    cache[0] = 99
    await given.run({ rows: Float32Array.of(-1, -2, 3, 4) })
    expect([...cache]).toEqual([99, 1, -1, -2, ...expected.slice(4)])
    const own = define({})
    own.inputs.keys.data.set(expected)
    await own.run({ ...feeds, rows: Float32Array.of(5, 6, 7, 8) })
    const { keys } = await own.run({ ...feeds, slots: Int32Array.of(0, 0, 0, 0, 0, 2) })
    expect([...keys.data]).toEqual([1, 2, 5, 6, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 7, 8])
    for (const session of [given, own]) session.dispose()
  })

  test("gives back inputs, constants, several names of one value, and all types", async () => {
    const forward = ({ x }: Record<string, tf.Tensor>) => ({
      x,
      same: x,
      again: tf.mul(x, 2),
      one: tf.ones([2]),
      big: tf.greater(x, 1),
      whole: tf.cast(x, "int32"),
      few: tf.tensor1d([0.1]),
      infinite: tf.tensor1d([Number.POSITIVE_INFINITY, 1e-42, -0]),
    })
    const inputs = { x: { shape: [1, 2], dtype: "float32" } } as const
    const session = xla.compileForward({ forward, inputs, parameters: {} })
    expect(await session.run({ x: Float32Array.of(0.5, 1.5) })).toEqual({
      x: { shape: [1, 2], data: Float32Array.of(0.5, 1.5) },
      same: { shape: [1, 2], data: Float32Array.of(0.5, 1.5) },
      again: { shape: [1, 2], data: Float32Array.of(1, 3) },
      one: { shape: [2], data: Float32Array.of(1, 1) },
      big: { shape: [1, 2], data: Uint8Array.of(0, 1) },
      whole: { shape: [1, 2], data: Int32Array.of(0, 1) },
      few: { shape: [1], data: Float32Array.of(0.1) },
      infinite: { shape: [3], data: Float32Array.of(Number.POSITIVE_INFINITY, 1e-42, -0) },
    })
    session.dispose()
  })

  test("tensors without values go in and out", async () => {
    const inputs = { x: { shape: [0, 3], dtype: "float32" } } as const
    const session = xla.compileForward({ forward: ({ x }) => ({ y: tf.mul(x, 2), sum: tf.sum(x) }), inputs, parameters: {} })
    expect(await session.run({ x: new Float32Array(0) })).toEqual({
      y: { shape: [0, 3], data: new Float32Array(0) },
      sum: { shape: [], data: Float32Array.of(0) },
    })
    session.dispose()
  })

  test("says which device it computes on", () => {
    expect(xla.name).toBe("xla")
    expect(xla.runtime).toContain(plugin.platform)
    expect(plugin.devices.length).toBeGreaterThan(0)
  })
})
