// Ways of training beside the usual one: adapters, a teacher, batches in parts, Adafactor.
import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  createByteTokenizer,
  createStudent,
  type LoadedStudent,
  loadStudent,
  measureRow,
  openTraining,
  type Training,
} from "../../src/students"
import { listTensors } from "../../src/students/safetensors"
import { expectSameAnswers, type GoldenModel, goldenFolder, largestDifference, readGolden } from "./golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "training-ways-"))
})
afterAll(() => rm(folder, { recursive: true }))

type Options = Partial<Parameters<typeof openTraining>[1]>
const load = (name: GoldenModel) => loadStudent(goldenFolder(name), { engine: "onnx", threads: 1 })
const open = (student: LoadedStudent, options: Options = {}) =>
  openTraining(student, { batchSize: 4, dropout: 0, maxGradientNorm: 1, engine: "onnx", threads: 1, ...options })
const openGolden = async (options: Options = {}) => open(await load("relu-tied"), options)
const valuesOf = (student: LoadedStudent) =>
  Object.fromEntries(Object.entries(student.weights).map(([name, { data }]) => [name, [...data]]))
const { batches } = readGolden("relu-tied")
const rows = batches.flat()
const rate = { learningRate: 0.02 }

async function steps(training: Training, count: number, from = 0): Promise<number[]> {
  const losses: number[] = []
  for (let step = from; step < from + count; step++) losses.push((await training.step(batches[step % batches.length], rate)).loss)
  return losses
}

describe("lowRank", () => {
  const lowRank = { rank: 3, alpha: 12, targets: ["q", "v"] }

  it("changes the chosen matrices alone, answers with them merged in, and ends as an ordinary student", async () => {
    const base = await load("relu-tied")
    const before = valuesOf(base)
    const student = await base.copy()
    const training = await open(student, { lowRank })
    const questions = ["3rd of May 1999", "x"]
    expect(valuesOf(student)).toEqual(before)
    const first = await training.loss(rows)
    const losses = await steps(training, 12)
    expect(losses.at(-1)).toBeLessThan(losses[0])
    const live = await student.predict(questions)
    const { loss } = await training.loss(rows)
    expect(loss).toBeLessThan(first.loss)
    await training.finish()
    expectSameAnswers(await student.predict(questions), live)
    expect(valuesOf(base)).toEqual(before)
    const changed = Object.entries(valuesOf(student)).filter(([name, values]) => largestDifference(values, before[name]) > 0)
    expect(changed.map(([name]) => name.split(".").at(-2)).every((module) => module === "q" || module === "v")).toBe(true)
    expect(changed.length).toBe(2 * (3 + 2 + 2))

    await student.save(join(folder, "adapted"))
    const again = await loadStudent(join(folder, "adapted"), { engine: "onnx", threads: 1 })
    expectSameAnswers(await again.predict(questions), live)
    const plain = await open(again)
    expect((await plain.loss(rows)).loss).toBeCloseTo(loss, 5)
    plain.dispose()
  })

  it("goes on from a checkpoint that holds the adapters alone, bit for bit, and back to the best ones", async () => {
    const options = { lowRank: { ...lowRank, dropout: 0.2 }, seed: 3 }
    const whole = await openGolden(options)
    await steps(whole, 2)
    whole.keepBest()
    await whole.saveCheckpoint(join(folder, "adapters"))
    const expected = await steps(whole, 3, 2)
    const resumed = await openGolden(options)
    await resumed.loadCheckpoint(join(folder, "adapters"))
    expect(await steps(resumed, 3, 2)).toEqual(expected)
    for (const training of [whole, resumed]) training.restoreBest()
    expect(valuesOf(resumed.student)).toEqual(valuesOf(whole.student))
    const weights = (await stat(join(goldenFolder("relu-tied"), "model.safetensors"))).size
    const { size } = await stat(join(folder, "adapters", "state.safetensors"))
    expect(size).toBeLessThan(weights)
    for (const training of [whole, resumed]) training.dispose()
  })

  it("writes adapters as PEFT names them", async () => {
    const training = await openGolden({ lowRank })
    await steps(training, 1)
    await training.saveAdapters(join(folder, "peft"), "google/t5-tiny")
    const tensors = await listTensors(join(folder, "peft", "adapter_model.safetensors"))
    const name = "base_model.model.encoder.block.0.layer.0.SelfAttention.q"
    expect(tensors.get(`${name}.lora_A.weight`)?.shape).toEqual([3, 24])
    expect(tensors.get(`${name}.lora_B.weight`)?.shape).toEqual([18, 3])
    expect(tensors.size).toBe(2 * 2 * (3 + 2 + 2))
    expect(JSON.parse(await readFile(join(folder, "peft", "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA",
      r: 3,
      lora_alpha: 12,
      target_modules: ["q", "v"],
      base_model_name_or_path: "google/t5-tiny",
    })
    training.dispose()
    const plain = await openGolden()
    await expect(plain.saveAdapters(join(folder, "none"))).rejects.toMatchObject({ code: "train.low-rank" })
    plain.dispose()
  })

  it("adapts matrices that lie with their inputs first too", async () => {
    const configuration = {
      model_type: "gpt2",
      vocab_size: 259,
      n_embd: 12,
      n_layer: 2,
      n_head: 2,
      n_positions: 64,
      eos_token_id: 1,
      pad_token_id: 0,
    }
    const student = await createStudent({ name: "gpt", configuration, tokenizer: createByteTokenizer(), seed: 2, engine: "onnx" })
    const training = await open(student, { lowRank: { rank: 2, targets: ["c_attn", "c_fc"] } })
    const row = student.encodeRow("ab", "cd")
    for (let step = 0; step < 5; step++) await training.step([row], rate)
    const { loss } = await training.loss([row])
    await training.finish()
    const plain = await open(student)
    expect((await plain.loss([row])).loss).toBeCloseTo(loss, 5)
    plain.dispose()
  })

  it("refuses matrices that are not there, embeddings, and ranks that make no sense", async () => {
    for (const [options, message] of [
      [{ rank: 2, targets: ["q_proj"] }, "q_proj is no matrix of this model; choose among k, o, q, v, wi, wo."],
      [{ rank: 2, targets: ["shared"] }, "shared is no matrix"],
      [{ rank: 0 }, "a whole rank above 0"],
      [{ rank: 2, dropout: 1 }, "a dropout in [0, 1)"],
    ] as const) {
      await expect(openGolden({ lowRank: options })).rejects.toMatchObject({
        code: "train.low-rank",
        message: expect.stringContaining(message),
      })
    }
  })
})

describe("distillFrom", () => {
  it("learns the teacher's answers, and stands still where the student already gives them", async () => {
    const teacher = await load("relu-tied")
    const before = valuesOf(teacher)
    const same = await openGolden({ distillFrom: teacher, distillWeight: 1 })
    const { loss, gradientNorm } = await same.step(batches[0], rate)
    expect(Math.abs(loss)).toBeLessThan(1e-5)
    expect(gradientNorm).toBeLessThan(1e-4)
    same.dispose()

    const pupil = await teacher.copy()
    const detour = await open(pupil)
    await steps(detour, 3)
    await detour.finish()
    const training = await open(pupil, { distillFrom: teacher, distillWeight: 1, distillTemperature: 2 })
    const losses = await steps(training, 15)
    expect(losses[0]).toBeGreaterThan(0.05)
    expect(losses[12]).toBeLessThan(losses[0] / 3)
    expect(valuesOf(teacher)).toEqual(before)
    await training.finish()
    expect(Object.keys(pupil.weights)).toEqual(Object.keys(teacher.weights))
  })

  it("mixes both losses by distillWeight, and says the usual loss when it is asked for one", async () => {
    const teacher = await load("relu-tied")
    const trained = await openGolden()
    await steps(trained, 2)
    const pupil = await trained.student.copy()
    trained.dispose()
    const found: Record<string, number> = {}
    for (const distillWeight of [0, 0.25, 1]) {
      const training = await open(await pupil.copy(), { distillFrom: teacher, distillWeight })
      found[distillWeight] = (await training.step(batches[0], { learningRate: 0 })).loss
      if (distillWeight === 1) found.usual = (await training.loss(batches[0])).loss
      training.dispose()
    }
    expect(found[0]).toBeCloseTo(found.usual, 5)
    expect(found[0.25]).toBeCloseTo(0.25 * found[1] + 0.75 * found[0], 5)
    expect(found[1]).not.toBeCloseTo(found[0], 2)
  })

  it("goes together with adapters and smoothed labels", async () => {
    const teacher = await load("relu-tied")
    const training = await openGolden({ distillFrom: teacher, labelSmoothing: 0.1, lowRank: { rank: 2 } })
    const losses = await steps(training, 6)
    expect(losses[3]).toBeLessThan(losses[0])
    training.dispose()
  })

  it("refuses a teacher with another vocabulary, or of another kind, in one sentence", async () => {
    await expect(openGolden({ distillFrom: await load("bytes") })).rejects.toMatchObject({
      code: "train.other-vocabulary",
      message: expect.stringMatching(/^distillFrom: bytes has 259 tokens, relu-tied 61: choose a teacher/),
    })
    const configuration = {
      model_type: "gpt2",
      vocab_size: 259,
      n_embd: 8,
      n_layer: 1,
      n_head: 2,
      n_positions: 64,
      eos_token_id: 1,
      pad_token_id: 0,
    }
    const student = await load("bytes")
    const teacher = await createStudent({ name: "gpt", configuration, tokenizer: student.tokenizer, seed: 2 })
    await expect(open(student, { distillFrom: teacher })).rejects.toMatchObject({ code: "train.other-kind" })
    await expect(openGolden({ distillFrom: await load("relu-tied"), distillWeight: 2 })).rejects.toMatchObject({
      code: "train.distillation",
    })
  })
})

describe("batches", () => {
  it("are the same step whole, in groups, and cut to a budget of tokens", async () => {
    const some = rows.slice(0, 8)
    const trained = await Promise.all([
      openGolden({ batchSize: 8 }),
      openGolden({ batchSize: 8, maxTokensPerBatch: 60 }),
      openGolden({
        batchSize: 8,
        lengths: [
          [7, 30],
          [5, 17],
        ],
      }),
      openGolden({ batchSize: 8 }),
    ])
    const groups = [some, some, some, [some.slice(0, 3), some.slice(3)]] as const
    const losses: number[] = []
    for (const [index, training] of trained.entries()) losses.push((await training.step(groups[index], { learningRate: 1e-3 })).loss)
    expect(new Set(some.map((row) => row.labelIds.length)).size).toBeGreaterThan(1)
    for (const [index, training] of trained.entries()) {
      expect(losses[index]).toBeCloseTo(losses[0], 5)
      expect(training.countTokens(some)).toBe(trained[0].countTokens(some))
      for (const [name, { data }] of Object.entries(trained[0].student.weights)) {
        // A step of AdamW is as long as the rate, whatever the gradient's size: where it is nearly 0, rounding decides its sign.
        const differing = data.filter((value, at) => Math.abs(value - training.student.weights[name].data[at]) > 2e-5).length
        expect(differing / data.length, `${index} ${name}`).toBeLessThan(0.01)
      }
    }
    for (const training of trained) training.dispose()
  })

  it("are padded to the lengths that were asked for", async () => {
    const student = await load("relu-tied")
    expect(measureRow(student, { inputIds: [3, 4, 5, 1], labelIds: [6, 1] }, { maxInputTokens: 3 })).toEqual([3, 2])
    const training = await open(student, {
      lengths: [
        [5, 40],
        [3, 40],
      ],
    })
    const row = { inputIds: [3, 4, 1], labelIds: [6, 1] }
    const other = await openGolden()
    expect((await training.loss([row])).loss).toBeCloseTo((await other.loss([row])).loss, 5)
    for (const one of [training, other]) one.dispose()
  })
})

it("Adafactor trains, and goes on from its checkpoint bit for bit", async () => {
  const whole = await openGolden({ optimizer: "adafactor" })
  await steps(whole, 3)
  await whole.saveCheckpoint(join(folder, "adafactor"))
  const expected = await steps(whole, 3, 3)
  const resumed = await openGolden({ optimizer: "adafactor" })
  await resumed.loadCheckpoint(join(folder, "adafactor"))
  expect(await steps(resumed, 3, 3)).toEqual(expected)
  expect(expected[2]).toBeLessThan((await (await openGolden()).loss(batches[2])).loss)
  const other = await openGolden()
  await expect(other.loadCheckpoint(join(folder, "adafactor"))).rejects.toMatchObject({ code: "checkpoint.other-model" })
  for (const training of [whole, resumed, other]) training.dispose()
})
