// chrF and chrF++ (Popović 2015, 2017) with the numbers of sacrebleu 2: F-score of character n-grams (and word n-grams), recall counted
// beta^2 times as much as precision, averaged over the orders that both texts have.
//
// Each row costs time in proportion to its length. The reference's n-grams become a tree whose edges are characters, held in one hash
// table; a candidate n-gram is a walk down that tree, so no n-gram is ever made a string. Words are walks in the same table from a root
// of their own, and a pair of words is an edge from word to word.
import { defineMetric, type Metric, statisticsOf } from "./metric"
import { NgramTree } from "./ngram-tree"
import { isWhitespace } from "./whitespace"

/** sacrebleu's string.punctuation, which it cuts off the ends of words. */
const punctuation = new Set([..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"].map((character) => character.charCodeAt(0)))

/** sacrebleu's options of the same names, with its defaults. */
export interface ChrFOptions {
  /** Longest character n-grams. Default 6. */
  readonly characterOrder?: number
  /** Longest word n-grams; 0 for chrF. Default 0. */
  readonly wordOrder?: number
  /** Recall counts beta^2 times as much as precision. Default 2. */
  readonly beta?: number
  /** Whether white space counts as characters. Default false. */
  readonly hasWhitespace?: boolean
  /** Whether case is ignored. Default false. */
  readonly isLowercase?: boolean
  /**
   * Whether all orders count, also those that one of the texts is too short for, as in chrF++.py. Default false: the mean is over the orders
   * that both texts have (`eff:yes`).
   */
  readonly hasEpsSmoothing?: boolean
}

/** chrF, 0 to 100: `sacrebleu.CHRF()`, signature `nrefs:any|case:mixed|eff:yes|nc:6|nw:0|space:no`. */
export const chrF = defineChrF("chrF")

/** chrF++, 0 to 100: `sacrebleu.CHRF(word_order=2)`, signature `nrefs:any|case:mixed|eff:yes|nc:6|nw:2|space:no`. */
export const chrFPlusPlus = defineChrF("chrF++", { wordOrder: 2 })

/**
 * chrF by other options than the usual ones: `defineChrF("chrF1", { beta: 1 }).corpus(answers, references)`, 0 to 100.
 * A row's statistics are, for each order, the n-grams of the answer, of the reference, and those they share.
 */
export function defineChrF(name: string, options: ChrFOptions = {}): Metric {
  const { characterOrder = 6, wordOrder = 0, beta = 2, hasWhitespace = false, isLowercase = false, hasEpsSmoothing = false } = options
  const orders = characterOrder + wordOrder
  const fScore = (counts: ArrayLike<number>) => (hasEpsSmoothing ? meanFScore(counts, orders, beta) : scoreOfMeans(counts, orders, beta))
  const read = (text: string) => (isLowercase ? text.toLowerCase() : text)
  return defineMetric({
    name,
    label: name,
    scale: 100,
    score: (sums) => 100 * fScore(sums),
    statistics(answers, references) {
      const counter = new NgramCounter(characterOrder, wordOrder, hasWhitespace)
      const candidate = new Float64Array(3 * orders)
      return statisticsOf(answers, references, 3 * orders, (answer, golds, values, offset) => {
        let best = -1
        for (const gold of golds) {
          counter.compare(read(answer ?? ""), read(gold), candidate)
          const value = golds.length === 1 ? 0 : fScore(candidate)
          if (value <= best) continue
          best = value
          values.set(candidate, offset)
        }
      })
    },
  })
}

/** F-score, 0 to 1, of mean precision and recall of [candidate, reference, shared] counts by order; an order that one side lacks does not count. */
function scoreOfMeans(counts: ArrayLike<number>, orders: number, beta: number): number {
  let precision = 0
  let recall = 0
  let known = 0
  for (let order = 0; order < orders; order++) {
    const candidate = counts[3 * order]
    const reference = counts[3 * order + 1]
    if (candidate === 0 || reference === 0) continue
    precision += counts[3 * order + 2] / candidate
    recall += counts[3 * order + 2] / reference
    known++
  }
  if (precision + recall === 0) return 0
  return fOf(precision / known, recall / known, beta)
}

/** Mean over all orders of each one's F-score, 0 to 1; where there is nothing to share it is next to nothing. */
function meanFScore(counts: ArrayLike<number>, orders: number, beta: number): number {
  const least = 1e-16
  let sum = 0
  for (let order = 0; order < orders; order++) {
    const [candidate, reference, shared] = [counts[3 * order], counts[3 * order + 1], counts[3 * order + 2]]
    const precision = candidate > 0 ? shared / candidate : least
    const recall = reference > 0 ? shared / reference : least
    sum += precision + recall > 0 ? fOf(precision, recall, beta) : least
  }
  return sum / orders
}

function fOf(precision: number, recall: number, beta: number): number {
  return ((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall)
}

class NgramCounter {
  private readonly tree = new NgramTree()
  private readonly answer = new CodePoints()
  private readonly reference = new CodePoints()

  constructor(
    private readonly characterOrder: number,
    private readonly wordOrder: number,
    private readonly hasWhitespace: boolean,
  ) {}

  /** Fills `counts` with [answer, reference, shared] for each order, characters first. */
  compare(answer: string, reference: string, counts: Float64Array): void {
    this.answer.read(answer)
    this.reference.read(reference)
    this.tree.clear()
    const [ours, theirs] = [this.answer, this.reference].map(({ all, numAll, solid, numSolid }) =>
      this.hasWhitespace ? { characters: all, length: numAll } : { characters: solid, length: numSolid },
    )
    this.compareSequence(
      this.tree.newRoot(),
      ours.characters,
      ours.length,
      theirs.characters,
      theirs.length,
      this.characterOrder,
      counts,
      0,
    )
    if (this.wordOrder === 0) return
    const root = this.tree.newRoot()
    this.answer.readWords(this.tree, root)
    this.reference.readWords(this.tree, root)
    const { words, numWords } = this.answer
    this.compareSequence(
      this.tree.newRoot(),
      words,
      numWords,
      this.reference.words,
      this.reference.numWords,
      this.wordOrder,
      counts,
      3 * this.characterOrder,
    )
  }

  private compareSequence(
    root: number,
    answer: Int32Array,
    answerLength: number,
    reference: Int32Array,
    referenceLength: number,
    orders: number,
    counts: Float64Array,
    offset: number,
  ): void {
    const { tree } = this
    for (let order = 0; order < orders; order++) {
      const inReference = Math.max(0, referenceLength - order)
      // sacrebleu counts no candidates of an order that the reference has none of.
      counts[offset + 3 * order] = inReference === 0 ? 0 : Math.max(0, answerLength - order)
      counts[offset + 3 * order + 1] = inReference
      counts[offset + 3 * order + 2] = 0
    }
    for (let start = 0; start < referenceLength; start++) {
      const end = Math.min(referenceLength, start + orders)
      for (let position = start, node = root; position < end; position++) {
        node = tree.findOrAdd(node, reference[position])
        tree.counts[node]++
      }
    }
    for (let start = 0; start < answerLength; start++) {
      const end = Math.min(answerLength, start + orders)
      for (let position = start, node = root; position < end; position++) {
        node = tree.find(node, answer[position])
        if (node < 0) break
        if (tree.counts[node] === 0) continue
        tree.counts[node]--
        counts[offset + 3 * (position - start) + 2]++
      }
    }
  }
}

/** A text as code points: all, those that are no white space, where its words begin and end, and its words as numbers. */
class CodePoints {
  all = new Int32Array(256)
  numAll = 0
  solid = new Int32Array(256)
  numSolid = 0
  words = new Int32Array(256)
  numWords = 0
  /** Position in `solid` after each white-space word's end. */
  private ends = new Int32Array(256)
  private numEnds = 0

  read(text: string): void {
    if (this.solid.length < text.length) {
      this.all = new Int32Array(2 * text.length)
      this.solid = new Int32Array(2 * text.length)
      this.ends = new Int32Array(2 * text.length)
      this.words = new Int32Array(4 * text.length)
    }
    let length = 0
    let count = 0
    let wordStart = 0
    this.numEnds = 0
    for (let index = 0; index < text.length; index++) {
      let code = text.charCodeAt(index)
      if (isWhitespace(code)) {
        this.all[count++] = code
        if (length > wordStart) this.ends[this.numEnds++] = length
        wordStart = length
        continue
      }
      if ((code & 0xfc00) === 0xd800) {
        code = text.codePointAt(index)!
        if (code > 0xffff) index++
      }
      this.all[count++] = code
      this.solid[length++] = code
    }
    this.numAll = count
    if (length > wordStart) this.ends[this.numEnds++] = length
    this.numSolid = length
  }

  /** Numbers the words, equal words equally, with one punctuation mark cut off: the last of a word, else the first. */
  readWords(tree: NgramTree, root: number): void {
    this.numWords = 0
    for (let word = 0, start = 0; word < this.numEnds; word++) {
      const end = this.ends[word]
      if (end - start > 1 && punctuation.has(this.solid[end - 1])) {
        this.addWord(tree, root, start, end - 1)
        this.addWord(tree, root, end - 1, end)
      } else if (end - start > 1 && punctuation.has(this.solid[start])) {
        this.addWord(tree, root, start, start + 1)
        this.addWord(tree, root, start + 1, end)
      } else {
        this.addWord(tree, root, start, end)
      }
      start = end
    }
  }

  private addWord(tree: NgramTree, root: number, start: number, end: number): void {
    let node = root
    for (let position = start; position < end; position++) node = tree.findOrAdd(node, this.solid[position])
    this.words[this.numWords++] = node
  }
}
