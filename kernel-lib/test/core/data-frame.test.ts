import { DataFrame } from "danfojs-node"
import { describe, expect, it, vi } from "vitest"
import { Dataset, type Provenance } from "../../src/core/dataset"
import { bundleOfValue } from "../../src/display/tslab-hook"

const generated: Provenance = {
  kind: "generated",
  teacher: "simulated",
  isSimulated: true,
  call: 3,
  response: 0,
  temperature: 0.75,
  votes: 2,
  voters: 3,
}
const rows = Dataset.from([
  { input: "3 May 1999", output: "1999-05-03", from: generated },
  { input: "04/05/2001", output: "2001-04-05", group: "with slashes" },
])

describe("toDataFrame", () => {
  it("gives a DataFrame of danfojs, figures as numbers", () => {
    const frame = rows.toDataFrame()
    expect(frame).toBeInstanceOf(DataFrame)
    expect(frame.shape).toEqual([2, 11])
    expect(frame.column("output").values).toEqual(["1999-05-03", "2001-04-05"])
    expect(frame.column("votes").values).toEqual([2, Number.NaN])
    expect(frame.column("kind").values).toEqual(["generated", "annotated"])
    expect(frame.column("group").values).toEqual(["", "with slashes"])
  })

  it("keeps columns away that no row has", () => {
    const own = Dataset.from([{ input: "a", output: "b" }]).toDataFrame()
    expect(own.columns).toEqual(["input", "output", "kind", "source", "id", "from"])
  })

  it("shows itself as a table, cut short and with its text as text", () => {
    const many = Dataset.from(Array.from({ length: 30 }, (_, row) => ({ input: `<b>${row}`, output: "x".repeat(500) })))
    const bundle = bundleOfValue(many.toDataFrame())!
    expect(Object.keys(bundle)).toEqual(["application/vnd.prompt2model.table+json", "text/html", "text/plain"])
    expect(bundle["text/html"]).toContain("&#60;b&#62;9")
    expect(bundle["text/html"]).not.toContain("x".repeat(100))
    expect(bundle["text/plain"]).toContain("10 of 30 rows")
    expect(bundleOfValue(many.toDataFrame().head(3))!["text/plain"]).toContain("Data frame: 3 rows, 6 columns")
  })
})

describe("without danfojs-node", () => {
  it("says in a sentence how it is installed", async () => {
    vi.doMock("node:module", () => ({
      createRequire: () => () => {
        throw new Error("Cannot find module 'danfojs-node'")
      },
    }))
    // A copy of the module by itself: others keep theirs.
    const copy = "../../src/core/data-frame?without-danfo"
    const { makeDataFrame } = (await import(copy)) as typeof import("../../src/core/data-frame")
    const expected = expect.objectContaining({ code: "dataset.no-danfo", message: expect.stringContaining('"xlsx": "0.18.5"') })
    expect(() => makeDataFrame([])).toThrow(expected)
    vi.doUnmock("node:module")
  })
})

describe("fromDataFrame", () => {
  it("brings rows back with ids, groups and where they came from, though some were dropped and the order changed", () => {
    const frame = rows.toDataFrame()
    const back = Dataset.fromDataFrame(frame)
    expect([...back]).toEqual([...rows])
    const sorted = frame.sortValues("output", { ascending: false })
    expect(Dataset.fromDataFrame(sorted).ids).toEqual([...rows.ids].reverse())
  })

  it("takes a frame of one's own, numbers as text", () => {
    const own = Dataset.fromDataFrame(
      new DataFrame(
        [
          [1, "one"],
          [2, "two"],
        ],
        { columns: ["input", "output"] },
      ),
      { name: "numbers" },
    )
    expect([own.inputs, own.outputs, own.name]).toEqual([["1", "2"], ["one", "two"], "numbers"])
    expect(own.provenance[1]).toEqual({ kind: "annotated", source: "numbers", row: 1 })
  })

  it("refuses a frame without the columns, and a row without text", () => {
    const other = new DataFrame([["a"]], { columns: ["text"] })
    expect(() => Dataset.fromDataFrame(other)).toThrow(expect.objectContaining({ code: "dataset.no-columns" }))
    const holes = new DataFrame([["a", Number.NaN]], { columns: ["input", "output"] })
    expect(() => Dataset.fromDataFrame(holes)).toThrow(expect.objectContaining({ code: "dataset.row-not-text" }))
  })
})
