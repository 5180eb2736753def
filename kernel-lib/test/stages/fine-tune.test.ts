// fineTune on students of a few thousand weights: what decides which weights are kept, what a repeated and a resumed training must give,
// what is written down, and what a training that cannot go on says.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { type FineTuneOptions, fineTune } from "../../src/stages/fine-tune/fine-tune"
import { openRunFolder } from "../../src/store/run"
import { createByteTokenizer, createStudent, type LoadedStudent, loadStudent, openTraining } from "../../src/students"
import { listTensors } from "../../src/students/safetensors"
import { encoderFolder } from "../students/encoder-golden"

let folder: string
let base: LoadedStudent
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fine-tune-"))
  base = await makeStudent(1)
})
afterAll(() => rm(folder, { recursive: true }))

const configuration = {
  model_type: "t5",
  vocab_size: 259,
  d_model: 16,
  d_kv: 4,
  d_ff: 32,
  num_layers: 1,
  num_heads: 4,
  feed_forward_proj: "relu",
  decoder_start_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
}
const makeStudent = (seed: number) =>
  createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed, engine: "onnx", threads: 1 })

const rows = Dataset.from(
  Array.from({ length: 24 }, (_, i) => ({ id: `row-${i}`, input: `number ${i}`, output: i % 2 === 0 ? "even" : "odd" })),
)
const settings = { train: rows, epochs: 3, batchSize: 8, engine: "onnx", dropout: 0.1, learningRate: 0.01 } as const
const train = (options: Partial<FineTuneOptions> = {}) => fineTune(base, { ...settings, ...options })
const valuesOf = (student: LoadedStudent) =>
  Object.fromEntries(Object.entries(student.weights).map(([name, { data }]) => [name, [...data]]))

describe("a training", () => {
  it("gives the same weights and curves for the same seed, and others for another; the base stays as it is", async () => {
    const before = valuesOf(base)
    const runs = [await train({ seed: 1, validation: rows }), await train({ seed: 1, validation: rows }), await train({ seed: 2 })]
    expect(valuesOf(runs[1].student)).toEqual(valuesOf(runs[0].student))
    expect(runs[1].validationLoss).toEqual(runs[0].validationLoss)
    expect(valuesOf(runs[2].student)).not.toEqual(valuesOf(runs[0].student))
    expect(valuesOf(base)).toEqual(before)
    expect(runs[0]).toMatchObject({ status: "done", steps: 9, totalSteps: 9, cutRows: 0 })
    expect(runs[0].validationLoss.map(([step]) => step)).toEqual([3, 6, 9])
  })

  it("stops early when the validation loss rises, and gives the best epoch's weights", async () => {
    // What is learnt makes these rows less likely with each epoch.
    const validation = Dataset.from(rows.inputs.map((input, i) => ({ input, output: i % 2 === 0 ? "zzzz" : "qqq" })))
    const trained = await train({ validation, epochs: 12, patience: 2, dropout: 0, warmUp: 0, schedule: "constant", learningRate: 0.02 })
    const losses = trained.validationLoss.map(([, loss]) => loss)
    const best = losses.indexOf(Math.min(...losses))
    expect(losses.length).toBeLessThan(12)
    expect(losses.length).toBe(best + 1 + 2)
    expect(trained).toMatchObject({
      status: "done",
      reason: "stopped early: the validation loss rose",
      bestStep: trained.validationLoss[best][0],
    })
    const training = await openTraining(trained.student, { batchSize: 8, engine: "onnx" })
    const encoded = validation.inputs.map((input, i) => trained.student.encodeRow(input, validation.outputs[i]))
    expect((await training.loss(encoded)).loss).toBeCloseTo(losses[best], 4)
    training.dispose()
  })

  it("takes the same steps with its batches in parts, and with half the rows twice a step", async () => {
    const plain = { dropout: 0, schedule: "constant", epochs: 2, learningRate: 1e-3 } as const
    const whole = await train(plain)
    const parts = await train({ ...plain, maxTokensPerBatch: 40 })
    expect(parts.steps).toBe(whole.steps)
    const accumulated = await train({ ...plain, batchSize: 4, accumulation: 2 })
    expect(accumulated.steps).toBe(whole.steps)
    const far = (other: LoadedStudent) =>
      Object.entries(whole.student.weights).flatMap(([name, { data }]) =>
        [...data].filter((value, at) => Math.abs(value - other.weights[name].data[at]) > 1e-4),
      )
    expect(far(parts.student).length).toBeLessThan(whole.student.parameters / 100)
  })

  it("learns adapters, from another student, with Adafactor, with a cosine: all that its options say", async () => {
    const teacher = await train({ epochs: 6 })
    const trained = await train({
      epochs: 4,
      optimizer: "adafactor",
      schedule: "cosine",
      labelSmoothing: 0.1,
      lowRank: { rank: 4 },
      distillFrom: teacher.student,
      distillWeight: 0.7,
      validation: rows,
    })
    expect(trained.settings).toMatchObject({ optimizer: "adafactor", schedule: "cosine", lowRank: { rank: 4 }, distillWeight: 0.7 })
    expect(trained.validationLoss.at(-1)![1]).toBeLessThan(trained.validationLoss[0][1])
    const changed = Object.entries(trained.student.weights).filter(([name, { data }]) =>
      data.some((value, at) => value !== base.weights[name].data[at]),
    )
    expect(changed.length).toBe(2 * 3)
  })
})

describe("in a run's folder", () => {
  const openFolder = (name: string, signal?: AbortSignal) => openRunFolder(join(folder, name), { seed: 3, engine: "onnx", signal })

  it("writes down loss, learning rate, gradient norm, epoch and speed as it goes, and the adapters beside the student", async () => {
    const run = await openFolder("events")
    const { engine: _engine, ...given } = settings
    const trained = await fineTune(base, { ...given, epochs: 8, validation: rows, lowRank: { rank: 2 }, run })
    const events = (await readFile(join(folder, "events", "events.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    const steps = events.filter(({ type }) => type === "training.step")
    expect(steps.map(({ step }) => step)).toEqual([10, 20, 24])
    expect(steps.map(({ step, loss }) => [step, loss])).toEqual(trained.trainLoss)
    for (const event of steps) {
      for (const figure of ["learningRate", "gradientNorm", "tokensPerSecond", "seconds", "tokens"])
        expect(event[figure], figure).toBeGreaterThan(0)
      expect(event.epoch).toBeCloseTo(event.step / 3, 12)
    }
    expect(events.filter(({ type }) => type === "training.validation").length).toBe(8)
    expect(events.find(({ type }) => type === "training.started")).toMatchObject({ rows: 24, padding: trained.padding, engine: "onnx" })
    const [stage] = (await readdir(join(folder, "events", "stages"))).filter((name) => name.startsWith("fineTune"))
    const files = await readdir(join(folder, "events", "stages", stage))
    expect(files).toEqual(expect.arrayContaining(["adapter", "student", "training.json"]))
    expect(files).not.toContain("checkpoints")
    expect((await listTensors(join(folder, "events", "stages", stage, trained.adapters!, "adapter_model.safetensors"))).size).toBe(12)
  })

  it("goes on after an interrupt to the weights and the curve of an undisturbed run, with Adafactor and adapters too", async () => {
    for (const [name, more] of [
      ["adamw", {}],
      ["adafactor", { optimizer: "adafactor", lowRank: { rank: 2, dropout: 0.1 } }],
    ] as [string, Partial<FineTuneOptions>][]) {
      const { engine: _engine, ...given } = { ...settings, epochs: 5, validation: rows, ...more }
      const undisturbed = await fineTune(base, { ...given, run: await openFolder(`${name} undisturbed`) })
      const controller = new AbortController()
      const run = await openFolder(`${name} interrupted`, controller.signal)
      const stopping = { ...run, record: run.record.bind(run) }
      stopping.reporter = {
        ...run.reporter,
        stageStarted() {},
        stageEnded() {},
        notice() {},
        stageProgress: (_stage, { done }) => done === 7 && controller.abort(),
      }
      await expect(fineTune(base, { ...given, run: stopping })).rejects.toMatchObject({ code: "run.interrupted" })
      const resumed = await fineTune(base, { ...given, run: await openFolder(`${name} interrupted`) })
      expect(resumed.trainLoss).toEqual(undisturbed.trainLoss)
      expect(resumed.validationLoss).toEqual(undisturbed.validationLoss)
      expect(valuesOf(resumed.student)).toEqual(valuesOf(undisturbed.student))
      expect(resumed.steps).toBe(15)
    }
  })
})

describe("an encoder", () => {
  const labelled = Dataset.from(
    ["red", "one", "two"].flatMap((word) =>
      ["the cat", "dogs", "mat", "bark not"].map((text, at) => ({
        input: `${text} ${word} ${at}`,
        output: word === "red" ? "colour" : "number",
      })),
    ),
  )
  const options = {
    train: labelled,
    validation: labelled,
    batchSize: 12,
    dropout: 0,
    learningRate: 0.02,
    patience: 200,
    schedule: "constant",
    engine: "onnx",
  } as const

  it("learns the rows' labels, whole or by adapters and its head, alone or from another", async () => {
    const encoder = await loadStudent(encoderFolder("bert-sentences"), { engine: "onnx", threads: 1 })
    const whole = await fineTune(encoder, { ...options, epochs: 120 })
    const answers = async (student: LoadedStudent) => (await student.predict(labelled.inputs)).map(({ output }) => output)
    expect(await answers(whole.student)).toEqual([...labelled.outputs])
    const adapted = await fineTune(encoder, { ...options, epochs: 80, lowRank: { rank: 4 }, distillFrom: whole.student })
    expect(adapted.bestValidationLoss).toBeLessThan(adapted.validationLoss[0][1] / 2)
    const changed = Object.entries(adapted.student.weights).filter(([name, { data }]) => {
      const before = encoder.weights[name]?.data
      return before && data.some((value, at) => value !== before[at])
    })
    expect(changed.map(([name]) => name).filter((name) => !/(query|value|pooler\.dense|classifier)\.(weight|bias)$/.test(name))).toEqual([])
    const others = Dataset.from(labelled.inputs.map((input) => ({ input, output: input.includes("red") ? "warm" : "cold" })))
    await expect(
      fineTune(encoder, { ...options, train: others, validation: others, epochs: 1, distillFrom: whole.student }),
    ).rejects.toMatchObject({
      code: "train.other-vocabulary",
      message: expect.stringContaining("has other labels"),
    })
  })

  it("leaves rows out whose answer does not stand in their context, and says how many", async () => {
    const encoder = await loadStudent(encoderFolder("bert-sentences"), { engine: "onnx", threads: 1 })
    const spans = (outputs: readonly string[]) =>
      Dataset.from(outputs.map((output, at) => ({ input: `question: who?\ncontext: one, two: ${at % 2 ? "cat" : "dog"}!`, output })))
    const given = { ...options, validation: undefined, task: "span" as const, epochs: 2 }
    const trained = await fineTune(encoder, { ...given, train: spans(["dog", "cat", "mat", "cat"]) })
    expect(trained).toMatchObject({ refusedRows: 1, steps: 2 })
    await expect(fineTune(encoder, { ...given, train: spans(["red", "mat"]) })).rejects.toMatchObject({ code: "train.no-rows" })
  })
})

describe("a training that cannot go on", () => {
  it("names the step, the rows and the remedy when the loss is no number", async () => {
    const error = await train({ learningRate: 1e30, warmUp: 0, maxGradientNorm: 1e30 }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: expect.stringMatching(/^engine\.(loss|gradient)-not-finite$/) })
    expect(error.message).toMatch(
      /^The (loss|gradient) of step 2 is not a number any more, on 8 rows \(row-\d+, row-\d+, row-\d+, row-\d+, row-\d+ and 3 more; longest input \d+ tokens, output \d\), at a learning rate of 1\.0e\+30: choose a learningRate below 1e\+30, or look at those rows\. The weights of step 1 were not changed\.$/,
    )
  })

  it("names the step, the batch and the remedy when memory is short", async () => {
    const long = Dataset.from([{ id: "the long one", input: "x".repeat(300_000), output: "y" }])
    await expect(train({ train: long, maxInputTokens: 400_000, maxTokensPerBatch: 1_000_000 })).rejects.toMatchObject({
      code: "engine.out-of-memory",
      message:
        "Step 1 needs more memory than there is, on 1 row (the long one; longest input 300001 tokens, output 2): choose maxTokensPerBatch below 1000000, maxInputTokens below 400000, or a batchSize below 8.",
    })
  })

  it("says which setting makes no sense, before anything is trained", async () => {
    await expect(train({ batchSize: -1 })).rejects.toMatchObject({ code: "train.settings" })
    await expect(train({ precision: "bf16" })).rejects.toMatchObject({ code: "engine.no-bf16" })
    await expect(train({ train: Dataset.from([]) })).rejects.toMatchObject({ code: "train.no-rows" })
  })
})
