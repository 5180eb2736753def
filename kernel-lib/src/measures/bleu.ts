// BLEU (Papineni et al. 2002) as sacrebleu 2.x computes it by default: tokenizer 13a, case kept, exponential smoothing.
import { defineMetric, statisticsOf } from "./metric"
import { NgramTree } from "./ngram-tree"
import { isWhitespace, splitAtWhitespace } from "./whitespace"

const orders = 4
/** Per row: length of the answer, length of the closest reference, then shared and all n-grams of the answer for each order. */
const size = 2 + 2 * orders

/**
 * BLEU of all rows together, 0 to 100: `sacrebleu`'s corpus BLEU, whose tokenizer takes words to be divided by spaces (Japanese and
 * Chinese are not; use chrF there). A single row's score is its sentence BLEU, which leaves out orders longer than the answer.
 */
export const bleu = defineMetric({
  name: "BLEU",
  label: "BLEU",
  scale: 100,
  statistics(answers, references) {
    const counter = new WordCounter()
    return statisticsOf(answers, references, size, (answer, golds, values, offset) => {
      counter.count(answer ?? "", golds, values, offset)
    })
  },
  score: (sums) => scoreOf(sums, false),
  scoreRow: (sums) => scoreOf(sums, true),
})

/** `leavesOut`: orders of which the answer has no n-gram do not count; otherwise they make the score 0. */
function scoreOf(sums: ArrayLike<number>, leavesOut: boolean): number {
  const [length, referenceLength] = [sums[0], sums[1]]
  let hasShared = false
  for (let order = 0; order < orders; order++) hasShared ||= sums[2 + order] > 0
  if (!hasShared) return 0
  const penalty = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1
  let logarithms = 0
  let counted = 0
  let smoothing = 1
  for (let order = 0; order < orders; order++) {
    const [shared, all] = [sums[2 + order], sums[2 + orders + order]]
    if (all === 0) break
    if (shared === 0) smoothing *= 2
    logarithms += Math.log((100 * (shared === 0 ? 1 / smoothing : shared)) / all)
    counted++
  }
  if (counted < orders && !leavesOut) return 0
  return penalty * Math.exp(logarithms / counted)
}

/** Counts a row's n-grams in a tree whose edges are words, so that none is ever made a string. */
class WordCounter {
  private readonly tree = new NgramTree()
  private readonly numbers = new Map<string, number>()
  /** How often each node's n-gram was met in the reference that is being read. */
  private met = new Int32Array(1024)

  /** Writes a row's statistics. */
  count(answer: string, golds: readonly string[], values: Float64Array, offset: number): void {
    const { tree } = this
    this.numbers.clear()
    tree.clear()
    const root = tree.newRoot()
    const goldWords = golds.map((gold) => this.readWords(gold))
    for (const words of goldWords) this.addReference(root, words)
    const words = this.readWords(answer)
    values[offset] = words.length
    values[offset + 1] = closestLength(
      words.length,
      goldWords.map(({ length }) => length),
    )
    for (let order = 0; order < orders; order++) values[offset + 2 + orders + order] = Math.max(0, words.length - order)
    for (let start = 0; start < words.length; start++) {
      for (let at = start, node = root; at < Math.min(words.length, start + orders); at++) {
        node = tree.find(node, words[at])
        if (node < 0) break
        if (tree.counts[node] === 0) continue
        tree.counts[node]--
        values[offset + 2 + at - start]++
      }
    }
  }

  /** An n-gram counts as often as the reference has it that has it most. */
  private addReference(root: number, words: readonly number[]): void {
    const { tree } = this
    const nodes: number[] = []
    for (let start = 0; start < words.length; start++) {
      for (let at = start, node = root; at < Math.min(words.length, start + orders); at++) {
        node = tree.findOrAdd(node, words[at])
        nodes.push(node)
      }
    }
    if (this.met.length < tree.counts.length) this.met = new Int32Array(tree.counts.length)
    for (const node of nodes) tree.counts[node] = Math.max(tree.counts[node], ++this.met[node])
    for (const node of nodes) this.met[node] = 0
  }

  /** The tokens as numbers, equal ones equally. */
  private readWords(text: string): number[] {
    const { numbers } = this
    return tokenize(text).map((token) => {
      const known = numbers.get(token)
      if (known !== undefined) return known
      numbers.set(token, numbers.size)
      return numbers.size - 1
    })
  }
}

/** The length nearest to `length`, the shorter of two that are as near. */
function closestLength(length: number, lengths: readonly number[]): number {
  return lengths.reduce((best, one) => {
    const [distance, bestDistance] = [Math.abs(one - length), Math.abs(best - length)]
    return distance < bestDistance || (distance === bestDistance && one < best) ? one : best
  })
}

const entities: readonly (readonly [string, string])[] = [
  ["&quot;", '"'],
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
]

/** Whatever makes more than one token of a word, or none. */
const dividing = /[{-~[-` -&(-+:-@/.,-]/

/** mteval-v13a's tokens. No rule of it reaches over white space, so each word is divided by itself. */
function tokenize(text: string): string[] {
  const tokens: string[] = []
  for (const word of splitAtWhitespace(readLine(text))) {
    if (dividing.test(word)) tokens.push(...divide(word))
    else tokens.push(word)
  }
  return tokens
}

/** The text on one line, without mark-up. */
function readLine(text: string): string {
  let end = text.length
  while (end > 0 && isWhitespace(text.charCodeAt(end - 1))) end--
  let line = text.slice(0, end)
  if (line.includes("<skipped>")) line = line.replaceAll("<skipped>", "")
  if (line.includes("-\n")) line = line.replaceAll("-\n", "")
  if (line.includes("&")) for (const [entity, sign] of entities) line = line.replaceAll(entity, sign)
  return line
}

function divide(word: string): string[] {
  return splitAtWhitespace(
    ` ${word} `
      .replace(/[{-~[-` -&(-+:-@/]/g, " $& ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])-/g, "$1 - "),
  )
}
