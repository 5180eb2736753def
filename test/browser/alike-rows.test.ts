// The viewer's search for rows that are alike finds what the library's own index finds.
import { describe, expect, it } from "vitest"
import { AlikeTexts } from "../../jupyter-extension/src/worker/alike-rows"
import { Random } from "../../kernel-lib/src/core/random"
import { groupNearDuplicates } from "../../kernel-lib/src/measures/near-duplicates"

const words = "ship harbour captain morning cold nobody aboard left year dog swim water night storm light sail rope wind".split(" ")

/** Sentences, and copies of them with a few words, their case, or a number changed. */
function makeTexts(random: Random, count: number): string[] {
  const texts: string[] = []
  const pick = () => words[Math.floor(random.next() * words.length)]
  while (texts.length < count) {
    const known = texts.length > 0 && random.next() < 0.5 ? texts[Math.floor(random.next() * texts.length)].split(" ") : undefined
    const sentence = known ?? Array.from({ length: 3 + Math.floor(random.next() * 40) }, pick)
    if (known)
      for (let changes = Math.floor(random.next() * 4); changes > 0; changes--)
        sentence[Math.floor(random.next() * sentence.length)] = pick()
    if (random.next() < 0.2) sentence.push(String(Math.floor(random.next() * 3)))
    texts.push(random.next() < 0.1 ? sentence.join(" ").toUpperCase() : sentence.join(" "))
  }
  return texts
}

describe("AlikeTexts", () => {
  it.each([1, 2, 3, 4])("puts texts into the library's groups, seed %i", (seed) => {
    const texts = makeTexts(new Random(seed), 600)
    const alike = new AlikeTexts()
    for (const text of texts) alike.add(text)
    const expected = [...groupNearDuplicates(texts)]
    expect(new Set(expected).size).toBeLessThan(500)
    expect(texts.map((_text, position) => alike.groupOf(position))).toEqual(expected)
  })
})
