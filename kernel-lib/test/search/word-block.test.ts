// Blocks of word lists: what is written is read, whatever the numbers' sizes, and what cannot be a block is refused.
import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { BlockWriter, blockCards, longestBlock, WordBlock } from "../../src/search/disk/word-block"

const drawPostings = (random: Random, count: number, [gap, times, length]: readonly number[]) =>
  Array.from({ length: count }, () => [1 + random.integer(gap), 1 + random.integer(times), random.integer(length)] as const)

describe("WordBlock", () => {
  it.each([
    [1, [1, 1, 1]],
    [blockCards, [200, 100, 255]],
    [77, [60_000, 3, 100]],
    [blockCards, [20_000_000, 65_535, 70_000]],
    [5, [4, 300, 4_000_000_000]],
  ])("reads %i cards with numbers up to %j", (count, limits) => {
    const random = new Random(`block ${limits}`)
    const [writer, block] = [new BlockWriter(), new WordBlock()]
    for (const before of [-1, 1000]) {
      const postings = drawPostings(random, count, limits)
      for (const [gap, times, length] of postings) writer.add(gap, times, length)
      const bytes = writer.take()
      expect(writer.count).toBe(0)
      expect(bytes.length).toBeLessThanOrEqual(longestBlock)
      expect(block.open(bytes, count, before)).toBe(true)
      let row = before
      for (const [place, [gap, times, length]] of postings.entries()) {
        row += gap
        expect([block.rows[place], block.timesAt(place), block.lengthAt(place)]).toEqual([row, times, length])
      }
      expect(block.open(bytes.subarray(1), count, before)).toBe(false)
      expect(block.open(bytes, count + 1, before)).toBe(false)
    }
  })
})
