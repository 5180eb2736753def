import { describe, expect, it } from "vitest"
import { readPredictions, scorePredictions } from "../../src/measures/score-predictions"

const table = {
  columns: ["answer", "gold", "golds"],
  rows: [
    { answer: "1999-05-03", gold: "1999-05-03", golds: ["1999-05-03"] },
    { answer: 7, gold: 7n, golds: { text: ["six", "7"], answer_start: [1, 2] } },
    { answer: null, gold: "", golds: new Set([""]) },
    { answer: "no", gold: "yes", golds: ["yes", "no"] },
  ],
}

describe("scorePredictions", () => {
  it("scores each metric over all rows; an empty cell is no answer", () => {
    const { rows, scores } = scorePredictions(table, { hypothesis: "answer", reference: "gold", metrics: ["exactMatch", "chrF++"] })
    expect(rows).toBe(4)
    expect(scores.exactMatch).toBe(0.5)
    expect(Object.keys(scores)).toEqual(["exactMatch", "chrF++"])
  })

  it("takes any of several references, as lists or as SQuAD writes them", () => {
    expect(scorePredictions(table, { hypothesis: "answer", reference: "golds", metrics: ["exactMatch"] }).scores.exactMatch).toBe(0.75)
  })

  it("takes any of several columns, of which a row may leave some empty", () => {
    const csv = {
      columns: ["answer", "first", "second"],
      rows: [
        { answer: "a", first: "b", second: "a" },
        { answer: "", first: "c", second: "" },
        { answer: "", first: "", second: "" },
      ],
    }
    const options = { hypothesis: "answer", reference: ["first", "second"], metrics: ["exactMatch"] }
    expect(scorePredictions(csv, options).scores.exactMatch).toBeCloseTo(2 / 3, 12)
    expect(readPredictions(csv, options).references).toEqual([["b", "a"], ["c"], ["", ""]])
    expect(() => scorePredictions(csv, { ...options, reference: ["first", "third"] })).toThrow(/third.*answer, first, second/)
  })

  it("names the columns there are, and the row without a reference", () => {
    const options = { hypothesis: "answer", reference: "gold", metrics: ["accuracy"] }
    expect(() => scorePredictions(table, { ...options, reference: "label" })).toThrow(/label.*answer, gold, golds/)
    expect(() => scorePredictions({ columns: ["answer", "gold"], rows: [{ answer: "a", gold: null }] }, options)).toThrow(
      expect.objectContaining({ code: "score.no-reference" }),
    )
    expect(() => scorePredictions({ ...table, rows: [] }, options)).toThrow(expect.objectContaining({ code: "metric.no-rows" }))
  })
})
