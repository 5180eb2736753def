// One case: steps on the same batches from the same weights, in interleaved rounds. Tokens are counted without padding.
import type { TrainingRow } from "../../../kernel-lib/src/students"
import { type ContenderCommand, withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { median, runRounds } from "../harness/rounds"
import { padBatch } from "./token-rows"

export interface Case {
  readonly name: string
  readonly engine: string
  readonly precision: "fp32" | "bf16"
  /** How far the first loss may be apart, as a share of it; the tenth ten times as far, since each step's rounding goes on into the next. */
  readonly tolerance: number
}

export interface Contenders {
  readonly ours: ContenderCommand
  readonly peers: readonly ContenderCommand[]
}

interface Setting {
  readonly folder: string
  readonly threads: number
  readonly isQuick: boolean
  readonly batches: readonly (readonly TrainingRow[])[]
  /** Of our grids, of inputs and outputs; peers pad to the longest of a batch. */
  readonly lengths: readonly (readonly number[])[]
  /** Of PyTorch's AdamW. */
  readonly form: string
}

interface Steps {
  readonly milliseconds: readonly number[]
  readonly losses: readonly number[]
}

/** Rows for tokens a second and for peak memory, beside each peer. @throws Error when losses are not equal */
export async function measureSteps({ name, engine, precision, tolerance }: Case, { ours, peers }: Contenders, setting: Setting) {
  const { folder, threads, batches, lengths, form, isQuick } = setting
  const indices = batches.map((_, index) => index)
  return withContenders([ours, ...peers], async (contenders) => {
    const [us, ...others] = contenders
    await us.ask("prepare", { folder, threads, batches, engine, precision, dropout: 0, batchSize: batches[0].length, lengths })
    for (const peer of others)
      await peer.ask("prepare", { folder, threads, batches: batches.map((batch) => padBatch(batch)), precision, form })
    // The first pass makes graphs and fills caches; what it computes must be equal.
    const first = await runRounds(contenders, 1, (contender) => contender.ask<Steps>("steps", { batches: indices }))
    const [ourLosses, ...theirLosses] = first.map(([{ losses }]) => losses)
    for (const [index, losses] of theirLosses.entries()) checkLosses(name, ourLosses, losses, peers[index].name, tolerance)
    const measured = await runRounds(contenders, isQuick ? 3 : 8, (contender) => contender.ask<Steps>("steps", { batches: indices }))
    const tokens = batches.flat().reduce((sum, { inputIds, labelIds }) => sum + inputIds.length + labelIds.length, 0)
    const rates = measured.map((rounds) => {
      const milliseconds = indices.map((index) => median(rounds.map((steps) => steps.milliseconds[index])))
      return (tokens / milliseconds.reduce((sum, one) => sum + one, 0)) * 1000
    })
    const peaks: number[] = []
    for (const contender of contenders) peaks.push((await contender.memory()).peak)
    return peers.flatMap(({ name: peerName }, index): ResultRow[] => [
      compare({ case: name, metric: "speed", unit: "tokens/s", ours: rates[0], peer: rates[index + 1], peerName }, "more"),
      compare({ case: name, metric: "peak memory", unit: "MB", ours: peaks[0], peer: peaks[index + 1], peerName }, "less"),
    ])
  })
}

/** @throws Error that shows both when they are apart */
export function checkLosses(name: string, ours: readonly number[], theirs: readonly number[], peer: string, tolerance: number): void {
  const isNear = (loss: number, step: number) => Math.abs(loss - theirs[step]) <= tolerance * (step + 1) * Math.abs(theirs[step])
  if (ours.every(isNear)) return
  const show = (losses: readonly number[]) => losses.map((loss) => loss.toFixed(4)).join(" ")
  throw new Error(`${name}: our losses (${show(ours)}) are not those of ${peer} (${show(theirs)}): the two do not train the same.`)
}
