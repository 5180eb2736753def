// The verdict on a generated test set: what it takes to trust one, and when it says that it cannot tell.
import { describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { Random } from "../../src/core/random"
import type { Student } from "../../src/core/student"
import { estimateBeforeDeployment } from "../../src/experiments"

const numbers = (start: number, count: number) => Array.from({ length: count }, (_, index) => start + index)
const rowsOf = (values: readonly number[]) => Dataset.from(values.map((value) => ({ input: `the number ${value}`, output: String(value) })))
const generatedTest = rowsOf(numbers(1000, 100))
const realTest = rowsOf(numbers(2000, 100))

/** Answers right up to a share of each hundred, on generated and on real rows. */
function studentOf(name: string, onGenerated: number, onReal: number): Student {
  return {
    ...{ kind: "student", name, architecture: "t5", parameters: 1, bytes: 4, isPretrained: false, fingerprint: name },
    async predict(inputs) {
      return inputs.map((input) => {
        const value = Number(input.split(" ").at(-1))
        const isRight = value % 100 < (value < 2000 ? onGenerated : onReal)
        return { output: isRight ? String(value) : "no", tokens: [1], confidence: 1 }
      })
    },
    async save() {},
    dispose() {},
  }
}
const studentsOf = (scores: readonly (readonly [generated: number, real: number])[]) =>
  Object.fromEntries(scores.map(([generated, real], index) => [`model ${index}`, studentOf(`model ${index}`, generated, real)]))
const ranked = numbers(1, 7).map((index) => [10 * index, 10 * index] as const)

describe("estimateBeforeDeployment", () => {
  it("trusts a test that ranks models as real rows do, and as high", async () => {
    const noise = [2, -2, 1, -1, 2, -2, 0]
    const students = studentsOf(ranked.map(([score], index) => [score + noise[index], score]))
    const estimate = await estimateBeforeDeployment({
      students,
      generatedTest,
      realTest,
      train: rowsOf(numbers(3000, 20)),
      spec: { demonstrations: [{ input: "the number 7", output: "7" }] },
    })
    expect(estimate.verdict).toBe("trusted")
    expect(estimate.reasons).toEqual([expect.stringMatching(/as hard to within 0\.0\d\d exact match/)])
    expect(estimate.ranking).toMatchObject({ value: 1 })
    expect(estimate.gap!.value).toBeCloseTo(0, 12)
    expect(estimate.leaks).toEqual({ train: 0, demonstrations: 0, removed: undefined })
    expect(estimate.toPayload().rows.length).toBe(4 + 7)
    expect(estimate.figure().data[0].x).toEqual(ranked.map(([, real]) => real / 100))
  })

  it("trusts a test that is easier for ranking only", async () => {
    const students = studentsOf(ranked.map(([score], index) => [score + 20 + index, score]))
    const estimate = await estimateBeforeDeployment({ students, generatedTest, realTest })
    expect(estimate.verdict).toBe("trusted for ranking only")
    expect(estimate.gap!.low).toBeGreaterThan(0.1)
    expect(estimate.reasons[0]).toMatch(/easier by 0.230 exact match/)
  })

  it("says that four models are too few, however well they agree, and that eight in disorder are", async () => {
    expect((await estimateBeforeDeployment({ students: studentsOf(ranked.slice(0, 4)), generatedTest, realTest })).verdict).toBe(
      "too few models to tell",
    )
    const mixed = [3, 1, 4, 2, 6, 5, 8, 7].map((real, index) => [10 * index, 10 * [2, 6, 1, 4, 8, 3, 5, 7][real - 1]] as const)
    expect((await estimateBeforeDeployment({ students: studentsOf(mixed), generatedTest, realTest })).verdict).toBe(
      "too few models to tell",
    )
  })

  it("does not trust a test that ranks twenty-four models at random, or that turns their order round", async () => {
    const random = new Random("order")
    const order = random.shuffle(numbers(1, 24))
    const students = studentsOf(order.map((real, index) => [4 * index, 4 * real]))
    expect((await estimateBeforeDeployment({ students, generatedTest, realTest })).verdict).toBe("not trusted")
    const reversed = studentsOf(ranked.map(([score]) => [score, 80 - score]))
    expect((await estimateBeforeDeployment({ students: reversed, generatedTest, realTest })).verdict).toBe("not trusted")
  })

  it("trusts it with twenty-four models and a few misplaced, and says by how much scores may be off", async () => {
    const scores = numbers(1, 24).map((index) => [4 * index - (index % 5 === 0 ? 5 : 0), 4 * index] as const)
    const estimate = await estimateBeforeDeployment({ students: studentsOf(scores), generatedTest, realTest })
    expect(estimate.verdict).toBe("trusted")
    expect(estimate.ranking!.value).toBeLessThan(1)
  })

  it("counts rows, too: few of them say neither who is best nor how hard the test is", async () => {
    const students = studentsOf(ranked)
    const few = await estimateBeforeDeployment({ students, generatedTest, realTest: realTest.filter((_, at) => at % 10 === 0) })
    expect(few).toMatchObject({ verdict: "too few rows to tell", reasons: [expect.stringContaining("100 generated and 10 real rows")] })
    // Twenty-five rows rank these models as a hundred do, and know a mean only to some fifteen points.
    const more = await estimateBeforeDeployment({ students, generatedTest, realTest: realTest.filter((_, at) => at % 4 === 0) })
    expect(more).toMatchObject({
      verdict: "trusted for ranking only",
      reasons: [expect.stringContaining("whether it is as hard is not known")],
    })
    expect(more.gap!.high! - more.gap!.low!).toBeGreaterThan(0.2)
  })

  it("says so where all models score alike", async () => {
    const students = studentsOf(ranked.map(([, real]) => [30, real] as const))
    const estimate = await estimateBeforeDeployment({ students, generatedTest, realTest })
    expect(estimate).toMatchObject({
      verdict: "too few models to tell",
      reasons: [expect.stringContaining("score alike on one of the two")],
    })
  })

  it("does not trust a test that repeats train rows, demonstrations or itself, whatever it ranks", async () => {
    const students = studentsOf(ranked)
    const leaked = await estimateBeforeDeployment({ students, generatedTest, realTest, train: rowsOf(numbers(1090, 20)) })
    expect(leaked).toMatchObject({ verdict: "not trusted", leaks: { train: 10 } })
    expect(leaked.reasons).toEqual(["10% of the generated test repeats train rows: it measures memory."])
    const spec = { demonstrations: numbers(1000, 5).map((value) => ({ input: `the number ${value}`, output: String(value) })) }
    expect(await estimateBeforeDeployment({ students, generatedTest, realTest, spec })).toMatchObject({
      ...{ verdict: "not trusted", leaks: { demonstrations: 5 } },
      reasons: ["5% of the generated test repeats the prompt's demonstrations: it measures memory."],
    })
    const same = Dataset.from(
      [...generatedTest].map((row, index) => ({ ...row, id: undefined, input: index % 2 === 0 ? "the number 1000" : row.input })),
    )
    expect((await estimateBeforeDeployment({ students, generatedTest: same, realTest })).reasons[0]).toMatch(/repeats itself/)
  })

  it("cannot tell without real rows, and needs a model", async () => {
    const estimate = await estimateBeforeDeployment({ students: studentsOf(ranked), generatedTest })
    expect(estimate.verdict).toBe("no real rows to tell by")
    expect(estimate.ranking).toBeUndefined()
    await expect(estimateBeforeDeployment({ generatedTest })).rejects.toMatchObject({ code: "estimate.no-models" })
  })
})
