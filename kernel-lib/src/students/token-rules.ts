// What a generation configuration forbids or makes dearer, as transformers' logits processors do, on the best candidates of a step: the
// caller asks for so many more candidates as rules can take away.

export interface TokenRules {
  /** Scores of tokens that are there already are divided by it, or multiplied where they are negative. 1: no rule. */
  readonly repetitionPenalty: number
  /** No run of so many tokens comes twice. 0: no rule. */
  readonly noRepeatNgramSize: number
  /** No end before so many new tokens. */
  readonly minNewTokens: number
  /** The same, counted with the prompt or the start token. */
  readonly minLength: number
  /** What the first new token is. */
  readonly forcedFirstId?: number
  /** What the last token of a text that ends by its length is. */
  readonly forcedLastId?: number
  /** No such run of tokens; one of a single token that ends a text does not count. Default: none. */
  readonly bannedRuns?: readonly (readonly number[])[]
  readonly suppressedIds: readonly number[]
  /** Not as the first new token. */
  readonly suppressedFirstIds: readonly number[]
}

export const noRules: TokenRules = {
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  minNewTokens: 0,
  minLength: 0,
  suppressedIds: [],
  suppressedFirstIds: [],
}

/** A token that a row may go on with. */
export interface Candidate {
  readonly token: number
  readonly score: number
}

/** A row as far as it is written. */
export interface WrittenText {
  /** The prompt of a decoder-only model, or the start token. */
  readonly prompt: readonly number[]
  readonly tokens: readonly number[]
  /** Most new tokens. */
  readonly limit: number
}

/** Whether every candidate stays as it is. */
export function areIdle(rules: TokenRules): boolean {
  const { repetitionPenalty, noRepeatNgramSize, minNewTokens, minLength, bannedRuns = [], suppressedIds, suppressedFirstIds } = rules
  const isForced = rules.forcedFirstId !== undefined || rules.forcedLastId !== undefined
  const changes = repetitionPenalty !== 1 || noRepeatNgramSize > 0 || minNewTokens > 0 || minLength > 0
  return !isForced && !changes && bannedRuns.length + suppressedIds.length + suppressedFirstIds.length === 0
}

/** How many more candidates a step must answer, so that enough are left; all, where a low one may rise. */
export function countSpare(rules: TokenRules, numEndIds: number, longestText: number): number {
  if (areIdle(rules)) return 0
  if (rules.repetitionPenalty < 1) return Number.MAX_SAFE_INTEGER
  const lowered = rules.repetitionPenalty > 1 ? longestText : 0
  const banned = rules.noRepeatNgramSize > 0 ? longestText : 0
  return lowered + banned + numEndIds + (rules.bannedRuns?.length ?? 0) + rules.suppressedIds.length + rules.suppressedFirstIds.length
}

/** What is left of `candidates`, best first: logits or logarithms of probabilities. */
export function applyRules(
  rules: TokenRules,
  candidates: readonly Candidate[],
  text: WrittenText,
  endIds: readonly number[],
): readonly Candidate[] {
  if (areIdle(rules)) return candidates
  const { prompt, tokens, limit } = text
  const isFirst = tokens.length === 0
  if (rules.forcedLastId !== undefined && tokens.length === limit - 1) return [{ token: rules.forcedLastId, score: 0 }]
  if (rules.forcedFirstId !== undefined && isFirst && prompt.length === 1) return [{ token: rules.forcedFirstId, score: 0 }]
  const banned = new Set(rules.suppressedIds)
  if (isFirst) for (const id of rules.suppressedFirstIds) banned.add(id)
  if (tokens.length < rules.minNewTokens || prompt.length + tokens.length < rules.minLength) for (const id of endIds) banned.add(id)
  const all = [...prompt, ...tokens]
  for (const id of listRepeats(all, rules.noRepeatNgramSize)) banned.add(id)
  for (const id of listBanned(all, rules.bannedRuns ?? [], endIds)) banned.add(id)
  const allowed = candidates.filter(({ token }) => !banned.has(token))
  const penalty = rules.repetitionPenalty
  if (penalty === 1) return allowed
  const seen = new Set(all)
  const lower = ({ token, score }: Candidate) => ({ token, score: Math.fround(score < 0 ? score * penalty : score / penalty) })
  return allowed.map((candidate) => (seen.has(candidate.token) ? lower(candidate) : candidate)).sort((a, b) => b.score - a.score)
}

/** The tokens that would end one of `runs`; one that is as long as all there is does not count, as in transformers. */
function listBanned(ids: readonly number[], runs: readonly (readonly number[])[], endIds: readonly number[]): number[] {
  return runs.flatMap((run) => {
    const before = run.slice(0, -1)
    const last = run[before.length]
    if (before.length === 0) return endIds.includes(last) ? [] : [last]
    const isBefore = ids.length >= run.length && before.every((id, at) => ids[ids.length - before.length + at] === id)
    return isBefore ? [last] : []
  })
}

/** The tokens that would end a run of `size` that is in `ids` already. */
function listRepeats(ids: readonly number[], size: number): number[] {
  if (size <= 0 || ids.length + 1 < size) return []
  const before = ids.slice(ids.length + 1 - size)
  const repeats: number[] = []
  for (let start = 0; start + size <= ids.length; start++) {
    if (before.every((id, at) => ids[start + at] === id)) repeats.push(ids[start + size - 1])
  }
  return repeats
}
