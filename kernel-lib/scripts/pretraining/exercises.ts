// What a small base model is pretrained on: rows of input and output that are drawn from text without end. Most teach what nearly every
// text-to-text task needs of a byte-level model: to copy, to find, to change a part and keep the rest.
import type { Random } from "../../src/core/random"

export interface ExerciseRow {
  readonly input: string
  readonly output: string
}

/** Draws a row; undefined where what was drawn does not do. */
export type Exercise = (random: Random) => ExerciseRow | undefined

/** The longest text of an exercise, in characters. */
const longest = 110

function drawText(texts: readonly string[], random: Random, most = longest): string {
  const text = random.pick(texts)
  if (text.length <= most) return text
  const words = text.split(" ")
  const first = random.integer(Math.max(1, words.length - 6))
  let cut = words[first]
  for (const word of words.slice(first + 1)) {
    if (cut.length + word.length >= most) break
    cut += ` ${word}`
  }
  return cut.slice(0, most)
}

/** T5's own objective on bytes: spans are replaced by sentinels, and the answer is what they stood for. */
export function fillSpans(texts: readonly string[]): Exercise {
  return (random) => {
    const text = drawText(texts, random)
    const numSpans = 1 + random.integer(3)
    let [input, output, at] = ["", "", 0]
    for (let span = 0; span < numSpans; span++) {
      const left = text.length - at
      const length = 1 + random.integer(8)
      const start = at + random.integer(Math.max(1, Math.floor(left / (numSpans - span)) - length))
      if (start + length > text.length) break
      const sentinel = `<extra_id_${span}>`
      input += text.slice(at, start) + sentinel
      output += sentinel + text.slice(start, start + length)
      at = start + length
    }
    return output === "" ? undefined : { input: input + text.slice(at), output }
  }
}

/** Text with slips of the pen -> the text. */
export function repairText(texts: readonly string[]): Exercise {
  return (random) => {
    const text = drawText(texts, random, 60)
    const letters = [...text]
    for (let slips = 1 + random.integer(3); slips > 0; slips--) {
      const at = random.integer(letters.length)
      const kind = random.integer(4)
      if (kind === 0) letters.splice(at, 1)
      else if (kind === 1) letters.splice(at, 0, letters[at] ?? "e")
      else if (kind === 2 && at + 1 < letters.length) [letters[at], letters[at + 1]] = [letters[at + 1], letters[at]]
      else letters[at] = String.fromCharCode(97 + random.integer(26))
    }
    return { input: letters.join(""), output: text }
  }
}

/** An order, a colon, a text: the order is carried out. */
export function followOrder(texts: readonly string[]): Exercise {
  const wordsOf = (text: string) => text.split(" ").filter(Boolean)
  const orders: ((text: string, random: Random) => readonly [order: string, answer: string] | undefined)[] = [
    (text) => ["copy", text],
    (text) => ["upper case", text.toUpperCase()],
    (text) => ["title case", text.replace(/(^| )\p{Ll}/gu, (letter) => letter.toUpperCase())],
    (text) => ["first word", wordsOf(text)[0]],
    (text) => ["last word", wordsOf(text).at(-1)!],
    (text) => ["longest word", wordsOf(text).reduce((best, word) => (word.length > best.length ? word : best))],
    (text) => ["hyphens", wordsOf(text).join("-")],
    (text) => [
      "letters",
      wordsOf(text)
        .map((word) => word[0])
        .join(""),
    ],
    (text) => ["backwards", wordsOf(text).slice(0, 6).reverse().join(" ")],
    (text, random) => {
      const words = wordsOf(text)
      const at = random.integer(words.length - 1)
      return [`after ${words[at]}`, words.indexOf(words[at]) === at ? words[at + 1] : ""]
    },
    (text, random) => {
      const words = wordsOf(text)
      const [word, other] = [random.pick(words), random.pick(wordsOf(random.pick(texts)))]
      return [`${word} to ${other}`, words.map((one) => (one === word ? other : one)).join(" ")]
    },
    (text, random) => {
      const word = random.pick(wordsOf(text))
      return [
        `without ${word}`,
        wordsOf(text)
          .filter((one) => one !== word)
          .join(" "),
      ]
    },
    (text, random) => {
      const words = wordsOf(text)
      const at = random.integer(words.length)
      const end = Math.min(words.length, at + 2 + random.integer(3))
      const first = words[at]
      const last = words[end - 1]
      const isPlain = words.indexOf(first) === at && words.lastIndexOf(last) === end - 1 && end > at + 1
      return [`from ${first} to ${last}`, isPlain ? words.slice(at, end).join(" ") : ""]
    },
  ]
  return (random) => {
    const text = drawText(texts, random, 64)
    if (wordsOf(text).length < 3) return undefined
    const [order, answer] = random.pick(orders)(text, random) ?? ["", ""]
    return answer ? { input: `${order}: ${text}`, output: answer } : undefined
  }
}

/** A few facts and a question about one of them; the words are drawn, so that the answer can only be read off. */
export function lookUp(words: readonly string[]): Exercise {
  const forms = [
    { fact: (name: string, value: string) => `${name}: ${value}`, join: "\n", ask: (name: string) => `\n${name}?` },
    { fact: (name: string, value: string) => `The ${name} is ${value}.`, join: " ", ask: (name: string) => ` What is the ${name}?` },
    { fact: (name: string, value: string) => `${name} = ${value}`, join: "; ", ask: (name: string) => `; ${name}` },
    { fact: (name: string, value: string) => `${value} (${name})`, join: ", ", ask: (name: string) => ` | ${name}` },
  ]
  return (random) => {
    const form = random.pick(forms)
    const pairs = Array.from({ length: 2 + random.integer(3) }, () => [
      random.pick(words),
      random.next() < 0.3 ? String(random.integer(10 ** (1 + random.integer(6)))) : random.pick(words),
    ])
    if (new Set(pairs.map(([name]) => name)).size < pairs.length) return undefined
    const [name, value] = random.pick(pairs)
    const question = form.ask(name)
    const facts = pairs.map(([one, its]) => form.fact(one, its)).join(form.join)
    return { input: random.next() < 0.8 ? facts + question : `${question.trim()} ${facts}`, output: value }
  }
}

/** One of two texts for the other. */
export function matchPairs(pairs: readonly (readonly [string, string])[]): Exercise {
  return (random) => {
    const [input, output] = random.pick(pairs)
    return { input: input.slice(0, longest), output: output.slice(0, 60) }
  }
}

/** Draws rows of exercises in proportion to their weights, for ever. */
export function* drawRows(
  exercises: readonly (readonly [weight: number, exercise: Exercise])[],
  random: Random,
): Generator<ExerciseRow, never> {
  const total = exercises.reduce((sum, [weight]) => sum + weight, 0)
  for (;;) {
    let left = random.next() * total
    const chosen = exercises.find(([weight]) => {
      left -= weight
      return left < 0
    })
    const row = chosen?.[1](random)
    if (row && row.input.length > 0 && row.output.length > 0) yield row
  }
}
