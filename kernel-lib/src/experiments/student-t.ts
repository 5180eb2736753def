// Student's t distribution, for means over a few seeds.

/** The interval of the mean of `values` that holds the true mean with 95% chance, if they are normal; undefined below two values. */
export function meanInterval(values: readonly number[]): { readonly low: number; readonly high: number } | undefined {
  const count = values.length
  if (count < 2) return undefined
  const mean = meanOf(values)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1)
  const reach = studentQuantile(0.975, count - 1) * Math.sqrt(variance / count)
  return { low: mean - reach, high: mean + reach }
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The t below which a share `p` in [0.5, 1) lies, by bisection. @param degrees of freedom, a whole number above 0 */
export function studentQuantile(p: number, degrees: number): number {
  let [low, high] = [0, 1]
  while (cumulative(high, degrees) < p) high *= 2
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (cumulative(middle, degrees) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** The share below `t` >= 0; the finite series for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function cumulative(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees))
  const cosine = Math.cos(angle)
  const isOdd = degrees % 2 === 1
  let term = isOdd ? cosine : 1
  let sum = degrees === 1 ? 0 : term
  for (let power = isOdd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= (cosine ** 2 * (power - 1)) / power
    sum += term
  }
  const inside = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum
  return (1 + inside) / 2
}
