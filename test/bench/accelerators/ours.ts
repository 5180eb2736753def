// We on one engine: a student loaded from transformers' format trains and answers. Answers questions (serve-contender.ts); the engine's name is
// the first word of its command.
import { describeEngines, selectEngine } from "../../../kernel-lib/src/engine"
import { choosePlugin, tryPlugins } from "../../../kernel-lib/src/engine/xla/choose-plugin"
import { findPlugins } from "../../../kernel-lib/src/engine/xla/find-plugins"
import { loadStudent, openTraining, type Training, type TrainingOptions, type TrainingRow } from "../../../kernel-lib/src/students"
import type { Answering } from "../../../kernel-lib/src/students/architecture"
import { readGenerationConfiguration } from "../../../kernel-lib/src/students/generation-configuration"
import { modelOf } from "../../../kernel-lib/src/students/network-student"
import { measureMemory, serveContender } from "../harness/serve-contender"

const learningRate = 1e-4
const engine = (process.argv[2] ?? "xla") as "xla" | "onnx" | "tensorflow"

let training: Training | undefined
let batches: readonly (readonly TrainingRow[])[] = []
let answering: Answering | undefined

/** Which engines are here, and what XLA's plug-in computes on. */
async function describe() {
  const { platform, version, devices } = choosePlugin(tryPlugins(await findPlugins()))
  return { engines: await describeEngines(), platform, version, device: devices[0].kind }
}

async function prepare({ folder, batches: given, ...options }: TrainingOptions & { folder: string; batches: typeof batches }) {
  training = await openTraining(await loadStudent(folder), { maxGradientNorm: 1, ...options, engine })
  batches = given
}

/** One step on each of these batches. */
async function runSteps({ batches: indices }: { batches: readonly number[] }) {
  const milliseconds: number[] = []
  const losses: number[] = []
  for (const index of indices) {
    const began = performance.now()
    const { loss } = await training!.step(batches[index], { learningRate })
    milliseconds.push(performance.now() - began)
    losses.push(loss)
  }
  return { milliseconds, losses }
}

async function prepareDecoding({ folder, threads }: { folder: string; threads: number }) {
  const student = await loadStudent(folder)
  const { tokenizer, weights } = student
  const generation = readGenerationConfiguration({})
  const parts = { engine: await selectEngine(engine), weights, areWeightsFixed: true, tokenizer, generation, threads }
  answering = modelOf(student).openAnswering(parts)
}

async function decode({ rows, maxNewTokens }: { rows: readonly (readonly number[])[]; maxNewTokens: number }) {
  const began = performance.now()
  const inputs = rows.map((ids) => ({ text: "", ids }))
  const answers = await answering!.answer(inputs, { decoding: { kind: "greedy" }, maxNewTokens })
  return { seconds: (performance.now() - began) / 1000, tokens: answers.map(({ tokens }) => tokens) }
}

/** The device's memory where the plug-in counts it, else the process's. */
async function memory() {
  const used = engine === "xla" ? choosePlugin(tryPlugins(await findPlugins())).client.measureMemory() : undefined
  return used?.peak === undefined ? measureMemory() : { peak: used.peak / 1e6, current: used.inUse / 1e6 }
}

await serveContender({ describe, prepare, steps: runSteps, prepareDecoding, decode, memory })
