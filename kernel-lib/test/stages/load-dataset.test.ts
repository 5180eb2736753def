// loadDataset of what is nested, odd or missing.
import { describe, expect, it, test } from "vitest"
import { flattenColumns, flattenRow } from "../../src/core/flatten-columns"
import { loadDataset } from "../../src/stages/load-dataset/load-dataset"
import { retrieveDatasets } from "../../src/stages/retrieve-datasets/retrieve-datasets"
import { transformDataset } from "../../src/stages/transform-dataset/transform-dataset"
import { datasetCard, hubOf, spec } from "./odd-hub"

describe("loadDataset", () => {
  it("sets nested columns side by side and takes the first of several right answers", async () => {
    const hub = hubOf([datasetCard("a/one")])
    const [candidate] = await retrieveDatasets(spec, { hub })
    const source = await loadDataset(candidate, { hub })
    expect(source.columns).toEqual(["id", "title", "context", "question", "answers.text", "answers.answer_start"])
    expect(source.rows.map((row) => row["answers.text"])).toEqual(["a city", "Oslo"])
    const rows = await transformDataset(source, { spec })
    expect([...rows][0]).toMatchObject({ input: "context: Oslo is a city.\nquestion: What is Oslo?", output: "a city" })
  })

  it("sets what is nested side by side where some rows have none of it", async () => {
    const rows = [
      { question: "a", answers: null, "plain.name": 1, empty: null },
      { question: "b", answers: { text: ["yes"], more: null }, "plain.name": 2, empty: null },
      { question: "c", answers: { text: [], more: { note: "n" } }, "plain.name": 3, empty: null },
    ]
    const hub = { ...hubOf([datasetCard("a/some")]), readRows: async () => ({ columns: Object.keys(rows[0]), rows }) }
    const [candidate] = await retrieveDatasets(spec, { hub })
    const source = await loadDataset({ ...candidate, inputColumns: ["question"], outputColumn: "answers" }, { hub })
    expect(source.columns).toEqual(["question", "answers.text", "answers.more.note", "plain.name", "empty"])
    expect(source.outputColumn).toBe("answers.text")
    expect([...(await transformDataset(source, { spec }))].map(({ input, output }) => [input, output])).toEqual([["b", "yes"]])
  })

  it("leaves maps whole, whose members are others in every row", async () => {
    const rows = [
      { notes: { a: "x" }, answers: "one" },
      { notes: {}, answers: "two" },
      { notes: null, answers: "three" },
    ]
    const hub = { ...hubOf([datasetCard("a/maps")]), readRows: async () => ({ columns: Object.keys(rows[0]), rows }) }
    const [candidate] = await retrieveDatasets(spec, { hub })
    const source = await loadDataset({ ...candidate, inputColumns: ["notes.a"], outputColumn: "answers" }, { hub })
    expect([source.columns, source.inputColumns]).toEqual([["notes", "answers"], ["notes"]])
    expect(source.rows.map(({ notes }) => notes)).toEqual([{ a: "x" }, {}, null])
  })

  it("finds the text of a nested column that was named as a whole, and says which columns there are", async () => {
    const hub = hubOf([datasetCard("a/one")])
    const [candidate] = await retrieveDatasets(spec, { hub })
    expect((await loadDataset({ ...candidate, outputColumn: "answers" }, { hub })).outputColumn).toBe("answers.text")
    await expect(loadDataset({ ...candidate, outputColumn: "label" }, { hub })).rejects.toMatchObject({
      code: "dataset.no-such-column",
      message: expect.stringContaining("answers.text"),
    })
  })
})

test("nested rows become flat, lists and empty structs stay", () => {
  expect(flattenRow({ a: 1, b: { c: [1, 2], d: { e: null } }, f: {}, g: null })).toEqual({
    a: 1,
    "b.c": [1, 2],
    "b.d.e": null,
    f: {},
    g: null,
  })
  expect(flattenColumns(["a", "b", "z"], { a: 1, b: { c: 2, d: 3 } })).toEqual(["a", "b.c", "b.d", "z"])
})
