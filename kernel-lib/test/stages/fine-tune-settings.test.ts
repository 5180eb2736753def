import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { chooseSettings, learningRateAt } from "../../src/stages/fine-tune/choose-settings"
import { planBatches } from "../../src/stages/fine-tune/plan-batches"

const rows = (count: number, input: number, output: number) => ({
  inputs: Array<number>(count).fill(input),
  outputs: Array<number>(count).fill(output),
})

describe("chooseSettings", () => {
  it("takes large batches of short rows and small ones of long rows, since attention grows with the square", () => {
    const batch = (length: number) => chooseSettings({}, { isPretrained: false }, rows(4000, length, 12)).batchSize
    expect([batch(16), batch(150), batch(230), batch(512)]).toEqual([64, 16, 8, 4])
  })

  it("gives a model from scratch enough steps, and a pretrained one upstream's epochs", () => {
    expect(chooseSettings({}, { isPretrained: false }, rows(4442, 16, 11)).epochs).toBe(10)
    expect(chooseSettings({}, { isPretrained: false }, rows(60, 16, 11)).epochs).toBe(60)
    expect(chooseSettings({}, { isPretrained: true }, rows(4442, 16, 11))).toMatchObject({ epochs: 10, learningRate: 5e-5, batchSize: 8 })
  })

  it("keeps what the caller gave, and takes undefined for not given", () => {
    expect(chooseSettings({ epochs: 3, batchSize: undefined }, { isPretrained: false }, rows(100, 16, 11))).toMatchObject({
      epochs: 3,
      batchSize: 64,
    })
  })

  it("covers nearly all lengths, and not one that is far longer than the rest", () => {
    const lengths = { inputs: [...Array<number>(999).fill(20), 400], outputs: Array<number>(1000).fill(11) }
    expect(chooseSettings({}, { isPretrained: false }, lengths)).toMatchObject({ maxInputTokens: 20, maxOutputTokens: 11 })
  })
})

describe("learningRateAt", () => {
  it("rises to the peak in a straight line, and falls to nearly nothing", () => {
    const rates = Array.from({ length: 100 }, (_, step) => learningRateAt(step, 100, { learningRate: 1, warmUp: 0.1 }))
    expect(rates[0]).toBeCloseTo(0.1, 6)
    expect(Math.max(...rates)).toBe(1)
    expect(rates.indexOf(1)).toBe(9)
    expect(rates[99]).toBeCloseTo(1 / 90, 6)
  })
})

describe("planBatches", () => {
  it("puts each row into one batch, rows of like length together, in an order that the seed decides", () => {
    const lengths = Array.from({ length: 500 }, (_, index) => (index * 37) % 90)
    const batches = planBatches(lengths, 16, new Random("a"))
    expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()])
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(16)
    const spread = (batch: number[]) => Math.max(...batch.map((row) => lengths[row])) - Math.min(...batch.map((row) => lengths[row]))
    expect(batches.map(spread).reduce((a, b) => a + b) / batches.length).toBeLessThan(15)
    expect(planBatches(lengths, 16, new Random("a"))).toEqual(batches)
    expect(planBatches(lengths, 16, new Random("b"))).not.toEqual(batches)
  })
})
