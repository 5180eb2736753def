// Interleaved rounds: every contender has its turn in each round, so that a machine that slows down slows all of them.
import type { Contender } from "./contender"

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** How far it may be trusted: the middle half's width as a share of the median. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]
  return (at(0.75) - at(0.25)) / median(values)
}

/**
 * Asks all contenders in turn, `rounds` times.
 * @returns for each contender its answers, in order
 */
export async function runRounds<Answer>(
  contenders: readonly Contender[],
  rounds: number,
  turn: (contender: Contender, round: number) => Promise<Answer>,
): Promise<Answer[][]> {
  const answers: Answer[][] = contenders.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) answers[index].push(await turn(contender, round))
  }
  return answers
}
