// Training steps of one case: the same batches from the same weights in interleaved rounds. Tokens are counted without padding.
import type { Precision } from "../../../kernel-lib/src/engine"
import type { TrainingRow } from "../../../kernel-lib/src/students"
import { withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { median, runRounds } from "../harness/rounds"
import { checkLosses } from "../training/measure-steps"
import { padBatch } from "../training/token-rows"
import type { Entrants } from "./entrants"

export interface TrainingCase {
  readonly name: string
  readonly folder: string
  readonly precision: Precision
  readonly batches: readonly (readonly TrainingRow[])[]
  /** To pad to, of inputs and outputs: the same for all. */
  readonly lengths: readonly (readonly number[])[]
  /** How far the first loss may be apart, as a share of it. */
  readonly tolerance: number
  readonly threads: number
  readonly rounds: number
}

interface Steps {
  readonly milliseconds: readonly number[]
  readonly losses: readonly number[]
}

/** Rows for milliseconds a step and for peak memory, beside each peer. @throws Error when losses are not equal */
export async function measureTraining(one: TrainingCase, { ours, engines, pytorch }: Entrants, memory: string): Promise<ResultRow[]> {
  const { name, folder, precision, batches, lengths, tolerance, threads, rounds } = one
  const indices = batches.map((_, index) => index)
  const peers = [...engines, ...pytorch]
  return withContenders([ours, ...peers], async (contenders) => {
    const preparation = { folder, threads, precision }
    for (const contender of contenders.slice(0, 1 + engines.length))
      await contender.ask("prepare", { ...preparation, batches, dropout: 0, batchSize: batches[0].length, lengths })
    const padded = batches.map((batch) => padBatch(batch, lengths))
    for (const contender of contenders.slice(1 + engines.length)) await contender.ask("prepare", { ...preparation, batches: padded })
    // The first pass compiles; what it computes must be equal.
    const first = await runRounds(contenders, 1, (contender) => contender.ask<Steps>("steps", { batches: indices }))
    const [ourLosses, ...theirLosses] = first.map(([{ losses }]) => losses)
    for (const [index, losses] of theirLosses.entries()) checkLosses(name, ourLosses, losses, peers[index].name, tolerance)
    const measured = await runRounds(contenders, rounds, (contender) => contender.ask<Steps>("steps", { batches: indices }))
    const means = measured.map((answers) => {
      const medians = indices.map((index) => median(answers.map(({ milliseconds }) => milliseconds[index])))
      return medians.reduce((sum, milliseconds) => sum + milliseconds, 0) / medians.length
    })
    const peaks: number[] = []
    for (const contender of contenders) peaks.push((await contender.memory()).peak)
    return peers.flatMap(({ name: peerName }, index): ResultRow[] => [
      compare({ case: name, metric: "step", unit: "ms", ours: means[0], peer: means[index + 1], peerName }, "less"),
      compare({ case: name, metric: memory, unit: "MB", ours: peaks[0], peer: peaks[index + 1], peerName }, "less"),
    ])
  })
}
