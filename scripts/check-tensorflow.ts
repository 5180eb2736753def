// Whether the engine tensorflow works: one training step in float32, and one with bf16 products, beside the reference engine.
import * as tf from "@tensorflow/tfjs-core"
import { selectEngine } from "../kernel-lib/src/engine"

const size = 8
const numbers = (count: number, step: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index * step))
const batch = { x: { shape: [size, size], data: numbers(size * size, 0.7) } }

async function trainOneStep(name: "tensorflow" | "eager", precision: "fp32" | "bf16") {
  const engine = await selectEngine(name)
  const session = engine.createTrainingSession({
    parameters: { weight: { shape: [size, size], data: numbers(size * size, 0.3) } },
    loss: ({ x }, { weight }) => tf.mean(tf.square(tf.sub(tf.matMul(x, weight), 1))),
    precision,
  })
  await session.step(batch, { learningRate: 0.1 })
  const loss = await session.evaluate(batch)
  session.dispose()
  return { loss, engine }
}

async function check(): Promise<string> {
  const expected = await trainOneStep("eager", "fp32")
  const [exact, rounded] = [await trainOneStep("tensorflow", "fp32"), await trainOneStep("tensorflow", "bf16")]
  for (const [label, { loss }, tolerance] of [["fp32", exact, 1e-4] as const, ["bf16", rounded, 0.05] as const]) {
    if (Math.abs(loss - expected.loss) <= tolerance * expected.loss) continue
    throw new Error(`A training step in ${label} gave a loss of ${loss} where ${expected.loss} is right.`)
  }
  const { runtime, reason } = exact.engine
  return `${runtime}, which trained a step in fp32 and one in bf16. ${reason}`
}

// One line, which the setup shows.
try {
  console.log(await check())
} catch (error) {
  console.log((error as Error).message)
  process.exitCode = 1
}
