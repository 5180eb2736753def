import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { minHash } from "../../src/measures/min-hash"
import { groupNearDuplicates, NearDuplicateIndex } from "../../src/measures/near-duplicates"
import { jaccard, shinglesOf } from "../../src/measures/shingles"
import { paperArtifacts, readColumns } from "./read-arrow"

const sentence = "The annual conference on coastal engineering was moved to Lisbon because the harbour hall in Porto is closed for repairs"

/** A random text of words. */
function randomText(random: Random, numWords: number): string[] {
  return Array.from({ length: numWords }, () =>
    Array.from({ length: 3 + random.integer(6) }, () => "abcdefghij"[random.integer(10)]).join(""),
  )
}

describe("minHash", () => {
  it("lets texts meet that share 0.8 of their shingles, and seldom those that share little", () => {
    const random = new Random(1)
    let missed = 0
    let similar = 0
    let metByChance = 0
    for (let trial = 0; trial < 400; trial++) {
      const words = randomText(random, 40)
      const changed = words.map((word, index) => (index % 16 === trial % 16 ? randomText(random, 1)[0] : word))
      const [a, b, c] = [words, changed, randomText(random, 40)].map((list) => shinglesOf(list.join(" ")))
      const [hashA, hashB, hashC] = [a, b, c].map((shingles) => minHash(shingles))
      if (jaccard(a, b) >= 0.8) {
        similar++
        if (!hashA.some((key, band) => key === hashB[band])) missed++
      }
      if (hashA.some((key, band) => key === hashC[band])) metByChance++
    }
    expect(similar).toBeGreaterThan(50)
    expect(missed).toBe(0)
    expect(metByChance).toBeLessThan(4)
  })

  it("measures similarity exactly", () => {
    expect(jaccard(shinglesOf("abcdefgh"), shinglesOf("abcdefgh"))).toBe(1)
    // abcde bcdef cdefg defgh, and abcde bcdef cdefg defgx: 3 of 5.
    expect(jaccard(shinglesOf("abcdefgh"), shinglesOf("abcdefgx"))).toBe(0.6)
    expect(jaccard(shinglesOf("abcde"), shinglesOf("vwxyz"))).toBe(0)
  })
})

describe("NearDuplicateIndex", () => {
  const index = new NearDuplicateIndex()
  for (const text of [sentence, "3 May 1999", `${sentence} until 2024`]) index.add(text)

  it("finds what differs in case, punctuation and white space, however short", () => {
    expect(index.find(" 3 may, 1999. ")).toEqual({ position: 1, similarity: 1, isSame: true })
    expect(index.find(sentence.toUpperCase())).toMatchObject({ position: 0, isSame: true })
  })

  it("finds a long text with a word changed, dropped or added", () => {
    for (const near of [sentence.replace("annual", "yearly"), sentence.replace("coastal ", ""), `${sentence} again`]) {
      expect(index.find(near)).toMatchObject({ position: 0, isSame: false })
    }
  })

  it("takes short texts with another word, and long ones with another number, for different", () => {
    expect(index.find("3 June 1999")).toBeUndefined()
    expect(index.find("3 May 1998")).toBeUndefined()
    expect(index.find(`${sentence} until 2025`)).toBeUndefined()
  })

  it("finds nothing in another text", () => {
    expect(index.find(sentence.split(" ").reverse().join(" "))).toBeUndefined()
  })
})

describe("groupNearDuplicates", () => {
  it("keeps every date as people write it apart", () => {
    const months = [
      "January",
      "February",
      "March",
      "April",
      "May",
      "June",
      "July",
      "August",
      "September",
      "October",
      "November",
      "December",
    ]
    const ordinals = ["first", "second", "third", "fourth", "twenty-eighth", "twenty-ninth"]
    const dates = [1998, 1999, 2001].flatMap((year) =>
      months.flatMap((month) => [
        ...[1, 2, 11, 12, 21, 22].flatMap((day) => [
          `${day} ${month} ${year}`,
          `${month} ${day}, ${year}`,
          `the ${day}th of ${month} in the year ${year}`,
        ]),
        ...ordinals.map(
          (day) =>
            `the ${day} of ${month} ${year === 2001 ? "two thousand and one" : `nineteen ninety-${year === 1998 ? "eight" : "nine"}`}`,
        ),
      ]),
    )
    expect(new Set(groupNearDuplicates(dates)).size).toBe(dates.length)
  })

  it("puts the same texts together in any order", () => {
    const random = new Random(4)
    const bases = Array.from({ length: 30 }, () => randomText(random, 25))
    const texts = bases.flatMap((words, base) =>
      Array.from({ length: 1 + (base % 4) }, (_, copy) => words.map((word, at) => (at === copy + 3 ? `${word}x` : word)).join(" ")),
    )
    const asSets = (order: readonly number[]) => {
      const groups = groupNearDuplicates(order.map((position) => texts[position]))
      const sets = new Map<number, number[]>()
      for (const [place, group] of groups.entries()) sets.set(group, [...(sets.get(group) ?? []), order[place]])
      return [...sets.values()].map((set) => set.sort((a, b) => a - b).join()).sort()
    }
    const inOrder = asSets(texts.map((_, position) => position))
    expect(inOrder).toHaveLength(30)
    for (let trial = 0; trial < 5; trial++) expect(asSets(random.shuffle(texts.keys()))).toEqual(inOrder)
  })

  it("joins a chain: near to near is together", () => {
    const words = randomText(new Random(8), 40)
    const chain = Array.from({ length: 6 }, (_, step) =>
      words.map((word, at) => (at < 3 * step ? word.toUpperCase().replace(/./g, "z") : word)).join(" "),
    )
    expect(jaccard(shinglesOf(chain[0]), shinglesOf(chain[5]))).toBeLessThan(0.6)
    expect(new Set(groupNearDuplicates(chain)).size).toBe(1)
  })
})

describe.skipIf(!paperArtifacts)("near duplicates in the paper's Temporal rows (PAPER_ARTIFACTS)", () => {
  it("are few, and none of the teacher's rows repeats a real test row", () => {
    const { input_col: test } = readColumns("baseline/real_datasets/datasets/normalization")
    const { input_col: train } = readColumns("generation/generated_dataset/normalization_1.4_1.4_without_filtering")
    expect(new Set(groupNearDuplicates(test)).size).toBeGreaterThan(850)
    const different = new Set(train).size
    const groups = new Set(groupNearDuplicates(train)).size
    expect(groups).toBeLessThanOrEqual(different)
    expect(groups).toBeGreaterThan(0.99 * different)
    const index = new NearDuplicateIndex()
    for (const text of test) index.add(text)
    expect(train.filter((text) => index.find(text))).toEqual([])
  })
})
