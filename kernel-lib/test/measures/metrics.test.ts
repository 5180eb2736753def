// All metrics against golden scores (golden/make_golden.py) and the paper's artefacts.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { defineChrF } from "../../src/measures/chrf"
import { scoreRows, selectStatistics, sumStatistics } from "../../src/measures/metric"
import { metricNamed, metrics } from "../../src/measures/metrics"
import { paperArtifacts, readColumns } from "./read-arrow"

interface Golden {
  readonly sets: readonly {
    readonly name: string
    readonly answers: readonly string[]
    readonly references: readonly (readonly string[])[]
    readonly scores: Readonly<Record<string, GoldenScores>>
  }[]
  /** Of sacrebleu's own cases and the first 30 random texts. */
  readonly chrFOptions: readonly (GoldenScores & {
    readonly options: Readonly<Record<string, number | boolean>>
    readonly signature: string
  })[]
}
interface GoldenScores {
  readonly corpus: number
  readonly rows: readonly number[]
}
const golden = JSON.parse(readFileSync(new URL("golden/scores.json", import.meta.url), "utf8")) as Golden

for (const { name, answers, references, scores } of golden.sets) {
  describe(`golden scores of ${name}`, () => {
    for (const [metricName, expected] of Object.entries(scores)) {
      const metric = metricNamed(metricName)
      it(`${metricName} of all rows`, () => {
        expect(metric.corpus(answers, references)).toBeCloseTo(expected.corpus, 8)
      })
      it(`${metricName} of each row`, () => {
        const rows = metric.perRow(answers, references)
        for (const [row, score] of expected.rows.entries()) {
          expect(rows[row], `row ${row}: ${answers[row]} | ${references[row]}`).toBeCloseTo(score, 8)
        }
      })
    }
  })
}

describe("defineChrF", () => {
  const ofSet = (name: string, count?: number) => {
    const { answers, references } = golden.sets.find((set) => set.name === name)!
    return { answers: answers.slice(0, count), references: references.slice(0, count) }
  }
  const [own, random] = [ofSet("sacrebleu's own cases"), ofSet("random texts", 30)]
  const [answers, references] = [
    [...own.answers, ...random.answers],
    [...own.references, ...random.references],
  ]
  it.each(golden.chrFOptions)("$signature", ({ options, corpus, rows }) => {
    const metric = defineChrF("other", {
      characterOrder: options.char_order as number | undefined,
      wordOrder: options.word_order as number | undefined,
      beta: options.beta as number | undefined,
      hasWhitespace: options.whitespace as boolean | undefined,
      isLowercase: options.lowercase as boolean | undefined,
      hasEpsSmoothing: options.eps_smoothing as boolean | undefined,
    })
    expect(metric.corpus(answers, references)).toBeCloseTo(corpus, 8)
    const ours = metric.perRow(answers, references)
    for (const [row, score] of rows.entries()) expect(ours[row], `row ${row}: ${answers[row]}`).toBeCloseTo(score, 8)
  })
})

describe("metrics", () => {
  it("are found by name, and an unknown one names those that exist", () => {
    expect(metricNamed("chrF++")).toBe(metrics["chrF++"])
    expect(() => metricNamed("bleurt")).toThrow(/bleurt.*exactMatch.*chrF\+\+/)
    expect(() => metricNamed("toString")).toThrow(expect.objectContaining({ code: "metric.unknown" }))
  })

  it("take exact match letter by letter, against any of several references", () => {
    expect(metrics.exactMatch.corpus(["a", "b ", "C", "d"], ["a", "b", "c", ["x", "d"]])).toBe(0.5)
    expect(metrics.accuracy.corpus([" yes\n", "Yes"], ["yes", "yes"])).toBe(0.5)
  })

  it("reward no missing answer, even where nothing is expected", () => {
    for (const metric of Object.values(metrics)) expect(metric.corpus([undefined, undefined], ["", "word"]), metric.name).toBe(0)
  })

  it("give each perfect answer their full scale", () => {
    for (const metric of Object.values(metrics))
      expect(metric.corpus(["one answer of five words"], ["one answer of five words"]), metric.name).toBeCloseTo(metric.scale, 12)
  })

  it("refuse what cannot be scored", () => {
    expect(() => metrics.chrF.corpus([], [])).toThrow(expect.objectContaining({ code: "metric.no-rows" }))
    expect(() => metrics.chrF.corpus(["a"], [])).toThrow(expect.objectContaining({ code: "metric.lengths-differ" }))
    expect(() => metrics.chrF.corpus(["a"], [[]])).toThrow(expect.objectContaining({ code: "metric.no-reference" }))
  })

  it("score a choice of rows from the same statistics", () => {
    const metric = metrics["chrF++"]
    const all = metric.statistics(["abc def", "abd", "x"], ["abc deg", "abc", "x"])
    const chosen = selectStatistics(all, [2, 0])
    expect([...scoreRows(chosen, metric.score)]).toEqual([...metric.perRow(["x", "abc def"], ["x", "abc deg"])])
    expect(metric.score(sumStatistics(chosen))).toBe(metric.corpus(["x", "abc def"], ["x", "abc deg"]))
  })
})

describe.skipIf(!paperArtifacts)("scores of the paper's stored predictions (PAPER_ARTIFACTS)", () => {
  const generated = "generation/generated_dataset"
  const table: [string, number, number, number][] = [
    ["baseline/gpt_baseline/results/normalization_gpt_results", 860, 30.6583, 0.5],
    [`${generated}/flan-t5-base_normalization_1.4_1.4_with_filtering_real_dataset_without_post_filter`, 860, 63.5177, 0.5523],
    [`${generated}/flan-t5-base_normalization_1.4_1.4_with_filtering_generated_test_dataset_without_post_filter`, 1000, 82.7211, 0.347],
    [`${generated}/flan-t5-base_normalization_1.4_1.4_without_filtering_real_dataset_without_post_filter`, 860, 54.3816, 0.443],
    [`${generated}/flan-t5-base_normalization_1.4_1.4_without_filtering_generated_test_dataset_without_post_filter`, 1000, 79.7298, 0.318],
    [`${generated}/flan-t5-base_normalization_0.3_1.4_with_filtering_real_dataset_without_post_filter`, 860, 36.1288, 0.1337],
    [`${generated}/flan-t5-base_normalization_0.3_1.4_with_filtering_generated_test_dataset_without_post_filter`, 1000, 82.8885, 0.356],
    [`${generated}/flan-t5-base_normalization_0.3_1.4_without_filtering_real_dataset_without_post_filter`, 860, 42.986, 0.2035],
    [`${generated}/flan-t5-base_normalization_0.3_1.4_without_filtering_generated_test_dataset_without_post_filter`, 1000, 83.6759, 0.34],
    [`${generated}/mt5-base_normalization_real_dataset_without_post_filter`, 860, 53.3667, 0.4802],
    [`${generated}/mt5-base_normalization_generated_test_dataset_without_post_filter`, 1000, 80.5941, 0.272],
  ]
  it.each(table)("%s", (folder, rows, chrFPlusPlus, exactMatch) => {
    const { output, model_output: references } = readColumns(folder)
    expect(output).toHaveLength(rows)
    expect(metrics["chrF++"].corpus(output, references)).toBeCloseTo(chrFPlusPlus, 4)
    expect(metrics.exactMatch.corpus(output, references)).toBeCloseTo(exactMatch, 4)
  })

  it("the majority answer and the copied input on the real Temporal rows", () => {
    const { input_col: inputs, output_col: references } = readColumns("baseline/real_datasets/datasets/normalization")
    const majority = inputs.map(() => "N/A")
    expect(metrics["chrF++"].corpus(majority, references)).toBeCloseTo(10.984, 3)
    expect(metrics.exactMatch.corpus(majority, references)).toBeCloseTo(0.429, 3)
    expect(metrics["chrF++"].corpus(inputs, references)).toBeCloseTo(18.853, 3)
    expect(metrics.exactMatch.corpus(inputs, references)).toBe(0)
  })
})
