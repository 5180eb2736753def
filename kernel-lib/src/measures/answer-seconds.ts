// How long single answers take: the middle one, and the slow ones.

/** Of one answer, in seconds: the median, and what 95 of 100 are within. */
export interface AnswerSeconds {
  readonly median: number
  readonly p95: number
}

/** Undefined where there are no times. */
export function summarizeSeconds(seconds: readonly number[]): AnswerSeconds | undefined {
  if (seconds.length === 0) return undefined
  const sorted = [...seconds].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  return { median: at(0.5), p95: at(0.95) }
}
