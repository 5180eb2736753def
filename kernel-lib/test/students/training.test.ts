// Training against transformers with PyTorch's AdamW, and what a resumed or a finished training must keep.
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type LossFunction, selectEngine } from "../../src/engine"
import { type T5Shape, t5Loss } from "../../src/networks/t5"
import { type LoadedStudent, loadStudent, openTraining, type Training } from "../../src/students"
import { modelOf } from "../../src/students/network-student"
import { expectSameAnswers, type GoldenModel, goldenFolder, goldenModels, largestDifference, readGolden, readGoldenTensors } from "./golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "training-"))
})
afterAll(() => rm(folder, { recursive: true }))

const openGolden = async (name: GoldenModel, options: Partial<Parameters<typeof openTraining>[1]> = {}): Promise<Training> => {
  const { weightDecay, maxGradientNorm } = readGolden(name).optimizer
  const base = await loadStudent(goldenFolder(name), { engine: "onnx", threads: 1 })
  return openTraining(base, { batchSize: 4, weightDecay, maxGradientNorm, engine: "onnx", threads: 1, ...options })
}

const valuesOf = (student: LoadedStudent) =>
  Object.fromEntries(Object.entries(student.weights).map(([name, { data }]) => [name, [...data]]))

describe.each(goldenModels)("%s", (name) => {
  // The eager engine is slow: one model stands for all there.
  it.each(name === "gated-untied" ? (["onnx", "eager"] as const) : (["onnx"] as const))(
    "has transformers' loss and gradients on %s",
    async (engineName) => {
      const golden = readGolden(name)
      const expected = await readGoldenTensors(name)
      const student = await loadStudent(goldenFolder(name))
      const { weights } = student
      const model = modelOf(student)
      const loss: LossFunction = (inputs, parameters) => t5Loss(model.shape as T5Shape, inputs, parameters)
      const session = (await selectEngine(engineName)).createTrainingSession({ parameters: weights, loss, threads: 1 })
      const result = await session.computeGradients(model.makeBatch(golden.rows, golden.rows.length + 1))
      expect(result.loss).toBeCloseTo(golden.loss, 4)
      for (const key of Object.keys(weights)) {
        expect(largestDifference(result.gradients[key], expected.get(`gradients/${key}`)!.data), key).toBeLessThan(1e-4)
      }
      session.dispose()
    },
  )

  it("takes ten steps along transformers' curve", async () => {
    const { batches, losses, gradientNorms, optimizer } = readGolden(name)
    const training = await openGolden(name)
    for (let step = 0; step < 10; step++) {
      const { loss, gradientNorm } = await training.step(batches[step % batches.length], optimizer)
      expect(loss, `step ${step}`).toBeCloseTo(losses[step], 3)
      expect(gradientNorm! / gradientNorms[step], `step ${step}`).toBeCloseTo(1, 2)
    }
    expect(training.stepsTaken).toBe(10)
    training.dispose()
  })
})

describe("openTraining", () => {
  const { batches, optimizer } = readGolden("relu-tied")

  it("leaves the base of a copy as it is, and the trained student answers on its own afterwards", async () => {
    const base = await loadStudent(goldenFolder("relu-tied"), { engine: "onnx", threads: 1 })
    const before = valuesOf(base)
    const student = await base.copy()
    const training = await openTraining(student, { batchSize: 4, engine: "onnx", threads: 1 })
    expect(training.engine).toBe("onnx")
    const [early] = await student.predict(["3rd of May 1999"])
    for (let step = 0; step < 5; step++) await training.step(batches[0], { learningRate: 0.05 })
    const [live] = await student.predict(["3rd of May 1999"])
    expect(live.confidence).not.toBe(early.confidence)
    await training.finish({ maxInputTokens: 20, maxOutputTokens: 9 })
    expectSameAnswers(await student.predict(["3rd of May 1999"], { maxNewTokens: 20 }), [live])
    expect(student).toMatchObject({ maxInputTokens: 20, maxOutputTokens: 9 })
    expect(valuesOf(base)).toEqual(before)
    expect(student.fingerprint).not.toBe(base.fingerprint)
    await student.save(join(folder, "trained"))
    const again = await loadStudent(join(folder, "trained"), { engine: "onnx", threads: 1 })
    expect(valuesOf(again)).toEqual(valuesOf(student))
    expectSameAnswers(await again.predict(["3rd of May 1999"], { maxNewTokens: 20 }), [live])
    student.dispose()
    again.dispose()
    await expect(student.predict(["x"])).rejects.toMatchObject({ code: "student.disposed" })
  })

  it("goes on from a checkpoint to the same weights, bit for bit, dropout and best weights included", async () => {
    const options = { dropout: 0.2, seed: 5, maxGradientNorm: 1 }
    const run = async (training: Training, from: number, to: number) => {
      for (let step = from; step < to; step++) await training.step(batches[step % 3], { learningRate: 0.01 })
    }
    const whole = await openGolden("relu-tied", options)
    await run(whole, 0, 3)
    whole.keepBest()
    await run(whole, 3, 4)
    const checkpoint = join(folder, "checkpoint")
    await whole.saveCheckpoint(checkpoint)
    await run(whole, 4, 8)

    const resumed = await openGolden("relu-tied", options)
    await resumed.loadCheckpoint(checkpoint)
    expect(resumed.stepsTaken).toBe(4)
    await run(resumed, 4, 8)
    expect(valuesOf(resumed.student)).toEqual(valuesOf(whole.student))
    whole.restoreBest()
    resumed.restoreBest()
    expect(valuesOf(resumed.student)).toEqual(valuesOf(whole.student))
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([])
    whole.dispose()
    resumed.dispose()
  })

  it("refuses a checkpoint that is none or of another model", async () => {
    const training = await openGolden("relu-tied")
    await expect(training.loadCheckpoint(join(folder, "nowhere"))).rejects.toMatchObject({ code: "checkpoint.damaged" })
    await training.saveCheckpoint(join(folder, "other"))
    const other = await openGolden("bytes")
    await expect(other.loadCheckpoint(join(folder, "other"))).rejects.toMatchObject({ code: "checkpoint.other-model" })
    training.dispose()
    other.dispose()
  })

  it("goes back to the best weights, and nowhere when there are none", async () => {
    const training = await openGolden("relu-tied")
    const first = valuesOf(training.student)
    training.restoreBest()
    expect(valuesOf(training.student)).toEqual(first)
    const { loss: before } = await training.loss(batches[0])
    training.keepBest()
    await training.step(batches[0], optimizer)
    expect((await training.loss(batches[0])).loss).not.toBe(before)
    training.restoreBest()
    expect((await training.loss(batches[0])).loss).toBe(before)
    training.dispose()
  })

  it("weighs the losses of many rows by their target tokens, and counts tokens without padding", async () => {
    const training = await openGolden("relu-tied", { dropout: 0.5 })
    const rows = batches.flat()
    const losses: number[] = []
    for (const row of rows) losses.push((await training.loss([row])).loss)
    const targets = rows.map((row) => row.labelIds.length)
    const mean = losses.reduce((sum, loss, i) => sum + loss * targets[i], 0) / targets.reduce((a, b) => a + b)
    const { loss, tokens } = await training.loss(rows)
    expect(loss).toBeCloseTo(mean, 4)
    expect(tokens).toBe(rows.reduce((sum, row) => sum + row.inputIds.length + row.labelIds.length, 0))
    expect(training.countTokens(rows)).toBe(tokens)
    training.dispose()
  })

  it("takes the mean gradient of several batches when a step has more rows than one", async () => {
    const accumulated = await openGolden("relu-tied", { batchSize: 2 })
    const rows = batches[0].map((row) => ({ ...row, labelIds: [5, 6, 1] }))
    const whole = await openGolden("relu-tied", { batchSize: 4 })
    await accumulated.step(rows, optimizer)
    await whole.step(rows, optimizer)
    for (const [name, { data }] of Object.entries(whole.student.weights)) {
      expect(largestDifference(accumulated.student.weights[name].data, data), name).toBeLessThan(1e-4)
    }
    accumulated.dispose()
    whole.dispose()
  })

  it("cuts rows to the limits and keeps their ends", async () => {
    const training = await openGolden("relu-tied", { maxInputTokens: 6, maxOutputTokens: 3 })
    const long = { inputIds: [5, 6, 7, 8, 9, 10, 11, 12, 1], labelIds: [5, 6, 7, 8, 1] }
    const cut = { inputIds: [5, 6, 7, 8, 9, 1], labelIds: [5, 6, 1] }
    const { tokens } = await training.step([long], { learningRate: 0 })
    expect(tokens).toBe(9)
    expect(await training.loss([long])).toEqual(await training.loss([cut]))
    training.dispose()
  })
})
