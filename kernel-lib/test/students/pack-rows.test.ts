// Rows behind each other: every token has its place, and graphs are few.
import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { bucketTokens } from "../../src/students/length-buckets"
import { fillTokens, packRows } from "../../src/students/pack-rows"

const drawRows = (random: Random, count: number) =>
  Array.from({ length: count }, () => Array.from({ length: random.integer(40) }, () => 3 + random.integer(90)))

describe("packRows", () => {
  it("gives each token a place of its own in its row, and fills up with tokens of no row", () => {
    const random = new Random("pack")
    for (let round = 0; round < 50; round++) {
      const rows = drawRows(random, 1 + random.integer(8))
      const packed = packRows(rows, 8, 40, round % 2 === 0 ? bucketTokens : undefined)
      const ids = fillTokens(rows, packed, 0)
      const [, length] = packed.tokens.shape
      const read = rows.map((_, row) =>
        [...packed.tokens.data.subarray(row * length, (row + 1) * length)].filter((token) => token >= 0).map((token) => ids.data[token]),
      )
      expect(read).toEqual(rows)
      const tokens = rows.flat().length
      for (const [token, place] of packed.places.data.entries()) expect(packed.tokens.data[place] ?? -1).toBe(token < tokens ? token : -1)
      expect([...ids.data.subarray(tokens)].every((id) => id === 0)).toBe(true)
    }
  })

  it("never has more tokens than the grid has places", () => {
    const rows = Array.from({ length: 8 }, () => Array.from({ length: 33 }, () => 7))
    expect(packRows(rows, 8, 33).places.shape).toEqual([264])
  })

  it("has few numbers of tokens for rows in any order, and little to fill up for rows that were planned", () => {
    const random = new Random("orders")
    const counts = Array.from({ length: 200 }, () => drawRows(random, 8)).map((rows) => packRows(rows, 8, 40).places.shape[0])
    expect(new Set(counts).size).toBeLessThan(7)
    for (let count = 1; count < 3000; count++) {
      expect(bucketTokens(count)).toBeGreaterThanOrEqual(count)
      expect(bucketTokens(count)).toBeLessThan(Math.max(count + 8, count * 1.0625))
    }
  })
})
