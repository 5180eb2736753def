// The lengths that batches are padded to, fitted to the rows: a graph is made for each of few shapes, and every row goes into the smallest
// that holds it. What is padded is computed for nothing, and a graph takes time to make; the shapes are those that cost least together.

/** How many lengths of a kind there are at most, and shapes. */
const mostLengths = 12
const mostShapes = 40
/** Lengths are multiples of it, but for the longest. */
const lengthStep = 4

/**
 * Lengths for each kind of length that rows have (of a T5, input and output), ascending; the last of each holds the longest row.
 * @param rows each row's lengths
 * @param epochs how often all rows are trained
 * @param placesAShape what a graph costs to make, in padded places that could be computed in the meantime (`costShape`)
 */
export function fitLengths(rows: readonly (readonly number[])[], epochs: number, placesAShape: number): number[][] {
  const kinds = rows[0]?.length ?? 0
  const fits = Array.from({ length: kinds }, (_, kind) => fitAll(rows.map((lengths) => lengths[kind])))
  let best: { cost: number; chosen: Fit[] } | undefined
  for (const chosen of combine(fits, mostShapes)) {
    const shapes = chosen.reduce((product, { lengths }) => product * lengths.length, 1)
    const cost = shapes * placesAShape + epochs * chosen.reduce((sum, { padding }) => sum + padding, 0)
    if (!best || cost < best.cost) best = { cost, chosen }
  }
  return best ? best.chosen.map(({ lengths }) => [...lengths]) : []
}

/**
 * What a graph of a model with so many parameters costs to make, in padded places: half a second's worth, on two cores some 1.2e10 tokens
 * times parameters.
 * @param paddingShare what a padded place costs, as a share of what a token costs
 */
export function costShape(parameters: number, paddingShare = 1): number {
  return Math.min(10_000, Math.max(500, 1.2e10 / parameters)) / paddingShare
}

/** The place in `fitted` of each length's smallest holder. */
export function findShape(lengths: readonly number[], fitted: readonly (readonly number[])[]): number[] {
  return lengths.map((length, kind) => fitted[kind].findIndex((holder) => holder >= length))
}

interface Fit {
  readonly lengths: readonly number[]
  /** Tokens of padding over all rows. */
  readonly padding: number
}

/** The best one length, two lengths, three ... for values of one kind, by dynamic programming over the values that occur. */
function fitAll(values: readonly number[]): Fit[] {
  const longest = values.reduce((most, value) => Math.max(most, value), 1)
  const counts = new Map<number, number>()
  for (const value of values) {
    const rounded = Math.min(longest, Math.ceil(value / lengthStep) * lengthStep)
    counts.set(rounded, (counts.get(rounded) ?? 0) + 1)
  }
  const candidates = [...counts.keys()].sort((a, b) => a - b)
  const last = candidates.length - 1
  const rowsUpTo: number[] = []
  for (const [at, candidate] of candidates.entries()) rowsUpTo.push((rowsUpTo[at - 1] ?? 0) + counts.get(candidate)!)
  const tokens = values.reduce((sum, value) => sum + value, 0)
  // For k lengths of which candidate `at` is the longest: the tokens of all rows up to it, padding included, and the lengths chosen.
  let cost = candidates.map((length, at) => length * rowsUpTo[at])
  let chosen = candidates.map((length) => [length])
  const fits: Fit[] = []
  while (fits.length < Math.min(mostLengths, candidates.length)) {
    fits.push({ lengths: chosen[last], padding: cost[last] - tokens })
    const [shorterCost, shorterChosen] = [cost, chosen]
    cost = [...cost]
    chosen = [...chosen]
    for (let at = 1; at <= last; at++) {
      for (let before = 0; before < at; before++) {
        const padded = shorterCost[before] + candidates[at] * (rowsUpTo[at] - rowsUpTo[before])
        if (padded >= cost[at]) continue
        cost[at] = padded
        chosen[at] = [...shorterChosen[before], candidates[at]]
      }
    }
  }
  return fits
}

/** A fit of each kind, in every way that has at most `shapes` combinations of lengths. */
function combine(fits: readonly (readonly Fit[])[], shapes: number): Fit[][] {
  if (fits.length === 0) return [[]]
  const [first, ...rest] = fits
  return first
    .filter(({ lengths }) => lengths.length <= shapes)
    .flatMap((fit) => combine(rest, Math.floor(shapes / fit.lengths.length)).map((others) => [fit, ...others]))
}
