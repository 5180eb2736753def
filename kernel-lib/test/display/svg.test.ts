import { describe, expect, it } from "vitest"
import { drawAcceptanceBar } from "../../src/display/svg/acceptance-bar"
import { drawIntervalStrip } from "../../src/display/svg/interval-strip"
import { drawLengthHistogram } from "../../src/display/svg/length-histogram"
import { drawLossCurve } from "../../src/display/svg/loss-curve"

const numbersOf = (svg: string, tag: string, attribute: string) =>
  [...svg.matchAll(new RegExp(`<${tag}[^>]* ${attribute}="([^"]*)"`, "g"))].map((match) => Number(match[1]))
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([\s\S]*?)<\/text>/g)].map((match) => match[1].replace(/<[^>]*>/g, ""))

describe("acceptance bar", () => {
  it("fills its width in the order of the reasons, and a single row is still seen", () => {
    const { svg, width } = drawAcceptanceBar(1_000_000, [
      { reason: "near-duplicate", rows: 1 },
      { reason: "malformed", rows: 1 },
    ])
    const left = numbersOf(svg, "rect", "x")
    const widths = numbersOf(svg, "rect", "width")
    expect(left[2] + widths[2]).toBeCloseTo(width, 0)
    expect(Math.min(...widths)).toBeGreaterThanOrEqual(3)
    expect([...svg.matchAll(/<rect[^>]*fill="([^"]*)"/g)].map((match) => match[1])).toEqual(["#009e73", "#cc79a7", "#c0392b"])
  })

  it("names the reasons that have room and counts the others", () => {
    const reasons = Array.from({ length: 12 }, (_, index) => ({ reason: `reason number ${index}`, rows: 2 }))
    const { svg, label } = drawAcceptanceBar(10, reasons)
    expect(textsOf(svg).at(-1)).toMatch(/^2 reason number 0 · .* · \d+ others$/)
    expect(label).toContain("2 reason number 11")
  })

  it("draws nothing accepted and nothing rejected", () => {
    expect(drawAcceptanceBar(0, []).label).toBe("0 rows accepted, 0 rejected")
  })
})

describe("length histogram", () => {
  it("shows a bin with one row and leaves out an empty one", () => {
    const { svg, label } = drawLengthHistogram({ unit: "tokens", bins: [0, 1, 100000], median: 7, max: 9 })
    expect(numbersOf(svg, "rect", "height")).toEqual([0, 1.5, 40])
    expect(label).toBe("length of inputs in tokens: median 7, max 9")
  })
})

describe("interval strip", () => {
  it("keeps scores and intervals on the line", () => {
    const { svg } = drawIntervalStrip({ value: 100, low: 97, high: 100 }, 100, true)
    expect(numbersOf(svg, "circle", "cx")).toEqual([175])
    expect(numbersOf(svg, "line", "x2").every((x) => x <= 175)).toBe(true)
    expect(drawIntervalStrip({ value: 0.5 }, 1, false).label).toBe("0.500")
  })
})

describe("loss curve", () => {
  it("goes down from left to right, from the first step to the last", () => {
    const { svg, label } = drawLossCurve(
      [
        [0, 10],
        [350, 1],
        [700, 0.1],
      ],
      [[700, 0.3]],
      700,
    )
    expect(svg).toContain('points="40.0,20.0 300.0,87.5 560.0,155.0"')
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining(["loss, log scale", "0.1", "0.3", "1", "3", "10", "700 steps", "train", "validation"]),
    )
    expect(label).toBe("train loss from 10 to 0.1, validation loss from 0.3 to 0.3, over 700 steps")
  })

  it("keeps the labels of lines that end together apart", () => {
    const { svg } = drawLossCurve(
      [
        [0, 2],
        [10, 0.5],
      ],
      [
        [5, 1],
        [10, 0.5],
      ],
      10,
    )
    const [train, validation] = ["train", "validation"].map((name) => Number(new RegExp(`y="([^"]*)"[^>]*>${name}<`).exec(svg)?.[1]))
    expect(Math.abs(train - validation)).toBeGreaterThanOrEqual(12)
  })

  it.each([
    ["no step", [], []],
    ["one step", [[3, 2.5]], []],
    [
      "losses that are no numbers",
      [
        [0, Number.NaN],
        [1, 0],
        [2, -1],
        [3, Number.POSITIVE_INFINITY],
      ],
      [],
    ],
    [
      "one value",
      [
        [0, 1],
        [1, 1],
      ],
      [[1, 1]],
    ],
    [
      "very small values",
      [
        [0, 1e-9],
        [1, 1e-12],
      ],
      [],
    ],
    [
      "thirty powers of ten",
      [
        [0, 1e20],
        [1, 1e-10],
      ],
      [],
    ],
  ] as [string, [number, number][], [number, number][]][])("draws %s", (_, train, validation) => {
    const { svg } = drawLossCurve(train, validation, 0)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    expect(textsOf(svg).length).toBeLessThan(16)
  })
})
