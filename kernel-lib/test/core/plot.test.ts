import { describe, expect, it } from "vitest"
import { Dataset, type Provenance, type RejectedRow } from "../../src/core/dataset"
import { plot } from "../../src/core/plot"
import { bundleOfValue } from "../../src/display/tslab-hook"

const from = (call: number, temperature: number): Provenance => ({
  ...{ kind: "generated", teacher: "simulated", isSimulated: true, response: 0, votes: 1, voters: 1 },
  ...{ call, temperature },
})
const rows = Array.from({ length: 100 }, (_, call) => ({ input: `in ${call}`, output: "out", from: from(call, 0.5 + call / 100) }))
const rejected = rows.filter((_, call) => call >= 50).map((row): RejectedRow => ({ ...row, id: `again ${row.input}`, reason: "duplicate" }))

describe("plot", () => {
  it("draws temperature by request, and what was rejected at which temperature", () => {
    const { data, layout } = plot(Dataset.from(rows, { rejected }))
    expect(data.map(({ name }) => name)).toEqual(["temperature", "duplicate"])
    expect((data[0].y as number[]).at(-1)).toBeCloseTo(1.49)
    // Of each row of the upper half, one more was rejected.
    expect(data[1].y).toEqual([0, 0, 0, 0.5, 0.5, 0.5])
    expect(layout.title).toEqual({ text: "Temperature and rejected rows" })
  })

  it("shows itself as Plotly's JSON, as a picture without a script, and as words", () => {
    const bundle = bundleOfValue(plot(Dataset.from(rows, { rejected })))!
    expect(Object.keys(bundle)).toEqual(["application/vnd.plotly.v1+json", "text/html", "text/plain"])
    expect(bundle["text/html"]).toContain("data:image/svg+xml;base64,")
    expect(bundle["text/plain"]).toContain("temperature from 0.50 to 1.49 over 100 requests")
  })

  it("draws one temperature, and refuses what has none", () => {
    const flat = plot(Dataset.from([rows[0]]))
    expect(flat.data[0].y).toEqual([0.5])
    expect(bundleOfValue(flat)!["text/html"]).not.toContain("NaN")
    expect(() => plot(Dataset.from([{ input: "a", output: "b" }]))).toThrow(expect.objectContaining({ code: "plot.nothing-to-draw" }))
  })

  it("draws votes: how many answers an input had, whether they agreed, and at which temperature", () => {
    const votes = (call: number, votes: number, voters: number) => ({
      ...rows[call],
      from: { ...rows[call].from, votes, voters } as Provenance,
    })
    const dataset = Dataset.from([votes(0, 3, 3), votes(1, 2, 3), votes(2, 7, 9), ...rows.slice(3)])
    const { data } = plot(dataset, { of: "votes" })
    expect(data.map(({ name }) => name)).toEqual(["all agreed", "some outvoted", "several answers", "some outvoted"])
    expect([data[0].x, data[0].y, data[1].y]).toEqual([
      [2, 3, 4, 5, 6],
      [0, 1, 0, 0, 0],
      [0, 1, 0, 0, 1],
    ])
    // Three of the coldest sixth of a hundred rows.
    expect((data[2].y as number[])[0]).toBeCloseTo(3 / 17)
    expect((data[2].y as number[]).slice(1)).toEqual([0, 0, 0, 0, 0])
    expect(bundleOfValue(plot(dataset, { of: "votes" }))!["text/plain"]).toContain(
      "3 of 100 rows had several answers to their input, and in 2",
    )
    expect(() => plot(Dataset.from([{ input: "a", output: "b" }]), { of: "votes" })).toThrow(
      expect.objectContaining({ code: "plot.nothing-to-draw" }),
    )
  })
})
