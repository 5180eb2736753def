import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { chooseSettings, learningRateAt } from "../../src/stages/fine-tune/choose-settings"
import { costShape, findShape, fitLengths } from "../../src/stages/fine-tune/fit-lengths"
import { planSteps, sharePadding } from "../../src/stages/fine-tune/plan-batches"

const rows = (count: number, input: number, output: number) => ({
  inputs: Array<number>(count).fill(input),
  outputs: Array<number>(count).fill(output),
})

const fromScratch = { isPretrained: false, dropoutRate: 0.1 }
const pretrained = { isPretrained: true, dropoutRate: 0 }

describe("chooseSettings", () => {
  it("takes large batches of short rows and small ones of long rows, since attention grows with the square", () => {
    const batch = (length: number) => chooseSettings({}, fromScratch, rows(4000, length, 12)).batchSize
    expect([batch(16), batch(150), batch(230), batch(512)]).toEqual([64, 16, 8, 4])
  })

  it("gives a model from scratch enough steps, and a pretrained one upstream's epochs", () => {
    expect(chooseSettings({}, fromScratch, rows(4442, 16, 11)).epochs).toBe(10)
    expect(chooseSettings({}, fromScratch, rows(60, 16, 11)).epochs).toBe(60)
    expect(chooseSettings({}, pretrained, rows(4442, 16, 11))).toMatchObject({ epochs: 10, learningRate: 5e-5, batchSize: 8 })
  })

  it("trains a small pretrained model as one from scratch", () => {
    const small = { ...pretrained, parameters: 900_000 }
    expect(chooseSettings({}, small, rows(4442, 16, 11))).toEqual(chooseSettings({}, fromScratch, rows(4442, 16, 11)))
    expect(chooseSettings({}, { ...pretrained, parameters: 6e7 }, rows(4442, 16, 11))).toMatchObject({ epochs: 10, learningRate: 5e-5 })
  })

  it("keeps what the caller gave, and takes undefined for not given", () => {
    expect(chooseSettings({ epochs: 3, batchSize: undefined }, fromScratch, rows(100, 16, 11))).toMatchObject({
      epochs: 3,
      batchSize: 64,
    })
  })

  it("covers nearly all lengths, and not one that is far longer than the rest", () => {
    const lengths = { inputs: [...Array<number>(999).fill(20), 400], outputs: Array<number>(1000).fill(11) }
    expect(chooseSettings({}, fromScratch, lengths)).toMatchObject({ maxInputTokens: 20, maxOutputTokens: 11 })
  })
})

describe("chooseSettings, further", () => {
  const lengths = rows(1000, 30, 10)

  it("bounds the tokens that are computed at once, the more so the longer rows are", () => {
    const bound = (length: number) => chooseSettings({}, pretrained, rows(1000, length, 20)).maxTokensPerBatch
    expect(bound(30)).toBe(8192)
    expect(bound(500)).toBeLessThan(8192)
    expect(bound(500)).toBeGreaterThan(500)
  })

  it("drops what the pretrained model dropped", () => {
    expect(chooseSettings({}, pretrained, lengths).dropout).toBe(0)
    expect(chooseSettings({ dropout: 0.2 }, pretrained, lengths).dropout).toBe(0.2)
    expect(chooseSettings({}, fromScratch, lengths).dropout).toBe(0.05)
  })

  it("gives adapters a larger rate, and patience as many epochs as were asked for", () => {
    expect(chooseSettings({ lowRank: { rank: 4 } }, pretrained, lengths).learningRate).toBe(3e-4)
    expect(chooseSettings({ epochs: 4 }, fromScratch, lengths).patience).toBe(4)
  })

  it.each([
    [{ batchSize: 0 }, "batchSize is 0: it must be a whole number above 0"],
    [{ learningRate: Number.NaN }, "learningRate is NaN"],
    [{ schedule: "cosin" as "cosine" }, "schedule is cosin: it must be linear, cosine or constant"],
    [{ optimizer: "sgd" as "adamw" }, "optimizer is sgd: it must be adamw or adafactor"],
    [{ dropout: 1 }, "dropout is 1"],
    [{ accumulation: 1.5 }, "accumulation is 1.5"],
  ])("refuses %o in a sentence", (given, message) => {
    expect(() => chooseSettings(given, pretrained, lengths)).toThrow(message)
  })
})

describe("learningRateAt", () => {
  const rates = (schedule: "linear" | "cosine" | "constant", warmUp = 0.1) =>
    Array.from({ length: 100 }, (_, step) => learningRateAt(step, 100, { learningRate: 1, warmUp, schedule }))

  it("rises to the peak in a straight line, and falls to nearly nothing", () => {
    const linear = rates("linear")
    expect(linear[0]).toBeCloseTo(0.1, 6)
    expect(Math.max(...linear)).toBe(1)
    expect(linear.indexOf(1)).toBe(9)
    expect(linear[99]).toBeCloseTo(1 / 90, 6)
  })

  it("falls along half a cosine, as transformers' schedule does, or stays", () => {
    const cosine = rates("cosine")
    expect(cosine.slice(0, 10)).toEqual(rates("linear").slice(0, 10))
    // get_cosine_schedule_with_warmup: 0.5 (1 + cos(pi (step - warmUp) / (steps - warmUp)))
    for (const step of [10, 32, 55, 99]) expect(cosine[step]).toBeCloseTo(0.5 * (1 + Math.cos((Math.PI * (step - 10)) / 90)), 12)
    expect(rates("constant").slice(9)).toEqual(Array<number>(91).fill(1))
  })

  it("begins at the peak without a warm-up", () => {
    expect(rates("linear", 0)[0]).toBe(1)
  })
})

/** Lengths as real rows have them: most are near each other, a few are far longer. */
const drawLengths = (count: number) => {
  const random = new Random("lengths")
  return Array.from({ length: count }, () => [
    Math.min(500, Math.ceil(30 * Math.exp(0.4 * random.normal()))),
    Math.ceil(12 * Math.exp(0.5 * random.normal())),
  ])
}

describe("fitLengths", () => {
  const lengths = drawLengths(3000)

  it("holds every row, with few lengths where there is little to train and more where there is much", () => {
    const shapes = [1, 3, 30].map((epochs) => {
      const fitted = fitLengths(lengths, epochs, 10_000)
      for (const row of lengths) expect(findShape(row, fitted).every((at) => at >= 0)).toBe(true)
      expect(fitted.map((kind) => kind.at(-1))).toEqual([0, 1].map((kind) => Math.max(...lengths.map((row) => row[kind]))))
      return fitted[0].length * fitted[1].length
    })
    expect(shapes[0]).toBeLessThan(shapes[1])
    expect(shapes[1]).toBeLessThan(shapes[2])
    expect(shapes[2]).toBeLessThanOrEqual(40)
    expect(fitLengths([[7, 3]], 1, 10_000)).toEqual([[7], [3]])
  })

  it("makes more graphs of a large model, whose tokens take longer", () => {
    const count = (parameters: number) => fitLengths(lengths, 1, costShape(parameters)).flat().length
    expect(count(6e7)).toBeGreaterThan(count(1e6))
  })

  it("makes fewer graphs where padding costs little", () => {
    const count = (share: number) => fitLengths(lengths, 1, costShape(6e7, share)).flat().length
    expect(count(0.05)).toBeLessThan(count(1))
  })

  it("pads least of all choices of as many lengths", () => {
    const values = [3, 3, 4, 5, 9, 10, 11, 30, 31].map((length) => [4 * length])
    const padding = (fitted: readonly number[]) =>
      values.reduce((sum, [value]) => sum + fitted.find((length) => length >= value)! - value, 0)
    const [fitted] = fitLengths(values, 1, 0.5)
    expect(padding(fitted)).toBe(0)
    const [few] = fitLengths(values, 1, 20)
    expect(few.length).toBeLessThan(fitted.length)
    const others = (count: number, from: number): number[][] =>
      count === 1
        ? [[124]]
        : values.flatMap(([value]) => (value > from && value < 124 ? others(count - 1, value).map((rest) => [value, ...rest]) : []))
    for (const other of others(few.length, 0)) expect(padding(few)).toBeLessThanOrEqual(padding(other))
  })
})

describe("planSteps", () => {
  const lengths = drawLengths(3000)
  const fitted = fitLengths(lengths, 10, 10_000)
  const plan = (seed: string, accumulation = 1) => planSteps(lengths, fitted, { batchSize: 16, accumulation }, new Random(seed))

  it("puts each row into one batch, in an order that the seed decides, with as many steps whatever the seed", () => {
    const steps = plan("a")
    expect(steps.flat(2).sort((a, b) => a - b)).toEqual([...lengths.keys()])
    expect(steps.length).toBe(Math.ceil(3000 / 16))
    expect(plan("a")).toEqual(steps)
    expect(plan("b")).not.toEqual(steps)
    expect(plan("b").length).toBe(steps.length)
    const besideFirst = (one: typeof steps) =>
      one
        .flat()
        .find((batch) => batch.includes(0))!
        .toSorted((x, y) => x - y)
    expect(besideFirst(plan("b"))).not.toEqual(besideFirst(steps))
  })

  it("wastes half of what batches in a random order waste", () => {
    const planned = sharePadding(lengths, fitted, plan("a"))
    expect(planned).toBeGreaterThan(0)
    const order = new Random("order").shuffle(lengths.keys())
    const random = Array.from({ length: 188 }, (_, at) => [order.slice(at * 16, at * 16 + 16)])
    const exact = [0, 1].map((kind) => [...new Set(lengths.map((row) => row[kind]))].sort((a, b) => a - b))
    expect(planned).toBeLessThan(0.55 * sharePadding(lengths, exact, random))
  })

  it("gives batches of one shape as many tokens as each other", () => {
    const byShape = new Map<string, number[][]>()
    for (const batch of plan("a").flat()) {
      const shapes = batch.map((row) => findShape(lengths[row], fitted))
      if (batch.length < 16 || shapes.some((shape) => shape.join() !== shapes[0].join())) continue
      const sums = [0, 1].map((kind) => batch.reduce((sum, row) => sum + lengths[row][kind], 0))
      byShape.set(shapes[0].join(), [...(byShape.get(shapes[0].join()) ?? []), sums])
    }
    const many = [...byShape.values()].filter((batches) => batches.length >= 5)
    expect(many.length).toBeGreaterThan(3)
    for (const batches of many) {
      for (const kind of [0, 1]) {
        const sums = batches.map((one) => one[kind])
        expect(Math.max(...sums) / Math.min(...sums)).toBeLessThan(1.07)
      }
    }
  })

  it("takes several batches a step", () => {
    const steps = plan("a", 4)
    expect(steps.length).toBe(Math.ceil(188 / 4))
    expect(steps.slice(0, -1).every((step) => step.length === 4)).toBe(true)
    expect(steps.flat(2).length).toBe(3000)
  })
})
