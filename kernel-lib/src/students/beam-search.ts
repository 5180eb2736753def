// Beam search with transformers' rules: each step looks at the best continuations of all beams together, of which those among the first
// `beams` that end are finished hypotheses, and the best others go on. Scores are summed in float32, as there, since sums decide ties.
import type { StepScores } from "./decoding-batch"
import type { EarlyStopping } from "./generation-configuration"
import { applyRules, type TokenRules } from "./token-rules"

export interface BeamSearchOptions {
  readonly beams: number
  readonly maxNewTokens: number
  readonly startId?: number
  readonly endIds: readonly number[]
  readonly rules: TokenRules
  /** The prompt of a decoder-only model, or the start token. */
  readonly prompt: readonly number[]
  /** A finished hypothesis' score is divided by its length to this power. */
  readonly lengthPenalty: number
  readonly stopsEarly: EarlyStopping
}

interface Beam {
  /** Last first: a new token is put before, so that beams share their past. */
  readonly past: Past | undefined
  readonly score: number
  /** The beam that wrote each place. */
  readonly path: readonly number[]
}

interface Past {
  readonly token: number
  readonly before: Past | undefined
}

interface Finished {
  readonly past: Past
  /** Divided by the length. */
  readonly score: number
  readonly logProbability: number
  readonly length: number
}

/** Beams that do not exist yet: only the first may be continued in the first step. */
const noScore = -1e9

/** The beams of one row. */
export class BeamHypotheses {
  result: { readonly tokens: readonly number[]; readonly confidence: number } | undefined
  private beams: readonly Beam[]
  private finished: Finished[] = []
  private length = 0

  constructor(private readonly options: BeamSearchOptions) {
    this.beams = Array.from({ length: options.beams }, (_, beam) => ({ past: undefined, score: beam === 0 ? 0 : noScore, path: [] }))
  }

  get lastTokens(): number[] {
    return this.beams.map((beam) => beam.past?.token ?? this.options.startId ?? 0)
  }

  get ancestors(): readonly (readonly number[])[] {
    return this.beams.map((beam) => beam.path)
  }

  take(scores: StepScores, position: number): void {
    const { beams: numBeams, endIds, maxNewTokens, lengthPenalty, stopsEarly } = this.options
    this.length++
    const isLast = this.length === maxNewTokens
    const goingOn: Beam[] = []
    this.rankContinuations(scores, position).forEach(({ beam, token, score }, rank) => {
      const past = { token, before: this.beams[beam].past }
      if (endIds.includes(token) || isLast) {
        if (rank < numBeams)
          this.finish({ past, score: Math.fround(score / this.length ** lengthPenalty), logProbability: score, length: this.length })
      } else if (goingOn.length < numBeams) {
        goingOn.push({ past, score, path: [...this.beams[beam].path, beam] })
      }
    })
    this.beams = goingOn
    const isFull = this.finished.length === numBeams
    const reachable = stopsEarly === "never" && lengthPenalty > 0 ? maxNewTokens : this.length
    // transformers' guess of what the best running beam may still reach, unless told to stop at once.
    const canImprove =
      goingOn.length > 0 && (!isFull || Math.fround(goingOn[0].score / reachable ** lengthPenalty) > this.finished[numBeams - 1].score)
    if (isLast || (isFull && stopsEarly === true) || !canImprove) this.conclude()
  }

  /** The best continuations of all beams, best first: so many that enough are left when some of them end. */
  private rankContinuations(
    { count, tokens, logits, best }: StepScores,
    position: number,
  ): { beam: number; token: number; score: number }[] {
    const { beams, endIds, rules, prompt, maxNewTokens } = this.options
    const all: { beam: number; token: number; score: number }[] = []
    this.beams.forEach((running, beam) => {
      const row = position * beams + beam
      const normalizer = logits[row * count] - Math.log(best[row])
      const candidates = Array.from({ length: count }, (_, i) => ({
        token: tokens[row * count + i],
        score: Math.fround(logits[row * count + i] - normalizer),
      }))
      const text = { prompt, tokens: listTokens(running.past), limit: maxNewTokens }
      for (const { token, score } of applyRules(rules, candidates, text, endIds)) {
        all.push({ beam, token, score: Math.fround(running.score + score) })
      }
    })
    return all.sort((a, b) => b.score - a.score).slice(0, Math.max(2, 1 + endIds.length) * beams)
  }

  private finish(hypothesis: Finished): void {
    this.finished.push(hypothesis)
    this.finished.sort((a, b) => b.score - a.score)
    this.finished.length = Math.min(this.options.beams, this.finished.length)
  }

  private conclude(): void {
    const { past, logProbability, length } = this.finished[0]
    const tokens = listTokens(past)
    if (this.options.endIds.includes(tokens[tokens.length - 1])) tokens.pop()
    this.result = { tokens, confidence: Math.exp(logProbability / length) }
  }
}

function listTokens(past: Past | undefined): number[] {
  const tokens: number[] = []
  for (let at = past; at; at = at.before) tokens.push(at.token)
  return tokens.reverse()
}
