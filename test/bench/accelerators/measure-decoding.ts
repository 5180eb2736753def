// Greedy answers to the same rows in interleaved rounds: we as many rows together as we take, PyTorch in length-sorted batches of the size that
// suits it best.

import { countSame } from "../decoding/measure-case"
import { type Contender, withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { median, runRounds } from "../harness/rounds"
import type { Entrants } from "./entrants"

export interface DecodingCase {
  readonly name: string
  readonly folder: string
  readonly rows: readonly (readonly number[])[]
  readonly maxNewTokens: number
  /** That PyTorch tries. */
  readonly batchSizes: readonly number[]
  readonly threads: number
  readonly rounds: number
}

interface Answers {
  readonly seconds: number
  readonly tokens: readonly (readonly number[])[]
}

/** Rows for new tokens a second and for peak memory, beside each peer. @throws Error when tokens are not the peer's */
export async function measureDecoding(one: DecodingCase, { ours, engines, pytorch }: Entrants, memory: string): Promise<ResultRow[]> {
  const { name, folder, rows, maxNewTokens, batchSizes, threads, rounds } = one
  const peers = [...engines, ...pytorch]
  return withContenders([ours, ...peers], async (contenders) => {
    for (const contender of contenders) await contender.ask("prepareDecoding", { folder, threads })
    const batches = new Map<Contender, number>()
    for (const contender of contenders.slice(1 + engines.length)) {
      const job = { rows: rows.slice(0, batchSizes.at(-1)), maxNewTokens, sizes: batchSizes }
      batches.set(contender, batchSizes.length > 1 ? (await contender.ask<{ batch: number }>("chooseBatch", job)).batch : batchSizes[0])
    }
    const answer = (contender: Contender) => {
      const batch = batches.get(contender)
      return contender.ask<Answers>("decode", { rows, maxNewTokens, ...(batch !== undefined && { batch }) })
    }
    // The first round compiles and fills caches; its tokens are compared.
    const [[first], ...theirs] = await runRounds(contenders, 1, answer)
    const same = theirs.map(([{ tokens }], index) => countSame(name, first.tokens, tokens, peers[index].name))
    const measured = await runRounds(contenders, rounds, answer)
    const written = first.tokens.reduce((sum, { length }) => sum + length, 0)
    const rates = measured.map((answers) => written / median(answers.map(({ seconds }) => seconds)))
    const peaks: number[] = []
    for (const contender of contenders) peaks.push((await contender.memory()).peak)
    return peers.flatMap(({ name: peerName }, index): ResultRow[] => {
      const details = { sameTokens: `${same[index]} of ${rows.length} rows`, peerBatch: batches.get(contenders[index + 1]) }
      const speed = { case: name, metric: "speed", unit: "tokens/s", ours: rates[0], peer: rates[index + 1], peerName, ...details }
      const space = { case: name, metric: memory, unit: "MB", ours: peaks[0], peer: peaks[index + 1], peerName, ...details }
      return [compare(speed, "more"), compare(space, "less")]
    })
  })
}
