// Answers that are cut out of the input: the best first and last token of each, scored as transformers' question answering does it.
import type { Prediction } from "../core/student"
import type { NamedTensors } from "../engine"
import { type BertShape, bertSpanLogits, countPlaces } from "../networks/bert"
import type { Answering, AnsweringParts, AnswerOptions, EncodedInput } from "./architecture"
import { EncoderRuns } from "./encoder-runs"
import { cutSpan, planWindows, type SpanTokens, tokenizeSpanInput } from "./span-text"
import type { TextRange, Tokenizer } from "./tokenizer"

/** transformers' defaults: tokens that are read at once, tokens that neighbouring parts share, tokens of an answer. */
const defaults = { window: 384, overlap: 128, answer: 15 }

/** A part of an input as the network reads it. */
interface Part {
  readonly input: number
  readonly window: TextRange
  readonly ids: readonly number[]
  readonly secondPart?: number
}

interface Span {
  /** In the context's tokens. */
  readonly range: TextRange
  /** Probability of its first token times that of its last. */
  readonly score: number
}

export class SpanExtraction implements Answering {
  private readonly runs: EncoderRuns
  private readonly tokenizer: Tokenizer

  constructor(
    private readonly shape: BertShape,
    { engine, weights, tokenizer, threads }: AnsweringParts,
  ) {
    const forward = (inputs: NamedTensors, parameters: NamedTensors) => ({ ...bertSpanLogits(shape, inputs, parameters) })
    this.runs = new EncoderRuns({ engine, shape, weights, forward, threads })
    this.tokenizer = tokenizer
  }

  async answer(inputs: readonly EncodedInput[], { maxNewTokens, signal, onProgress }: AnswerOptions): Promise<Prediction[]> {
    const read = inputs.map(({ text }) => tokenizeSpanInput(this.tokenizer, text, countPlaces(this.shape)))
    const parts = read.flatMap((tokens, input) => this.divide(tokens, input, inputs[input].ids.length))
    const best: (Span | undefined)[] = new Array(inputs.length)
    await this.runs.run(
      parts,
      ({ starts, ends }, numbers, length) => {
        for (const [row, number] of numbers.entries()) {
          const part = parts[number]
          const scores = [starts, ends].map(({ data }) => (data as Float32Array).subarray(row * length, (row + 1) * length))
          const span = this.findSpan(part, read[part.input].before.length, scores[0], scores[1], maxNewTokens ?? defaults.answer)
          if (span && !(span.score <= (best[part.input]?.score ?? 0))) best[part.input] = span
        }
      },
      { signal, onProgress: onProgress && ((done, total) => onProgress(Math.floor((done / total) * inputs.length), inputs.length)) },
    )
    return read.map((tokens, input) => describe(tokens, best[input]))
  }

  /** A long context in several parts. @param cut tokens that the student's limit left of the input */
  private divide({ tokens, before, after, secondPart }: SpanTokens, input: number, cut: number): Part[] {
    const around = before.length + after.length
    const whole = around + tokens.ids.length
    const most = Math.min(cut < whole ? Math.max(cut, around + 1) : defaults.window, countPlaces(this.shape))
    const size = Math.max(1, most - around)
    return planWindows(tokens.ids.length, size, Math.min(defaults.overlap, size >> 1)).map((window) => ({
      input,
      window,
      ids: [...before, ...tokens.ids.slice(...window), ...after],
      secondPart,
    }))
  }

  /** Probabilities are shared among the context's tokens and the first of all, which stands for "no answer" and is never chosen. */
  private findSpan(part: Part, before: number, starts: Float32Array, ends: Float32Array, longest: number): Span | undefined {
    const [from, to] = part.window
    const first = softmaxOver(starts, before, to - from)
    const last = softmaxOver(ends, before, to - from)
    let best: Span | undefined
    for (let start = 0; start < first.length; start++) {
      for (let end = start; end < Math.min(last.length, start + longest); end++) {
        const score = first[start] * last[end]
        if (!best || score > best.score) best = { range: [from + start, from + end + 1], score }
      }
    }
    return best
  }

  dispose(): void {
    this.runs.dispose()
  }
}

/** Of logits [from, from + count), and of the first of all where that is not among them. */
function softmaxOver(logits: Float32Array, from: number, count: number): Float64Array {
  const chosen = logits.subarray(from, from + count)
  const largest = chosen.reduce((most, logit) => Math.max(most, logit), logits[0])
  const exponentials = Float64Array.from(chosen, (logit) => Math.exp(logit - largest))
  const sum = exponentials.reduce((total, one) => total + one, from > 0 ? Math.exp(logits[0] - largest) : 0)
  return exponentials.map((one) => one / sum)
}

/** An empty context has an empty answer. */
function describe(tokens: SpanTokens, span: Span | undefined): Prediction {
  if (!span) return { output: "", tokens: [], confidence: 1 }
  return {
    output: cutSpan(tokens, span.range),
    tokens: tokens.tokens.ids.slice(...span.range),
    confidence: Math.min(1, Math.max(span.score, Number.MIN_VALUE)),
  }
}
