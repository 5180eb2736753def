// We in training: a student loaded from transformers' format, trained as fineTune does. Answers questions (serve-contender.ts).
import { describeEngines } from "../../../kernel-lib/src/engine"
import { loadStudent, openTraining, type Training, type TrainingOptions, type TrainingRow } from "../../../kernel-lib/src/students"
import { serveContender } from "../harness/serve-contender"
import { planRows } from "./plan-rows"

const learningRate = 1e-4

let training: Training | undefined
let batches: readonly (readonly TrainingRow[])[] = []

interface Preparation extends TrainingOptions {
  readonly folder: string
  readonly batches: readonly (readonly TrainingRow[])[]
}

async function prepare({ folder, batches: given, ...options }: Preparation): Promise<{ engine: string }> {
  training = await open(folder, { ...options, areTokensEven: true })
  batches = given
  return { engine: training.engine }
}

async function open(folder: string, options: TrainingOptions): Promise<Training> {
  return openTraining(await loadStudent(folder), { maxGradientNorm: 1, ...options })
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

interface Mark {
  readonly steps: number
  readonly tokens: number
  readonly seconds: number
  readonly residentMB: number
}
const stepsAMark = 25

/** Epochs (default 1) in the order of fineTune, their graphs made on the way. */
async function trainEpochs({
  folder,
  rows,
  epochs = 1,
  ...options
}: TrainingOptions & { folder: string; rows: readonly TrainingRow[]; epochs?: number }) {
  const { batches, lengths } = planRows(rows, options.batchSize)
  const opened = await open(folder, { ...options, lengths, areTokensEven: true })
  const began = performance.now()
  const secondsPassed = () => (performance.now() - began) / 1000
  const marks: Mark[] = []
  let tokens = 0
  let steps = 0
  for (const batch of new Array<typeof batches>(epochs).fill(batches).flat()) {
    tokens += (await opened.step(batch, { learningRate })).tokens
    steps++
    if (steps % stepsAMark === 0) marks.push({ steps, tokens, seconds: secondsPassed(), residentMB: process.memoryUsage().rss / 1e6 })
  }
  const seconds = secondsPassed()
  opened.dispose()
  return { seconds, steps, tokens, marks }
}

await serveContender({ engines: describeEngines, prepare, steps: runSteps, epoch: trainEpochs })
