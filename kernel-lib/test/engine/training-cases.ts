// What a training session promises on every engine: the numbers of eager tfjs, repeatable, resumable to the last bit.
import * as tf from "@tensorflow/tfjs-core"
import { expect } from "vitest"
import type { Engine, NamedValues, OptimizerOptions } from "../../src/engine"
import { engines, expectClose } from "./compare"
import { compiled, type EngineCase, exact, rounding } from "./engine-cases"
import { makeBatch, makeParameters, startTraining, train } from "./tiny-translator"

const { onnx, eager } = engines

const optimizers: readonly (readonly [string, OptimizerOptions])[] = [
  ["AdamW", {}],
  ["AdamW that clips and decays", { maxGradientNorm: 0.5, weightDecay: 0.3 }],
  ["Adafactor", { kind: "adafactor", relativeStep: false }],
  ["Adafactor that clips, decays and sets its rate", { kind: "adafactor", maxGradientNorm: 0.5, weightDecay: 0.1, warmupInit: true }],
]

export const trainingCases: readonly EngineCase[] = [
  ...[0, 0.2].map((rate) => ({
    name: `loss and gradients of an encoder-decoder are those of eager tfjs, with dropout ${rate}`,
    on: compiled,
    check: (engine: Engine) => compareGradients(engine, rate),
  })),
  ...optimizers.map(([name, optimizer]) => ({
    name: `ten steps of ${name} over two sets of shapes are those of eager tfjs`,
    on: compiled,
    check: (engine: Engine) => compareSteps(engine, optimizer),
  })),
  { name: "learns a batch, with dropout", on: ["onnx"], check: learn },
  { name: "bf16 rounds the products, and learns all the same", on: rounding, check: learnRounded },
  { name: "refuses bf16, which it cannot do", on: exact, check: refuseRounding },
  ...[optimizers[0], ["Adafactor", { kind: "adafactor" }] as const].map(([name, optimizer]) => ({
    name: `a resumed run with ${name} goes on to the last bit, and another seed is another run`,
    on: compiled,
    check: (engine: Engine) => resume(engine, optimizer),
  })),
  { name: "a state goes from another engine to this one and back", on: rounding, check: exchangeState },
  { name: "refuses another model's state", check: refuseState },
  { name: "several batches in one step count as their mean", on: ["onnx"], check: averageBatches },
  { name: "batches weighed by their targets make the step of one large batch", on: ["onnx"], check: splitBatch },
  { name: "several batches in one step count by their weights, and draw dropout of their own", on: compiled, check: weighBatches },
  { name: "parameters that only some batches reach keep the others' gradients out", on: compiled, check: reachParametersInTurn },
  { name: "what is written into a parameter counts from the next step on", on: compiled, check: writeParameters },
  { name: "frozen parameters stay, and the others learn", on: compiled, check: freeze },
  { name: "memory stays flat over hundreds of steps", on: compiled, check: measureMemory },
]

async function compareGradients(engine: Engine, rate: number): Promise<void> {
  const [session, reference] = [startTraining(engine, { rate, seed: 5 }), startTraining(eager, { rate, seed: 5 })]
  for (const shape of [{}, { rows: 2, length: 4, target: 6 }]) {
    const batch = makeBatch(1, shape)
    const [found, expected] = [await session.computeGradients(batch), await reference.computeGradients(batch)]
    expectClose([found.loss], [expected.loss], "loss", 1e-5)
    expect(Object.keys(found.gradients).sort()).toEqual(Object.keys(makeParameters()).sort())
    for (const [name, gradient] of Object.entries(expected.gradients)) expectClose(found.gradients[name], gradient, name, 1e-4)
    expectClose([await session.evaluate(batch)], [await reference.evaluate(batch)], "evaluation", 1e-5)
  }
  session.dispose()
}

async function compareSteps(engine: Engine, optimizer: OptimizerOptions): Promise<void> {
  const sessions = [startTraining(engine, { optimizer }), startTraining(eager, { optimizer })]
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
}

async function learn(engine: Engine): Promise<void> {
  const session = startTraining(engine, { rate: 0.1 })
  const batch = makeBatch(3)
  const first = await session.evaluate(batch)
  for (let step = 0; step < 60; step++) await session.step(batch, { learningRate: 0.01 })
  expect(await session.evaluate(batch)).toBeLessThan(first / 4)
  session.dispose()
}

async function learnRounded(engine: Engine): Promise<void> {
  const [rounded, whole] = [startTraining(engine, { rate: 0.1, precision: "bf16" }), startTraining(engine, { rate: 0.1 })]
  const batch = makeBatch(3)
  const first = await whole.evaluate(batch)
  const firstRounded = await rounded.evaluate(batch)
  expect(firstRounded).not.toBe(first)
  expectClose([firstRounded], [first], "loss", 0.02)
  const [found, expected] = [await rounded.computeGradients(batch), await whole.computeGradients(batch)]
  for (const [name, gradient] of Object.entries(expected.gradients)) expectClose(found.gradients[name], gradient, name, 0.05)
  for (let step = 0; step < 60; step++) await rounded.step(batch, { learningRate: 0.01 })
  expect(await rounded.evaluate(batch)).toBeLessThan(first / 4)
  for (const session of [rounded, whole]) session.dispose()
}

async function refuseRounding(engine: Engine): Promise<void> {
  expect(() => startTraining(engine, { precision: "bf16" })).toThrow(expect.objectContaining({ code: "engine.no-bf16" }))
}

async function resume(engine: Engine, optimizer: OptimizerOptions): Promise<void> {
  const start = (seed = 0) => startTraining(engine, { rate: 0.2, optimizer, seed })
  const whole = start()
  const expected = await train(whole, 6)
  const first = start()
  const losses = await train(first, 3)
  const state = structuredClone(first.exportState())
  first.dispose()
  const second = start()
  second.importState(state)
  expect(second.stepsTaken).toBe(3)
  losses.push(...(await train(second, 3, 3)))
  expect(losses).toEqual(expected)
  expect(structuredClone(second.exportState())).toEqual(structuredClone(whole.exportState()))
  const other = start(1)
  expect(await train(other, 2)).not.toEqual(expected.slice(0, 2))
  for (const session of [whole, second, other]) session.dispose()
}

async function exchangeState(engine: Engine): Promise<void> {
  const [other, session] = [startTraining(onnx), startTraining(engine)]
  await train(other, 3)
  session.importState(other.exportState())
  const [expected, found] = [await train(other, 3, 3), await train(session, 3, 3)]
  expectClose(found, expected, "losses", 1e-4)
  other.importState(session.exportState())
  expectClose(await train(other, 1, 6), await train(session, 1, 6), "loss", 1e-4)
  for (const each of [other, session]) each.dispose()
}

async function refuseState(engine: Engine): Promise<void> {
  const session = startTraining(engine)
  expect(() => session.importState({ ...session.exportState(), parameters: {} })).toThrow("it belongs to another model")
  session.dispose()
}

async function averageBatches(engine: Engine): Promise<void> {
  const [together, apart] = [startTraining(engine), startTraining(engine)]
  const batches = [makeBatch(1), makeBatch(2, { rows: 2 }), makeBatch(3)]
  const parts: Awaited<ReturnType<typeof apart.computeGradients>>[] = []
  for (const batch of batches) parts.push(await apart.computeGradients(batch))
  const { loss } = await together.step(batches, { learningRate: 0 })
  expectClose([loss], [parts.reduce((sum, part) => sum + part.loss, 0) / 3], "loss", 1e-6)
  const { firstMoments } = together.exportState()
  for (const [name, moment] of Object.entries(firstMoments)) {
    const mean = Array.from(moment, (_, index) => parts.reduce((sum, part) => sum + part.gradients[name][index], 0) / 3)
    const expected = mean.map((gradient) => gradient * 0.1)
    expectClose(moment, expected, name, 1e-5)
  }
  for (const session of [together, apart]) session.dispose()
}

async function splitBatch(engine: Engine): Promise<void> {
  const whole = makeBatch(4, { rows: 9 })
  const parts = [sliceRows(whole, 0, 2), sliceRows(whole, 2, 7), sliceRows(whole, 7, 9)]
  const weights = parts.map(({ labels }) => labels.data.filter((label) => label !== -100).length)
  expect(new Set(weights).size).toBeGreaterThan(1)
  const optimizer = { maxGradientNorm: 1 }
  const [together, apart] = [startTraining(engine, { optimizer }), startTraining(engine, { optimizer })]
  const one = await together.step(whole, { learningRate: 0.01 })
  const several = await apart.step(parts, { learningRate: 0.01, weights })
  expectClose([several.loss, several.gradientNorm], [one.loss, one.gradientNorm], "loss and norm", 1e-5)
  const [expected, found] = [together.exportState(), apart.exportState()]
  for (const name of Object.keys(expected.firstMoments)) expectClose(found.firstMoments[name], expected.firstMoments[name], name, 1e-5)
  for (const session of [together, apart]) session.dispose()
}

function sliceRows(batch: NamedValues, from: number, to: number): NamedValues {
  const slice = ({ shape, data }: NamedValues[string]) => {
    const width = data.length / shape[0]
    return { shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) }
  }
  return Object.fromEntries(Object.entries(batch).map(([name, value]) => [name, slice(value)]))
}

async function weighBatches(engine: Engine): Promise<void> {
  const batches = [makeBatch(1), makeBatch(2, { rows: 2 }), makeBatch(3)]
  const [session, reference] = [startTraining(engine, { rate: 0.2, seed: 3 }), startTraining(eager, { rate: 0.2, seed: 3 })]
  for (let step = 0; step < 3; step++) {
    const options = { learningRate: 0.01, weights: [1, 2, 5] }
    const [found, expected] = [await session.step(batches, options), await reference.step(batches, options)]
    expectClose([found.loss, found.gradientNorm], [expected.loss, expected.gradientNorm], `step ${step}`, 1e-4)
  }
  await expect(session.step(batches, { learningRate: 0.01, weights: [1, 2] })).rejects.toMatchObject({ code: "engine.bad-options" })
  session.dispose()
}

async function reachParametersInTurn(engine: Engine): Promise<void> {
  const parameters = { a: { shape: [2], data: Float32Array.of(1, 2) }, b: { shape: [2], data: Float32Array.of(3, 4) } }
  // Which parameter counts depends on the shape alone.
  const loss = ({ x }: Record<string, tf.Tensor>, { a, b }: Record<string, tf.Tensor>) =>
    tf.mean(tf.square(x.shape[0] === 1 ? tf.add(x, a) : tf.add(x, b)))
  const short = { x: { shape: [1, 2], data: Float32Array.of(1, -1) } }
  const long = { x: { shape: [2, 2], data: Float32Array.of(1, -1, 2, 0.5) } }
  const states = []
  for (const each of [engine, eager]) {
    const session = each.createTrainingSession({ parameters, loss })
    for (const step of [long, [short, long], [long, short], short]) await session.step(step, { learningRate: 0.1 })
    states.push(structuredClone(session.exportState()))
    session.dispose()
  }
  for (const part of ["parameters", "firstMoments", "secondMoments"] as const) {
    for (const name of ["a", "b"]) expectClose(states[0][part][name], states[1][part][name], `${part} ${name}`, 1e-4)
  }
}

async function writeParameters(engine: Engine): Promise<void> {
  const session = startTraining(engine)
  await train(session, 2)
  const before = await session.evaluate(makeBatch(0))
  const best = Object.entries(session.parameters).map(([name, { data }]) => [name, data.slice()] as const)
  await train(session, 3)
  expect(await session.evaluate(makeBatch(0))).not.toBe(before)
  for (const [name, values] of best) session.parameter(name).set(values)
  expect(await session.evaluate(makeBatch(0))).toBe(before)
  const { shared } = session.parameters
  session.dispose()
  expect(session.parameter("shared")).toEqual(new Map(best).get("shared"))
  expect(shared.data).toEqual(new Map(best).get("shared"))
}

async function freeze(engine: Engine): Promise<void> {
  const session = startTraining(engine, { frozen: ["shared", "positions"] })
  await train(session, 3)
  expect(session.parameter("shared")).toEqual(makeParameters().shared.data)
  expect(session.parameter("encoder.up")).not.toEqual(makeParameters()["encoder.up"].data)
  expect(Object.keys(session.exportState().firstMoments)).not.toContain("shared")
  session.dispose()
  const still = startTraining(engine, { frozen: Object.keys(makeParameters()) })
  expect((await still.step(makeBatch(0), { learningRate: 1 })).gradientNorm).toBe(0)
  still.dispose()
}

async function measureMemory(engine: Engine): Promise<void> {
  const session = startTraining(engine, { rate: 0.1 })
  const batch = makeBatch(0)
  const megabytes = async (steps: number) => {
    for (let step = 0; step < steps; step++) await session.step(batch, { learningRate: 1e-3 })
    return process.memoryUsage().rss / 2 ** 20
  }
  const before = await megabytes(150)
  // A leak of the step's own tensors would be 27 MB or more; garbage that waits to be collected is less.
  expect((await megabytes(300)) - before).toBeLessThan(20)
  session.dispose()
}
