// Every network family on XLA: loss, gradients, curves and answers of the small models that transformers computed with, as they are tested on
// the other engines.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { LossFunction, NamedParameters, NamedValues } from "../../kernel-lib/src/engine"
import type { T5Shape } from "../../kernel-lib/src/networks/t5"
import { loadStudent, openTraining, type TrainingRow } from "../../kernel-lib/src/students"
import type { Architecture } from "../../kernel-lib/src/students/architecture"
import { type DecodeOptions, decodeRows } from "../../kernel-lib/src/students/decode"
import { DecodingMemory } from "../../kernel-lib/src/students/decoding-memory"
import { modelOf } from "../../kernel-lib/src/students/network-student"
import { t5Decoder } from "../../kernel-lib/src/students/t5-decoder"
import { decoderModels, readDecoderGolden, readDecoderModel, readDecoderTensors } from "../../kernel-lib/test/students/decoder-golden"
import {
  encoderFolder,
  type GoldenRow,
  goldenEncoders,
  readEncoderGolden,
  readEncoderTensors,
} from "../../kernel-lib/test/students/encoder-golden"
import {
  expectSameAnswers,
  goldenFolder,
  goldenModels,
  largestDifference,
  readGolden,
  readGoldenTensors,
} from "../../kernel-lib/test/students/golden"
import { label, pluginFile, xla } from "./xla"

/** What transformers says of a model, and the model. */
interface Example {
  readonly golden: {
    readonly loss: number
    readonly losses: readonly number[]
    readonly gradientNorms: readonly number[]
    readonly optimizer: { readonly learningRate: number; readonly weightDecay: number; readonly maxGradientNorm: number }
  }
  readonly rows: readonly TrainingRow[]
  readonly batches: readonly (readonly TrainingRow[])[]
  readonly tensors: ReadonlyMap<string, { readonly data: Float32Array }>
  readonly architecture: Architecture
  readonly weights: NamedParameters
}

type Open = () => Promise<Example>

const t5s = goldenModels.map((name): [string, Open] => [
  `T5 ${name}`,
  async () => {
    const [golden, student] = [readGolden(name), await loadStudent(goldenFolder(name))]
    const { rows, batches } = golden
    return { golden, rows, batches, tensors: await readGoldenTensors(name), architecture: modelOf(student), weights: student.weights }
  },
])
const decoders = decoderModels.map((name): [string, Open] => [
  name,
  async () => {
    const golden = readDecoderGolden(name)
    const { rows, batches } = golden
    return { golden, rows, batches, tensors: await readDecoderTensors(name), ...(await readDecoderModel(name)) }
  },
])
const encoders = goldenEncoders.map((name): [string, Open] => [
  name,
  async () => {
    const [golden, student] = [readEncoderGolden(name), await loadStudent(encoderFolder(name))]
    const [rows, ...batches] = [golden.rows, ...golden.batches].map((group) => group.map(rowOf))
    return { golden, rows, batches, tensors: await readEncoderTensors(name), architecture: modelOf(student), weights: student.weights }
  },
])

/** A golden row as the student's own. */
function rowOf({ ids, label, secondPart = 0, start = 0, end = 0 }: GoldenRow): TrainingRow {
  if (label !== undefined) return { inputIds: ids, labelIds: [label] }
  const inner = ids.slice(secondPart, -1)
  const tokens = { ids: inner, ranges: inner.map(() => [0, 0] as const) }
  return {
    inputIds: ids,
    labelIds: ids.slice(start, end + 1),
    input: { context: "", tokens, before: ids.slice(0, secondPart), after: ids.slice(-1), secondPart },
    answer: [start - secondPart, end + 1 - secondPart],
    contextAt: secondPart,
    window: [0, inner.length],
  } as TrainingRow
}

describe.skipIf(!pluginFile)(label, () => {
  test.each([...t5s, ...decoders, ...encoders])("%s has transformers' loss and gradients", async (_name, open) => {
    const { golden, rows, tensors, architecture, weights } = await open()
    const loss: LossFunction = architecture.loss(0)
    const session = xla.createTrainingSession({ parameters: weights, loss })
    const result = await session.computeGradients(architecture.makeBatch(rows, rows.length + 1))
    expect(result.loss).toBeCloseTo(golden.loss, 4)
    for (const key of Object.keys(weights)) {
      expect(largestDifference(result.gradients[key], tensors.get(`gradients/${key}`)!.data), key).toBeLessThan(1e-4)
    }
    session.dispose()
  })

  // One of each family: a program is compiled for each batch's shape.
  test.each([t5s[0], decoders[2], encoders[1]])("%s goes along transformers' curve", async (_name, open) => {
    const { golden, batches, architecture, weights } = await open()
    const { learningRate, ...limits } = golden.optimizer
    const session = xla.createTrainingSession({
      parameters: weights,
      loss: architecture.loss(0),
      optimizer: { ...limits, decays: architecture.decays },
    })
    for (let step = 0; step < 5; step++) {
      const batch: NamedValues = architecture.makeBatch(batches[step % batches.length], 4)
      const { loss, gradientNorm } = await session.step(batch, { learningRate })
      expect(Math.abs(loss - golden.losses[step]), `step ${step}`).toBeLessThan(2e-3)
      expect(gradientNorm / golden.gradientNorms[step], `step ${step}`).toBeCloseTo(1, 2)
    }
    session.dispose()
  })

  test("a student whose engine is xla trains, answers in training and after it, and is on other engines what it was", async () => {
    process.env.PJRT_PLUGIN = pluginFile
    const { batches } = readGolden("relu-tied")
    const base = await loadStudent(goldenFolder("relu-tied"), { engine: "xla" })
    const training = await openTraining(base, { batchSize: 4, engine: "xla", dropout: 0.1 })
    expect(training.engine).toBe("xla")
    const question = ["3rd of May 1999"]
    const [early] = await base.predict(question)
    const { loss: first } = await training.loss(batches[0])
    for (let step = 0; step < 4; step++) await training.step(batches[0], { learningRate: 0.02 })
    training.keepBest()
    expect((await training.loss(batches[0])).loss).toBeLessThan(first)
    const [live] = await base.predict(question)
    expect(live.confidence).not.toBe(early.confidence)
    await training.step(batches[0], { learningRate: 0.02 })
    training.restoreBest()
    await training.finish()
    expectSameAnswers(await base.predict(question), [live])
    const folder = mkdtempSync(join(tmpdir(), "xla-student-"))
    await base.save(folder)
    const elsewhere = await loadStudent(folder, { engine: "onnx", threads: 1 })
    expectSameAnswers(await elsewhere.predict(question), [live])
    for (const student of [base, elsewhere]) student.dispose()
    rmSync(folder, { recursive: true })
  })

  test("T5 answers greedily and with beams as transformers does, past the caches' first size too", async () => {
    const { questions, greedy, greedyLong, beam4, confidences } = readGolden("gated-untied")
    const student = await loadStudent(goldenFolder("gated-untied"))
    const memory = new DecodingMemory(xla, t5Decoder(modelOf(student).shape as T5Shape), student.weights, undefined, true)
    const plain: DecodeOptions = {
      decoding: { kind: "greedy" },
      maxNewTokens: 12,
      startId: 0,
      endIds: [1],
      lengthPenalty: 1,
      stopsEarly: false,
    }
    const rows = await decodeRows(memory, questions, plain)
    expect(rows.map(({ tokens }) => tokens)).toEqual(greedy)
    rows.forEach(({ confidence }, row) => {
      expect(confidence).toBeCloseTo(confidences[row], 4)
    })
    const few = questions.slice(0, 8)
    const long = await decodeRows(memory, few, { ...plain, maxNewTokens: 40 })
    expect(long.map(({ tokens }) => tokens)).toEqual(greedyLong)
    const beams = await decodeRows(memory, few, { ...plain, decoding: { kind: "beam", beams: 4 } })
    expect(beams.map(({ tokens }) => tokens)).toEqual(beam4.slice(0, 8))
    memory.dispose()
  })
})
