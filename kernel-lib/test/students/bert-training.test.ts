// Encoders in training: transformers' loss, gradients and curve; heads that are made for the rows; and the student that comes out.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { selectEngine } from "../../src/engine"
import { fitStudent, type LoadedStudent, loadStudent, openTraining, refuseRow, type TrainingRow } from "../../src/students"
import type { BertArchitecture } from "../../src/students/bert-architecture"
import { modelOf } from "../../src/students/network-student"
import { listTensors, writeSafetensors } from "../../src/students/safetensors"
import { encoderFolder, type GoldenRow, goldenEncoders, readEncoderGolden, readEncoderTensors } from "./encoder-golden"
import { goldenFolder, largestDifference } from "./golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "encoders-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** A golden row as the student's own: its context is all that stands behind the pair's first part, but for the last token. */
function rowOf({ ids, label, secondPart, start, end }: GoldenRow): TrainingRow {
  if (label !== undefined) return { inputIds: ids, labelIds: [label] }
  const inner = ids.slice(secondPart!, -1)
  const row = {
    inputIds: ids,
    labelIds: ids.slice(start!, end! + 1),
    input: {
      context: "",
      tokens: { ids: inner, ranges: inner.map(() => [0, 0] as const) },
      before: ids.slice(0, secondPart!),
      after: ids.slice(-1),
      secondPart,
    },
    answer: [start! - secondPart!, end! + 1 - secondPart!] as const,
    contextAt: secondPart!,
    window: [0, inner.length] as const,
  }
  return row
}

const loadFrom = (path: string) => loadStudent(path, { engine: "onnx", threads: 1 })
const load = (name: string) => loadFrom(encoderFolder(name))
const shapeOf = (student: LoadedStudent) => (modelOf(student) as BertArchitecture).shape
const valuesOf = ({ weights }: LoadedStudent) => Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, [...data]]))

describe.each(goldenEncoders)("%s", (name) => {
  it.each(name === "mpnet-labels" ? (["onnx", "eager"] as const) : (["onnx"] as const))(
    "has transformers' loss and gradients on %s",
    async (engineName) => {
      const golden = readEncoderGolden(name)
      const expected = await readEncoderTensors(name)
      const student = await load(name)
      const [model, { weights }] = [modelOf(student), student]
      const session = (await selectEngine(engineName)).createTrainingSession({ parameters: weights, loss: model.loss(0), threads: 1 })
      const result = await session.computeGradients(model.makeBatch(golden.rows.map(rowOf), golden.rows.length + 1))
      expect(result.loss).toBeCloseTo(golden.loss, 4)
      for (const key of Object.keys(weights)) {
        expect(largestDifference(result.gradients[key], expected.get(`gradients/${key}`)!.data), key).toBeLessThan(1e-4)
      }
      session.dispose()
    },
  )

  it("takes ten steps along transformers' curve", async () => {
    const { batches, losses, gradientNorms, optimizer } = readEncoderGolden(name)
    const { weightDecay, maxGradientNorm } = optimizer
    const training = await openTraining(await load(name), { batchSize: 4, weightDecay, maxGradientNorm, engine: "onnx", threads: 1 })
    for (let step = 0; step < 10; step++) {
      const { loss, gradientNorm } = await training.step(batches[step % batches.length].map(rowOf), optimizer)
      expect(Math.abs(loss - losses[step]), `step ${step}`).toBeLessThan(2e-3)
      expect(gradientNorm! / gradientNorms[step], `step ${step}`).toBeCloseTo(1, 2)
    }
    training.dispose()
  })
})

const colours = ["red", "one", "two"].flatMap((word) =>
  ["the cat", "dogs", "mat", "bark not"].map((text, at) => ({
    input: `${text} ${word} ${at}`,
    output: word === "red" ? "colour" : "number",
  })),
)

describe("fitStudent", () => {
  it("gives a base model a head with the rows' labels, which it learns, keeps and answers with", async () => {
    const base = await load("bert-sentences")
    const before = valuesOf(base)
    const student = await fitStudent(await base.copy({ template: { kind: "paper", instruction: "Say it." } }), colours, { seed: 1 })
    expect(student).toMatchObject({ isPretrained: true, template: { kind: "bare" } })
    const training = await openTraining(student, { batchSize: 12, dropout: 0, engine: "onnx", threads: 1 })
    const rows = colours.map(({ input, output }) => student.encodeRow(input, output))
    const { loss: first } = await training.step(rows, { learningRate: 0.02 })
    for (let step = 1; step < 60; step++) await training.step(rows, { learningRate: 0.02 })
    expect((await training.loss(rows)).loss).toBeLessThan(first / 4)
    await training.finish({ maxInputTokens: 20, maxOutputTokens: 1 })
    const inputs = colours.map(({ input }) => input)
    const answers = await student.predict(inputs)
    expect(answers.map(({ output }) => output)).toEqual(colours.map(({ output }) => output))
    expect(valuesOf(base)).toEqual(before)

    await student.save(join(folder, "labels"))
    const again = await loadFrom(join(folder, "labels"))
    expect(again.fingerprint).toBe(student.fingerprint)
    expect(await again.predict(inputs)).toEqual(answers)
    student.dispose()
    again.dispose()
  })

  it("keeps what a classifier knew of the labels that stay, and draws the others from the seed", async () => {
    const student = await load("bert-labels")
    const rows = ["good", "worse", "bad"].flatMap((output) => Array.from({ length: 7 }, (_, at) => ({ input: `cat ${at}`, output })))
    const fitted = await fitStudent(student, rows, { seed: 1 })
    const { labels } = (modelOf(fitted) as BertArchitecture).configuration
    expect(labels).toEqual(["bad", "good", "worse"])
    const rowOfLabel = (one: LoadedStudent, at: number) => [...one.weights["classifier.weight"].data.slice(at * 12, (at + 1) * 12)]
    expect([rowOfLabel(fitted, 0), rowOfLabel(fitted, 1)]).toEqual([rowOfLabel(student, 0), rowOfLabel(student, 1)])
    expect(rowOfLabel(fitted, 2)).not.toEqual(rowOfLabel(student, 2))
    expect(valuesOf(await fitStudent(student, rows, { seed: 1 }))).toEqual(valuesOf(fitted))
    expect(rowOfLabel(await fitStudent(student, rows, { seed: 2 }), 2)).not.toEqual(rowOfLabel(fitted, 2))
    expect(valuesOf(await fitStudent(student, rows.slice(0, 7)))).toEqual(valuesOf(student))
  })

  it("makes a model that finds spans of rows whose outputs stand in their inputs, and teaches it to", async () => {
    const rows = ["cat", "dog", "mat", "ten"].flatMap((word) => [
      { input: `question: who?\ncontext: one, two: ${word}!`, output: word },
      { input: `Question: is at? Context: ${word} is two, one`, output: word },
    ])
    const student = await fitStudent(await load("bert-sentences"), rows, { seed: 1, task: "span" })
    const training = await openTraining(student, { batchSize: 8, dropout: 0, engine: "onnx", threads: 1 })
    const encoded = rows.map(({ input, output }) => student.encodeRow(input, output))
    for (let step = 0; step < 60; step++) await training.step(encoded, { learningRate: 0.02 })
    await training.finish({ maxInputTokens: 30, maxOutputTokens: 2 })
    const answers = await student.predict(rows.map(({ input }) => input))
    expect(answers.map(({ output }) => output)).toEqual(rows.map(({ output }) => output))
    expect(answers.every(({ confidence }) => confidence > 0.5 && confidence <= 1)).toBe(true)
    await student.save(join(folder, "span"))
    const again = await loadFrom(join(folder, "span"))
    expect(await again.predict(rows.map(({ input }) => input))).toEqual(answers)
    student.dispose()
    again.dispose()
  })

  it("tells a classifier's rows from those of spans, and refuses rows that are neither", async () => {
    const base = await load("bert-sentences")
    const kindOf = async (rows: { input: string; output: string }[]) => shapeOf(await fitStudent(base, rows)).head.kind
    const many = Array.from({ length: 60 }, (_, at) => `word${at}`)
    expect(await kindOf(colours)).toBe("labels")
    expect(await kindOf(many.map((word) => ({ input: `the ${word} sat`, output: word })))).toBe("span")
    await expect(kindOf(many.map((word) => ({ input: "the cat", output: word })))).rejects.toMatchObject({ code: "train.no-head" })
    await expect(kindOf([{ input: "a", output: "x" }])).rejects.toMatchObject({ code: "train.no-head" })
  })

  it("leaves a model that writes text as it is", async () => {
    const student = await loadStudent(goldenFolder("relu-tied"))
    expect(await fitStudent(student, colours)).toBe(student)
    expect(refuseRow(student, colours[0])).toBeUndefined()
  })
})

describe("rows that cannot be learnt", () => {
  it("are refused with the reason", async () => {
    const labels = await load("bert-labels")
    expect(refuseRow(labels, { input: "x", output: "good" })).toBeUndefined()
    expect(refuseRow(labels, { input: "x", output: "great" })).toBe("its output is none of the labels")
    expect(() => labels.encodeRow("x", "great")).toThrow(expect.objectContaining({ code: "train.unknown-label" }))
    const span = await load("bert-span")
    expect(refuseRow(span, { input: "question: who? context: the cat", output: "cat" })).toBeUndefined()
    expect(refuseRow(span, { input: "question: dog? context: the cat", output: "dog" })).toBe("its output does not stand in its context")
    expect(() => span.encodeRow("question: dog? context: the cat", "dog")).toThrow(expect.objectContaining({ code: "train.no-answer" }))
  })

  it("do not spoil a batch: an answer that was cut off counts for nothing, and a long context is cut around its answer", async () => {
    const student = await load("bert-span")
    const words = Array.from({ length: 70 }, (_, at) => (at === 60 ? "mat" : "cat"))
    const row = student.encodeRow(`question: on? context: ${words.join(" ")}`, "mat")
    expect(row.inputIds.length).toBe(48)
    const { starts, ends, inputIds } = modelOf(student).makeBatch([row], 2)
    const mat = student.tokenizer.tokenize("mat").ids[0]
    expect(inputIds.data[starts.data[0]]).toBe(mat)
    expect([...ends.data]).toEqual([starts.data[0], -100])
    expect(starts.data[1]).toBe(-100)
  })
})

describe("ways to train an encoder", () => {
  it.each([
    ["distilbert-labels", { lowRank: { rank: 2 } }],
    ["mpnet-labels", { lowRank: { rank: 2 } }],
    ["bert-labels", { labelSmoothing: 0.1 }],
    ["bert-span", { dropout: 0.1, seed: 3 }],
  ] as const)("%s learns with %j", async (name, options) => {
    const { batches } = readEncoderGolden(name)
    const training = await openTraining(await load(name), { batchSize: 4, engine: "onnx", threads: 1, ...options })
    const { loss: before } = await training.loss(batches[0].map(rowOf))
    for (let step = 0; step < 25; step++) await training.step(batches[0].map(rowOf), { learningRate: 0.02 })
    expect((await training.loss(batches[0].map(rowOf))).loss).toBeLessThan(before * 0.7)
    training.dispose()
  })

  it("leaves out what places in a text cannot have", async () => {
    const smoothed = openTraining(await load("bert-span"), { batchSize: 4, labelSmoothing: 0.1, engine: "onnx", threads: 1 })
    await expect(smoothed).rejects.toMatchObject({ code: "train.label-smoothing" })
  })
})

describe("checkpoints of other shapes", () => {
  /** bert-labels with weights that are named and chosen as `rename` says. */
  async function copyWith(name: string, rename: (name: string) => string | undefined): Promise<string> {
    const copy = join(folder, name)
    await cp(encoderFolder("bert-labels"), copy, { recursive: true })
    const { weights } = await load("bert-labels")
    const tensors = Object.entries(weights).flatMap(([key, { shape, data }]) => {
      const renamed = rename(key)
      return renamed ? [{ name: renamed, shape, data }] : []
    })
    await writeSafetensors(join(copy, "model.safetensors"), tensors)
    return copy
  }

  it("are read without the prefix, and with gamma and beta", async () => {
    const expected = valuesOf(await load("bert-labels"))
    const bare = await copyWith("bare", (name) => name.replace(/^bert\./, ""))
    expect(valuesOf(await loadFrom(bare))).toEqual(expected)
    const old = await copyWith("old", (name) =>
      name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta"),
    )
    expect(valuesOf(await loadFrom(old))).toEqual(expected)
  })

  it("get a head from the seed where they have none, and stay pretrained", async () => {
    const headless = await copyWith("headless", (name) => (/classifier|pooler/.test(name) ? undefined : name))
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => loadStudent(headless, { seed })))
    expect(one.isPretrained).toBe(true)
    expect(valuesOf(same)).toEqual(valuesOf(one))
    expect(other.fingerprint).not.toBe(one.fingerprint)
    expect(Math.max(...one.weights["classifier.weight"].data.map(Math.abs))).toBeLessThan(0.1)
    const broken = await copyWith("broken", (name) => (name.includes("word_embeddings") ? undefined : name))
    await expect(loadFrom(broken)).rejects.toMatchObject({ code: "weights.incomplete" })
  })

  it("are refused when they are no classifiers of one label", async () => {
    const change = async (changes: Record<string, unknown>) => {
      const copy = await mkdtemp(join(folder, "changed-"))
      await cp(encoderFolder("bert-labels"), copy, { recursive: true })
      const config = JSON.parse(await readFile(join(copy, "config.json"), "utf8"))
      await writeFile(join(copy, "config.json"), JSON.stringify({ ...config, ...changes }))
      return loadStudent(copy)
    }
    const refused = { code: "student.config" }
    await expect(change({ problem_type: "multi_label_classification" })).rejects.toMatchObject(refused)
    await expect(change({ problem_type: "regression" })).rejects.toMatchObject(refused)
    await expect(change({ id2label: { 0: "only" } })).rejects.toMatchObject(refused)
    await expect(change({ id2label: { 1: "a", 2: "b" } })).rejects.toMatchObject(refused)
    await expect(change({ position_embedding_type: "relative_key" })).rejects.toMatchObject(refused)
    await expect(change({ is_decoder: true })).rejects.toMatchObject(refused)
    await expect(change({ num_attention_heads: 5 })).rejects.toMatchObject(refused)
    await expect(change({ id2label: { 0: "a", 1: "b" } })).rejects.toMatchObject({ code: "weights.shape" })
  })

  it("say what they are in files that name every weight once", async () => {
    const student = await load("roberta-span")
    await student.save(join(folder, "again"))
    const names = [...(await listTensors(join(folder, "again", "model.safetensors"))).keys()].sort()
    expect(names).toEqual(Object.keys(student.weights).sort())
    const config = JSON.parse(await readFile(join(folder, "again", "config.json"), "utf8"))
    expect(config).toMatchObject({ architectures: ["RobertaForQuestionAnswering"], model_type: "roberta" })
  })
})
