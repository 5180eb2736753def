// Decoding: rows of source ids in, rows of new ids out, whatever the way of choosing them. Rows are sorted by length and stepped together;
// a row's answer does not depend on which rows are beside it.
import { EngineError, InputError, InterruptedError } from "../core/errors"
import { Random } from "../core/random"
import type { Decoding, Seed } from "../core/student"
import { BeamHypotheses } from "./beam-search"
import type { DecoderNetwork } from "./decoder"
import { DecodingBatch, type StepScores } from "./decoding-batch"
import type { DecodingMemory } from "./decoding-memory"
import type { EarlyStopping } from "./generation-configuration"
import { applyRules, areIdle, countSpare, noRules, type TokenRules } from "./token-rules"

export interface DecodeOptions {
  readonly decoding: Decoding
  readonly maxNewTokens: number
  /** Of a decoder-only model: the most tokens of prompt and answer together; an answer has one at least. Default: no limit. */
  readonly maxTextLength?: number
  /** The token that stands before the first; of a decoder-only model, the prompt that an empty one stands for. */
  readonly startId?: number
  /** Tokens that end a sequence. */
  readonly endIds: readonly number[]
  readonly lengthPenalty: number
  /** transformers' `early_stopping`. */
  readonly stopsEarly: EarlyStopping
  /** Default: none. */
  readonly rules?: TokenRules
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
  /** Called for each token that a row without beams writes. */
  readonly onToken?: (row: number, token: RowToken) => void
}

export interface RowToken {
  readonly id: number
  /** Among all tokens; 0 for one that a rule forced. */
  readonly logProbability: number
  readonly isEnd: boolean
  /** The row's answer up to it, without what ends it. */
  readonly tokens: readonly number[]
}

export interface DecodedRow {
  /** New ids without end of sequence and padding. */
  readonly tokens: readonly number[]
  /** Geometric mean of the chosen tokens' probabilities, the end of sequence among them. */
  readonly confidence: number
}

/** A row while its target is written: what it fed last, and what became of it. */
interface RunningRow {
  /** Answers for the last token of each beam. */
  readonly lastTokens: readonly number[]
  /** For each beam, the beam that wrote each earlier place; undefined with one beam. */
  readonly ancestors?: readonly (readonly number[])[]
  /** Takes a step's scores of this row, the `position`th of the batch. */
  take(scores: StepScores, position: number): void
  readonly result: DecodedRow | undefined
}

/**
 * Decodes `sources`.
 * @throws InputError `predict.seeds`; InterruptedError when `signal` is aborted; EngineError `student.not-finite` when the weights give no numbers
 */
export async function decodeRows(
  memory: DecodingMemory,
  sources: readonly (readonly number[])[],
  options: DecodeOptions,
): Promise<DecodedRow[]> {
  const { decoding, signal, onProgress } = options
  const beams = decoding.kind === "beam" ? decoding.beams : 1
  if ("seed" in decoding && Array.isArray(decoding.seed) && decoding.seed.length !== sources.length)
    throw new InputError("predict.seeds", `There are ${decoding.seed.length} seeds for ${sources.length} inputs: give one for each.`)
  const order = [...sources.keys()].sort((a, b) => sources[b].length - sources[a].length)
  const results: DecodedRow[] = new Array(sources.length)
  let done = 0
  for (let start = 0; start < order.length; ) {
    const lengths = order.slice(start).map((index) => sources[index].length)
    const count = countGroup(lengths, memory.rowsThatFit(lengths[0], options.maxNewTokens, beams), beams)
    const group = order.slice(start, start + count)
    const rows = group.map((index) => startRow(options, memory.network, sources[index], index))
    try {
      await decodeGroup(
        memory,
        group.map((index) => sources[index]),
        rows,
        beams,
        options,
        (finished) => onProgress?.(done + finished, sources.length),
      )
    } catch (error) {
      throw signal?.aborted ? new InterruptedError("Interrupted while predicting: the same call starts again.", { cause: error }) : error
    }
    group.forEach((index, at) => {
      results[index] = rows[at].result!
    })
    start += count
    done += group.length
  }
  return results
}

/** Rows times beams from which on more of them make a step no faster for each. */
const enoughRows = 64

/** How many rows are stepped together: their caches are as long as the longest's, so much shorter rows wait for the next group. */
function countGroup(lengths: readonly number[], most: number, beams: number): number {
  const enough = Math.ceil(enoughRows / beams)
  let count = Math.min(enough, lengths.length)
  while (count < lengths.length && lengths[count] > lengths[0] / 2) count++
  const rest = lengths.length - count
  return Math.min(most, rest < enough / 2 ? lengths.length : count)
}

async function decodeGroup(
  memory: DecodingMemory,
  sources: readonly (readonly number[])[],
  rows: readonly RunningRow[],
  beams: number,
  options: DecodeOptions,
  onFinished: (finished: number) => void,
): Promise<void> {
  const { maxNewTokens, signal, decoding } = options
  const { vocabularySize } = memory.network
  const longestText = maxNewTokens + (memory.network.kind === "decoder-only" ? sources[0].length : 1)
  const spare = countSpare(options.rules ?? noRules, options.endIds.length, longestText)
  const wanted = countCandidates(decoding, options.endIds.length, vocabularySize)
  // Few different numbers, since a graph is compiled for each.
  const candidates = Math.min(vocabularySize, spare === 0 ? wanted : 2 ** Math.ceil(Math.log2(wanted + spare)))
  const { batch, first } = await DecodingBatch.open(memory, sources, { maxNewTokens, beams, candidates, signal })
  let inBatch = rows
  let pending = first
  for (let place = 0; ; ) {
    signal?.throwIfAborted()
    const scores = pending ?? (await stepRows(batch, inBatch, place++, beams, first !== undefined))
    pending = undefined
    if (Number.isNaN(scores.best[0])) {
      // Numbers that are none would stay in the caches.
      memory.dispose()
      throw new EngineError(
        "student.not-finite",
        "The student's weights give no numbers (NaN): train it anew with a lower learning rate, or load an earlier checkpoint.",
      )
    }
    inBatch.forEach((row, position) => {
      if (!row.result) row.take(scores, position)
    })
    const running = [...inBatch.keys()].filter((position) => !inBatch[position].result)
    onFinished(rows.length - running.length)
    if (running.length === 0) return
    const order = batch.keep(running)
    if (order) inBatch = order.map((position) => inBatch[position])
  }
}

/** @param isPrompted the first new token came out of the prompt, before any was fed */
function stepRows(
  batch: DecodingBatch,
  rows: readonly RunningRow[],
  place: number,
  beams: number,
  isPrompted: boolean,
): Promise<StepScores> {
  const ancestors = beams === 1 ? undefined : rows.flatMap((row) => row.ancestors!.map((path) => (isPrompted ? path.slice(1) : path)))
  return batch.step(
    rows.flatMap((row) => row.lastTokens),
    place,
    ancestors,
  )
}

/** How many of the best tokens a step has to tell of. */
function countCandidates(decoding: Decoding, numEndIds: number, vocabularySize: number): number {
  if (decoding.kind === "beam") return Math.max(2, 1 + numEndIds) * decoding.beams
  if (decoding.kind === "top-k") return decoding.k
  return decoding.kind === "top-p" ? vocabularySize : 1
}

function startRow(options: DecodeOptions, network: DecoderNetwork, source: readonly number[], index: number): RunningRow {
  const { decoding, rules = noRules, maxTextLength = Number.POSITIVE_INFINITY } = options
  const prompt = network.kind === "decoder-only" ? source : [options.startId ?? 0]
  const maxNewTokens = Math.max(1, Math.min(options.maxNewTokens, maxTextLength - prompt.length))
  if (decoding.kind === "beam" && decoding.beams > 1)
    return new BeamHypotheses({ ...options, maxNewTokens, rules, prompt, beams: decoding.beams })
  // A stream for each row: what one row draws does not depend on how many others there are.
  const random = decoding.kind === "top-k" || decoding.kind === "top-p" ? streamOf(decoding.seed ?? 0, index) : undefined
  return new SingleSequence({ ...options, maxNewTokens, rules }, prompt, (logits) => chooseToken(decoding, logits, random), index)
}

function streamOf(seed: Seed, row: number): Random {
  return typeof seed === "number" ? new Random(seed).fork(row) : new Random(seed[row]).fork(0)
}

/** A row that writes one sequence. */
class SingleSequence implements RunningRow {
  result: DecodedRow | undefined
  lastTokens: readonly number[]
  private readonly tokens: number[] = []
  private logProbability = 0

  constructor(
    private readonly options: DecodeOptions & { readonly rules: TokenRules },
    private readonly prompt: readonly number[],
    private readonly choose: (logits: Float32Array) => number,
    private readonly row: number,
  ) {
    this.lastTokens = [options.startId ?? 0]
  }

  take(scores: StepScores, position: number): void {
    const { count, tokens, logits, best } = scores
    const { rules, endIds, maxNewTokens, onToken } = this.options
    const first = position * count
    const token = areIdle(rules) ? tokens[first + this.choose(logits.subarray(first, first + count))] : this.chooseAllowed(scores, first)
    const place = tokens.subarray(first, first + count).indexOf(token)
    // What a rule forces is certain, whatever the network thought of it.
    const logProbability = place >= 0 ? Math.log(best[position]) + logits[first + place] - logits[first] : 0
    this.logProbability += logProbability
    const isEnd = endIds.includes(token)
    const length = this.tokens.length + 1
    if (!isEnd) this.tokens.push(token)
    if (isEnd || length === maxNewTokens) this.result = { tokens: this.tokens, confidence: Math.exp(this.logProbability / length) }
    this.lastTokens = [token]
    onToken?.(this.row, { id: token, logProbability, isEnd, tokens: this.tokens })
  }

  private chooseAllowed({ count, tokens, logits }: StepScores, first: number): number {
    const { rules, endIds, maxNewTokens } = this.options
    const candidates = Array.from({ length: count }, (_, i) => ({ token: tokens[first + i], score: logits[first + i] }))
    const allowed = applyRules(rules, candidates, { prompt: this.prompt, tokens: this.tokens, limit: maxNewTokens }, endIds)
    return allowed[this.choose(Float32Array.from(allowed, ({ score }) => score))].token
  }
}

/** The place of the next token among candidates, sorted by `logits`, best first. */
function chooseToken(decoding: Decoding, logits: Float32Array, random: Random | undefined): number {
  if (decoding.kind !== "top-k" && decoding.kind !== "top-p") return 0
  const among = decoding.kind === "top-k" ? logits.subarray(0, decoding.k) : logits
  const weights = Array.from(among, (logit) => Math.exp((logit - logits[0]) / (decoding.temperature ?? 1)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const kept = decoding.p === undefined ? weights.length : countNucleus(weights, decoding.p * total)
  let left = random!.next() * weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0)
  for (let i = 0; i < kept; i++) {
    left -= weights[i]
    if (left < 0) return i
  }
  return kept - 1
}

/** The fewest of the sorted `weights` whose sum reaches `wanted`; at least one. */
function countNucleus(weights: readonly number[], wanted: number): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]
    if (sum >= wanted) return i + 1
  }
  return weights.length
}
