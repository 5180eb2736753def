// Fisher's exact test (1922), one-sided: are things of a kind more often here than there?

/**
 * The chance that a random division of all would put at least `kindHere` things of the kind here, in (0, 1].
 * @param here how many there are here, of the kind or not; `there` likewise
 */
export function fisherExact(kindHere: number, here: number, kindThere: number, there: number): number {
  const kind = kindHere + kindThere
  const all = here + there
  const most = Math.min(kind, here)
  let sum = 0
  for (let count = kindHere; count <= most; count++)
    sum += Math.exp(logChoose(kind, count) + logChoose(all - kind, here - count) - logChoose(all, here))
  return Math.min(1, sum)
}

/** The logarithm of `n` over `k`; minus infinity where that is 0. */
function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY
  let sum = 0
  for (let factor = 1; factor <= Math.min(k, n - k); factor++) sum += Math.log((n - Math.min(k, n - k) + factor) / factor)
  return sum
}
