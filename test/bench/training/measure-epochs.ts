// Whole epochs: we in the order of fineTune, with rows of like length together, beside transformers' Trainer with its defaults, which takes
// rows as they come and pads each batch to its longest. Both with dropout. Our figure includes the making of the graphs. With bf16 products
// a second peer is the Trainer with `bf16=True`.
import type { TrainingRow } from "../../../kernel-lib/src/students"
import { type ContenderCommand, withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { median, runRounds } from "../harness/rounds"
import type { Case, Contenders } from "./measure-steps"

interface Setting {
  readonly folder: string
  readonly threads: number
  readonly isQuick: boolean
  readonly rows: readonly TrainingRow[]
}

interface Entry {
  readonly command: ContenderCommand
  readonly engine?: string
  readonly precision: Case["precision"]
}

/** All cases in one run, so that each figure of the Trainer is taken once. @param cases ours, by their names in the table */
export async function measureEpochs(
  cases: readonly Omit<Case, "tolerance">[],
  { ours, peers }: Contenders,
  setting: Setting,
): Promise<ResultRow[]> {
  const { folder, threads, isQuick, rows } = setting
  const part = rows.slice(0, isQuick ? 400 : 1000)
  const tokens = part.reduce((sum, { inputIds, labelIds }) => sum + inputIds.length + labelIds.length, 0)
  const precisions = [...new Set(["fp32", ...cases.map(({ precision }) => precision)] as const)]
  const own = cases.map(({ name, engine, precision }): Entry => ({ command: { ...ours, name }, engine, precision }))
  const trainers = peers.flatMap((peer) =>
    precisions.map((precision): Entry => {
      const words = precision === "fp32" ? "transformers Trainer" : `transformers Trainer ${precision}`
      return { command: { ...peer, name: `${words}, ${peer.name}` }, precision }
    }),
  )
  const entries = [...own, ...trainers]
  const measured = await withContenders(
    entries.map(({ command }) => command),
    (contenders) =>
      runRounds(contenders, isQuick ? 1 : 3, async (contender) => {
        const { engine, precision } = entries[contenders.indexOf(contender)]
        const details = engine ? { engine, batchSize: 8 } : {}
        return (await contender.ask<{ seconds: number }>("epoch", { folder, threads, rows: part, precision, ...details })).seconds
      }),
  )
  const rates = measured.map((rounds) => tokens / median(rounds))
  return own.flatMap(({ command: { name }, precision }, index) =>
    trainers.flatMap((trainer, at) => {
      if (trainer.precision !== "fp32" && trainer.precision !== precision) return []
      const peer = rates[own.length + at]
      return [compare({ case: name, metric: "speed", unit: "tokens/s", ours: rates[index], peer, peerName: trainer.command.name }, "more")]
    }),
  )
}
