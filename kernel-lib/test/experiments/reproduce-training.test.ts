// What a reproduction of a training is made of, without training: which points its curves have, and what its errors have in common.
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { describeDiagnosis, explainErrors, shapeOf } from "../../src/experiments/reproduce-training/explain-errors"
import { planTrainings } from "../../src/experiments/reproduce-training/plan-trainings"
import { type ReproduceTrainingOptions, reproduceTraining } from "../../src/experiments/reproduce-training/reproduce-training"
import type { TrainingName } from "../../src/experiments/reproduce-training/training-tasks"

describe("the points of the learning curves", () => {
  it("are fewer rows at all epochs and fewer epochs on all rows, the main one first and each once", () => {
    const { main, byRows, byEpochs, all } = planTrainings(1000, 5, {})
    expect(main).toEqual({ rows: 1000, epochs: 5 })
    expect(byRows.map(({ rows }) => rows)).toEqual([250, 500, 1000])
    expect(byEpochs.map(({ epochs }) => epochs)).toEqual([1, 5])
    expect(all).toEqual([main, { rows: 250, epochs: 5 }, { rows: 500, epochs: 5 }, { rows: 1000, epochs: 1 }])
  })

  it("take the sizes that are asked for in rising order, and all rows for more than there are", () => {
    const plan = planTrainings(100, 5, { rows: [5000, 10, 300], epochs: [3] })
    expect(plan.byRows).toEqual([10, 100].map((rows) => ({ rows, epochs: 3 })))
    expect(plan.byEpochs).toEqual([{ rows: 100, epochs: 3 }])
    expect(plan.all).toHaveLength(2)
  })

  it("are refused where they are no counts", () => {
    for (const rows of [[], [0], [1.5], [Number.NaN]]) expect(() => planTrainings(9, 5, { rows })).toThrow(/option rows/)
    expect(() => planTrainings(9, 5, { epochs: [-1] })).toThrow(expect.objectContaining({ code: "reproduce.settings" }))
  })
})

describe("the diagnosis of errors", () => {
  const rows = (outputs: readonly string[]) => Dataset.from(outputs.map((output, at) => ({ input: `row ${at}`, output })))
  const train = rows(["May == 2020-05", "N/A", "June 5th == 2021-06-05", "May == 2020-05"])
  const test = rows(["N/A", "N/A", "March == 2019-03", "1999 == 1999", "May == 2020-05", "May == 2020-05"])
  const answers = ["N/A", "May == 2020-05", "March == 2019-04", "N/A", "", "May == 2020-05"]

  it("counts each wrong row under one kind, and compares the most frequent answer's shares", () => {
    const diagnosis = explainErrors({ train, test, answers, metric: "exactMatch" })
    expect(diagnosis.errors.reduce((sum, one) => sum + one.rows, 0)).toBe(4)
    expect(new Map(diagnosis.errors.map(({ kind, rows: count }) => [kind, count]))).toEqual(
      new Map([
        ['answer where "N/A" is expected', 1],
        ['have "N/A" where an answer is expected', 1],
        ["have no answer", 1],
        ["have the expected form and another content", 1],
      ]),
    )
    expect(diagnosis.commonAnswer).toEqual({ answer: "N/A", inTest: 2 / 6, inTraining: 1 / 4, given: 2 / 6 })
  })

  it("scores rows of forms that no training row has apart", () => {
    const { unseenForms } = explainErrors({ train, test, answers, metric: "exactMatch" })
    expect(unseenForms).toEqual({ rows: 1, ofRows: 6, score: 0, elsewhere: 2 / 5 })
  })

  it("says what it found in sentences that hold where nothing is wrong too", () => {
    const heldOut = { rows: 2, scores: { exactMatch: 0.5 } }
    const words = describeDiagnosis(explainErrors({ train, test, answers, metric: "exactMatch", heldOut }), "exactMatch").join("\n")
    expect(words).toMatch(/33% of the test rows expect "N\/A", as 25% of the training rows do; the student gives it in 33% of its answers/)
    expect(words).toMatch(/On 2 rows of the teacher's .* 0\.500/)
    expect(words).toMatch(/17% of the test rows \(1\) .*0\.000 on them and 0\.400 on the others/)
    const perfect = describeDiagnosis(explainErrors({ train: test, test, answers: test.outputs, metric: "exactMatch" }), "exactMatch")
    expect(perfect.join("\n")).not.toMatch(/wrong answer|NaN|undefined/)
  })

  it("knows an answer's form by its signs and the lengths of its numbers, in any script", () => {
    expect(shapeOf("late last year == 2016 | April == 2017-04")).toBe(shapeOf("the summer == 1999 | May == 2001-12"))
    expect(shapeOf("May == 2020-05")).not.toBe(shapeOf("May == 2020-05-01"))
    expect(shapeOf("来年 == 2020")).toBe(shapeOf("a == 1999"))
  })
})

describe("reproduceTraining", () => {
  it("refuses what it cannot do in a sentence", async () => {
    const folder = await mkdtemp(join(tmpdir(), "artefacts-"))
    try {
      const refusal = (name: string, options: Partial<ReproduceTrainingOptions> = {}) =>
        expect(reproduceTraining(name as TrainingName, { artifacts: folder, ...options })).rejects
      await refusal("temporal").toMatchObject({ code: "reproduce.no-artifacts" })
      await mkdir(join(folder, "generation/generated_dataset/normalization_other"), { recursive: true })
      await refusal("toString").toThrow(/toString.*temporal, mconala/)
      await refusal("temporal", { seeds: [1, 1] }).toMatchObject({ code: "reproduce.settings" })
      await refusal("temporal", { generated: "normalization_x" }).toThrow(/normalization_x.*there are normalization_other/)
      await refusal("temporal").toMatchObject({ code: "reproduce.no-test" })
      await refusal("mconala").toThrow(/no rows jp2python.*it has no folder jp2python/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
