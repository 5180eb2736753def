// One case: the same rows answered in interleaved rounds. Speed counts new tokens; memory is the peak of a process that did this case only.
import { type Contender, type ContenderCommand, withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { median, runRounds } from "../harness/rounds"

export interface Case {
  readonly name: string
  readonly model: "t5" | "llama"
  readonly rows: number
  /** Rows of one call. */
  readonly together: number
  readonly beams: number
  readonly maxNewTokens: number
}

interface Setting {
  readonly folder: string
  readonly threads: number
  readonly isQuick: boolean
  readonly rows: readonly (readonly number[])[]
}

interface Answers {
  readonly seconds: number
  readonly tokens: readonly (readonly number[])[]
}

/** The share of rows whose tokens must be the peer's: with random weights two tokens are at times equal but for rounding. */
const sameShare = 0.97

/** Rows for new tokens a second and for peak memory, beside each peer. @throws Error when tokens are not the peer's */
export async function measureCase(
  { name, model, rows: count, together, beams, maxNewTokens }: Case,
  { ours, peers }: { readonly ours: ContenderCommand; readonly peers: readonly ContenderCommand[] },
  { folder, threads, isQuick, rows: all }: Setting,
): Promise<ResultRow[]> {
  const rows = all.slice(0, count)
  const job = { rows, together, beams, maxNewTokens }
  const batches: number[] = []
  for (const peer of peers) {
    batches.push(
      await withContenders([peer], async ([one]) => {
        await one.ask("prepare", { folder, threads, model })
        return together === 1
          ? 1
          : (
              await one.ask<{ batch: number }>("chooseBatch", {
                ...job,
                rows: rows.slice(0, 64),
                repetitions: isQuick || beams > 1 ? 1 : 3,
              })
            ).batch
      }),
    )
  }
  return withContenders([ours, ...peers], async (contenders) => {
    for (const contender of contenders) await contender.ask("prepare", { folder, threads, model })
    const answer = (contender: Contender) => {
      const batch = batches[contenders.indexOf(contender) - 1]
      return contender.ask<Answers>("decode", batch === undefined ? job : { ...job, batch })
    }
    // The first round compiles and fills caches; its tokens are compared.
    const [[first], ...theirs] = await runRounds(contenders, 1, answer)
    const same = theirs.map(([{ tokens }], index) => countSame(name, first.tokens, tokens, peers[index].name))
    const isLong = beams > 1 || model === "llama"
    const measured = await runRounds(contenders, isQuick ? (isLong ? 1 : 2) : beams > 1 ? 3 : 5, answer)
    const written = first.tokens.reduce((sum, { length }) => sum + length, 0)
    const rates = measured.map((rounds) => written / median(rounds.map(({ seconds }) => seconds)))
    const peaks: number[] = []
    for (const contender of contenders) peaks.push((await contender.memory()).peak)
    return peers.flatMap(({ name: peerName }, index): ResultRow[] => {
      const details = { sameTokens: `${same[index]} of ${count} rows`, peerBatch: batches[index] }
      const speed = { case: name, metric: "speed", unit: "tokens/s", ours: rates[0], peer: rates[index + 1], peerName, ...details }
      const memory = { case: name, metric: "peak memory", unit: "MB", ours: peaks[0], peer: peaks[index + 1], peerName, ...details }
      return [compare(speed, "more"), compare(memory, "less")]
    })
  })
}

/** How many rows have the same tokens. @throws Error when too few */
export function countSame(name: string, ours: Answers["tokens"], theirs: Answers["tokens"], peer: string): number {
  const same = ours.filter((tokens, row) => tokens.join() === theirs[row].join()).length
  if (same >= sameShare * ours.length) return same
  const row = ours.findIndex((tokens, at) => tokens.join() !== theirs[at].join())
  throw new Error(
    `${name}: the tokens of ${ours.length - same} of ${ours.length} rows are not those of ${peer}; row ${row}: ${ours[row]} instead of ${theirs[row]}.`,
  )
}
