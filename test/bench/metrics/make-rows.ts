// Answers and references to score: sentences over words as frequent as in a language, and answers that get some of them wrong.
import { writeFileSync } from "node:fs"
import { Random } from "../../../kernel-lib/src/core/random"

const letters = "eeeetttaaoooiinnsshhrrddllcumwfgypbvkéßя日"
const marks = [".", ",", "!", "?", ";", ")", "'s", "-"]

/** Writes `count` lines of `[answer, reference]`, 1 to 18 words each; equal counts give equal rows. */
export function writeRows(file: string, count: number): void {
  const random = new Random("metrics bench")
  const vocabulary = Array.from({ length: 8000 }, () =>
    Array.from({ length: 2 + random.integer(8) }, () => letters[random.integer(letters.length)]).join(""),
  )
  // Zipf: the word of rank r is drawn with a chance of about 1 / r.
  const word = () => vocabulary[Math.floor(vocabulary.length ** random.next()) - 1]
  const marked = (text: string) => (random.next() < 0.12 ? text + marks[random.integer(marks.length)] : text)
  const lines: string[] = []
  for (let row = 0; row < count; row++) {
    const reference = Array.from({ length: 1 + random.integer(18) }, () => marked(word()))
    const answer = reference.flatMap((one) => {
      const chance = random.next()
      if (chance < 0.06) return []
      if (chance < 0.16) return [marked(word())]
      return chance < 0.2 ? [one, word()] : [one]
    })
    // Some answers are right.
    const isRight = random.next() < 0.2
    lines.push(JSON.stringify([(isRight ? reference : answer).join(" "), reference.join(" ")]))
  }
  writeFileSync(file, `${lines.join("\n")}\n`)
}
