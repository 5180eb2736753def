// AdamW against its formula in double precision, and the WebAssembly against its text.
import { describe, expect, test } from "vitest"
import { assemble } from "../../scripts/build-wasm.mjs"
import { Random } from "../../src/core/random"
import { webAssembly } from "../../src/core/web-assembly"
import { AdamW } from "../../src/engine/optimizers/adamw"
import { adamwModule } from "../../src/engine/optimizers/adamw.wasm"
import { CallThreads } from "../../src/engine/optimizers/call-threads"
import type { AdamWOptions } from "../../src/engine/optimizers/optimizer-options"
import { expectClose } from "./compare"

const random = new Random("adamw")
const normals = (count: number) => Float32Array.from({ length: count }, () => random.normal())
const makeParameters = () => ({
  weight: { shape: [5, 7], data: normals(35) },
  bias: { shape: [7], data: normals(7) },
  number: { shape: [], data: normals(1) },
})

/** PyTorch's torch.optim.AdamW, one parameter at a time, in double precision. */
class Reference {
  private step = 0
  private readonly m: Float64Array
  private readonly v: Float64Array
  readonly p: Float64Array

  constructor(
    initial: Float32Array,
    private readonly options: Required<Pick<AdamWOptions, "beta1" | "beta2" | "epsilon" | "weightDecay">>,
  ) {
    this.p = Float64Array.from(initial)
    this.m = new Float64Array(initial.length)
    this.v = new Float64Array(initial.length)
  }

  update(gradient: Float32Array, learningRate: number, scale = 1): void {
    const { beta1, beta2, epsilon, weightDecay } = this.options
    this.step++
    gradient.forEach((raw, i) => {
      const g = raw * scale
      this.p[i] -= learningRate * weightDecay * this.p[i]
      this.m[i] = beta1 * this.m[i] + (1 - beta1) * g
      this.v[i] = beta2 * this.v[i] + (1 - beta2) * g * g
      const [m, v] = [this.m[i] / (1 - beta1 ** this.step), this.v[i] / (1 - beta2 ** this.step)]
      this.p[i] -= (learningRate * m) / (Math.sqrt(v) + epsilon)
    })
  }
}

const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }

test.each([
  ["defaults", {}],
  ["other options", { beta1: 0.8, beta2: 0.95, epsilon: 1e-4, weightDecay: 0.3 }],
  ["clipping", { maxGradientNorm: 0.5 }],
  ["a norm that is never reached", { maxGradientNorm: 1e6 }],
] as [string, AdamWOptions][])("twenty steps follow the formula: %s", async (_name, options) => {
  const parameters = makeParameters()
  const optimizer = new AdamW(parameters, [], options)
  const chosen = { ...defaults, ...options }
  const references = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [
      name,
      new Reference(data, { ...chosen, weightDecay: shape.length >= 2 ? chosen.weightDecay : 0 }),
    ]),
  )
  for (let step = 0; step < 20; step++) {
    const learningRate = 0.01 / (step + 1)
    const gradients = Object.fromEntries(optimizer.names.map((name) => [name, normals(optimizer.values(name).length)]))
    const norm = Math.sqrt(Object.values(gradients).reduce((sum, gradient) => sum + gradient.reduce((part, g) => part + g * g, 0), 0))
    const scale = options.maxGradientNorm === undefined ? 1 : Math.min(1, options.maxGradientNorm / (norm + 1e-6))
    for (const name of optimizer.names) optimizer.gradient(name).set(gradients[name])
    const found = await optimizer.update(optimizer.names, learningRate)
    expect(found).toBeCloseTo(norm, 5)
    for (const name of optimizer.names) references[name].update(gradients[name], learningRate, scale)
  }
  for (const name of optimizer.names) expectClose(optimizer.values(name), references[name].p, name, 1e-6)
  expect(optimizer.stepsTaken).toBe(20)
})

test("what decays can be chosen", async () => {
  const parameters = makeParameters()
  const optimizer = new AdamW(parameters, [], { weightDecay: 0.5, decays: (name) => name === "bias" })
  await optimizer.update(optimizer.names, 0.1)
  expect(Array.from(optimizer.values("weight"))).toEqual(Array.from(parameters.weight.data))
  expectClose(
    optimizer.values("bias"),
    parameters.bias.data.map((x) => x * 0.95),
    "bias",
    1e-6,
  )
})

test("a parameter without a gradient and a frozen one keep their values", async () => {
  const parameters = makeParameters()
  const optimizer = new AdamW(parameters, ["bias"], {})
  expect(optimizer.trainedNames).toEqual(["weight", "number"])
  optimizer.gradient("weight").fill(1)
  await optimizer.update(["weight"], 0.1)
  expect(optimizer.values("weight")).not.toEqual(parameters.weight.data)
  expect(optimizer.values("bias")).toEqual(parameters.bias.data)
  expect(optimizer.values("number")).toEqual(parameters.number.data)
})

test("the state of one goes into another, which then does the same to the last bit", async () => {
  const [first, second] = [new AdamW(makeParameters(), [], {}), new AdamW(makeParameters(), [], {})]
  const step = async (optimizer: AdamW, seed: number) => {
    const draws = new Random(seed)
    for (const name of optimizer.names) optimizer.gradient(name).set(optimizer.values(name).map(() => draws.normal()))
    await optimizer.update(optimizer.names, 0.01)
  }
  for (let seed = 0; seed < 3; seed++) await step(first, seed)
  second.importState(structuredClone(first.exportState()))
  for (let seed = 3; seed < 6; seed++) for (const optimizer of [first, second]) await step(optimizer, seed)
  expect(second.exportState()).toEqual(first.exportState())
})

test("refuses a state of another model, and changes nothing", () => {
  const optimizer = new AdamW(makeParameters(), [], {})
  const before = structuredClone(optimizer.exportState())
  const { bias, ...parameters } = structuredClone(before).parameters
  const other = { ...structuredClone(before), stepsTaken: 4, parameters: { ...parameters, weight: new Float32Array(35) } }
  expect(bias).toBeDefined()
  expect(() => optimizer.importState(other)).toThrow("The saved state has no values where the model has 7 for bias (parameters)")
  expect(optimizer.exportState()).toEqual(before)
})

test("refuses gradients that are not finite, options that make no sense and names that are not there", async () => {
  const optimizer = new AdamW(makeParameters(), [], { maxGradientNorm: 1 })
  optimizer.gradient("bias")[2] = Number.NaN
  await expect(optimizer.update(optimizer.names, 0.1)).rejects.toThrow("The gradients of step 1 are not finite")
  expect(optimizer.stepsTaken).toBe(0)
  expect(() => new AdamW(makeParameters(), [], { beta1: 1 })).toThrow("AdamW needs betas in [0, 1)")
  expect(() => new AdamW(makeParameters(), ["wieght"], {})).toThrow("There is no parameter wieght to freeze")
  expect(() => optimizer.values("wieght")).toThrow("There is no parameter wieght")
  expect(() => new AdamW({ short: { shape: [4], data: new Float32Array(3) } }, [], {})).toThrow(
    "The parameter short of shape [4] needs 4 values and has 3.",
  )
})

test("moments do not fade into denormal numbers", async () => {
  const optimizer = new AdamW({ p: { shape: [4], data: new Float32Array(4) } }, [], {})
  optimizer.gradient("p").fill(1e-6)
  await optimizer.update(["p"], 1e-3)
  optimizer.gradient("p").fill(0)
  for (let step = 0; step < 1200; step++) await optimizer.update(["p"], 1e-3)
  for (const moment of optimizer.exportState().firstMoments.p) {
    expect(moment).toBeGreaterThan(1e-37)
    expect(moment).toBeLessThan(1e-30)
  }
})

test("the WebAssembly that is shipped is its text, assembled", async () => {
  expect(adamwModule).toBe((await assemble("adamw")).toString("base64"))
})

describe("on several threads", () => {
  /** Enough numbers for threads to be woken. */
  const large = () => ({
    matrix: { shape: [4, 2 ** 20], data: new Float32Array(2 ** 22).fill(0.5) },
    vector: { shape: [3], data: Float32Array.of(1, 2, 3) },
  })
  const fillGradients = (optimizer: AdamW) => {
    for (const name of optimizer.names) {
      const gradient = optimizer.gradient(name)
      for (let i = 0; i < gradient.length; i++) gradient[i] = ((i * 7919) % 1000) / 1000 - 0.5
    }
  }

  test("a step is the same to the last bit, its norm too, and after the threads ended", async () => {
    const [alone, together] = [1, 3].map((threads) => new AdamW(large(), [], { maxGradientNorm: 1 }, threads))
    for (let step = 0; step < 3; step++) {
      if (step === 2) together.dispose()
      const norms: number[] = []
      for (const optimizer of [alone, together]) {
        fillGradients(optimizer)
        norms.push(await optimizer.update(optimizer.names, 0.01))
      }
      expect(norms[1]).toBe(norms[0])
    }
    for (const name of alone.names) expect(Buffer.compare(bytesOf(together.values(name)), bytesOf(alone.values(name)))).toBe(0)
    expect(alone.values("matrix")[0]).not.toBe(0.5)
  })

  test("a fault of a call ends the step with an error, and no thread waits", async () => {
    const memory = new webAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const threads = new CallThreads(adamwModule, [memory], 2)
    const beyond = { memory, name: "sumOfSquares", parameters: [0, 2 ** 20], size: 2 ** 22 }
    await expect(threads.run([beyond, beyond, beyond])).rejects.toMatchObject({ code: "engine.thread-failed" })
    const within = { memory, name: "sumOfSquares", parameters: [0, 65536], size: 2 ** 22 }
    expect([...(await threads.run([within, within]))]).toEqual([0, 0])
    threads.dispose()
  })
})

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength)
