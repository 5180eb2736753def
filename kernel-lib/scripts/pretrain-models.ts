// Pretrains the base models that the bundled hub ships, with this library's own engine. From the repository's root:
//
//   npx unrun kernel-lib/scripts/pretrain-models.ts [NAME ...] [--threads N]
//   npx unrun kernel-lib/scripts/build-catalogue.ts
//
// The first writes kernel-lib/data/models/NAME, the second its card. A model's rows are drawn from its name's seed; a checkpoint a minute
// lies in .cache/pretraining, from which the same command goes on.
import { mkdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Random } from "../src/core/random"
import { writeFileAtomically } from "../src/store/atomic"
import { packageFolder } from "../src/store/package-folder"
import { createByteTokenizer, createStudent, openTraining, type Training, type TrainingRow } from "../src/students"
import { drawRows } from "./pretraining/exercises"
import { type PretrainingRecipe, pretrainingRecipes } from "./pretraining/recipes"
import { savePretrained } from "./pretraining/save-pretrained"

/** Rows that are drawn at once and divided into batches of like lengths. */
const rowsAPool = 4096
/** Lengths that batches are padded to: inputs and outputs of a T5, whole texts of a decoder. */
const inputLengths = [24, 48, 80, 112, 160, 224]
const outputLengths = [12, 28, 56, 120]
const textLengths = [64, 96, 144, 208, 304]
const secondsBetweenCheckpoints = 60

interface Progress {
  readonly step: number
  readonly seconds: number
  readonly tokens: number
  /** Mean loss of each hundred steps. */
  readonly losses: readonly number[]
}

export async function pretrain(recipe: PretrainingRecipe, threads: number): Promise<void> {
  const folder = join(packageFolder(), "..", ".cache", "pretraining", recipe.name)
  const { name, configuration, template = { kind: "bare" } } = recipe
  const student = createStudent({ name, configuration, template, tokenizer: createByteTokenizer({ extraIds: 125 }), seed: name, threads })
  const isDecoder = configuration.model_type !== "t5"
  const lengths = isDecoder ? [textLengths] : [inputLengths, outputLengths]
  const training = await openTraining(student, {
    batchSize: recipe.batchSize,
    lengths,
    threads,
    dropout: 0,
    weightDecay: 0.1,
    maxGradientNorm: 1,
    seed: 1,
  })
  let progress = await resume(training, folder)
  const began = performance.now() - progress.seconds * 1000
  let saved = performance.now()
  let recent: number[] = []
  for (const batch of drawBatches(recipe, training, isDecoder, progress.step)) {
    if (progress.step >= recipe.steps) break
    const { loss, tokens } = await training.step(batch, { learningRate: learningRateAt(progress.step, recipe) })
    recent.push(loss)
    const losses = recent.length < 100 ? progress.losses : [...progress.losses, recent.reduce((sum, one) => sum + one, 0) / recent.length]
    progress = { step: progress.step + 1, seconds: (performance.now() - began) / 1000, tokens: progress.tokens + tokens, losses }
    if (recent.length === 100) {
      console.log(
        `${name}: step ${progress.step}, loss ${losses.at(-1)!.toFixed(3)}, ${Math.round(progress.tokens / progress.seconds)} tokens/s`,
      )
      recent = []
      if (performance.now() - saved > secondsBetweenCheckpoints * 1000) {
        await checkpoint(training, progress, folder)
        saved = performance.now()
      }
    }
  }
  await checkpoint(training, progress, folder)
  const { step: steps, tokens, losses } = progress
  const { parameters } = student
  const pretrained = { parameters, steps, rowsAStep: recipe.batchSize, tokens, loss: losses.at(-1), seed: name }
  await training.finish({ maxOutputTokens: outputLengths.at(-1), history: { pretrained } })
  await savePretrained(student, join(packageFolder(), "data", "models", name))
}

/** A rise, a plateau, and a straight way down over the last quarter. */
function learningRateAt(step: number, { steps, learningRate }: PretrainingRecipe): number {
  return learningRate * Math.min(1, (step + 1) / 300, (4 * (steps - step)) / steps)
}

/** Batches from step `from` on: whole ones of rows whose lengths are alike. The same for every run. */
function* drawBatches({ name, batchSize, makeExercises }: PretrainingRecipe, { student }: Training, isDecoder: boolean, from: number) {
  const exercises = makeExercises()
  let step = 0
  for (let pool = 0; ; pool++) {
    const random = new Random(`${name} pool ${pool}`)
    const rows = drawRows(exercises, random)
    const byShape = new Map<string, TrainingRow[]>()
    for (let i = 0; i < rowsAPool; i++) {
      const { input, output } = rows.next().value
      const row = student.encodeRow(input, output)
      const shape = isDecoder
        ? [place(textLengths, row.inputIds.length + row.labelIds.length - 1)]
        : [place(inputLengths, row.inputIds.length), place(outputLengths, row.labelIds.length)]
      if (shape.includes(-1)) continue
      byShape.set(shape.join(), [...(byShape.get(shape.join()) ?? []), row])
    }
    const batches = [...byShape.values()].flatMap((members) =>
      Array.from({ length: Math.floor(members.length / batchSize) }, (_, i) => members.slice(i * batchSize, (i + 1) * batchSize)),
    )
    for (const batch of random.shuffle(batches)) if (step++ >= from) yield batch
  }
}

const place = (lengths: readonly number[], length: number) => lengths.findIndex((one) => one >= length)

async function checkpoint(training: Training, progress: Progress, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const name = `checkpoint-${progress.step}`
  await training.saveCheckpoint(join(folder, name))
  const earlier = await readState(folder)
  await writeFileAtomically(join(folder, "state.json"), JSON.stringify({ checkpoint: name, progress }))
  if (earlier && earlier.checkpoint !== name) await rm(join(folder, earlier.checkpoint), { recursive: true, force: true })
}

async function resume(training: Training, folder: string): Promise<Progress> {
  const state = await readState(folder)
  if (!state) return { step: 0, seconds: 0, tokens: 0, losses: [] }
  await training.loadCheckpoint(join(folder, state.checkpoint))
  return state.progress
}

async function readState(folder: string): Promise<{ checkpoint: string; progress: Progress } | undefined> {
  return JSON.parse(await readFile(join(folder, "state.json"), "utf8").catch(() => "null")) ?? undefined
}

if (process.argv[1]?.includes("pretrain-models")) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { threads: { type: "string", default: "2" } } })
  for (const recipe of pretrainingRecipes.filter(({ name }) => positionals.length === 0 || positionals.includes(name)))
    await pretrain(recipe, Number(values.threads))
}
