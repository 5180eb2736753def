// Whole epochs: we in the order of fineTune, with rows of like length together, beside transformers' Trainer with its defaults, which takes
// rows as they come and pads each batch to its longest. Both with dropout. Our figure includes the making of the graphs.
import type { TrainingRow } from "../../../kernel-lib/src/students"
import { withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { median, runRounds } from "../harness/rounds"
import type { Contenders } from "./measure-steps"

interface Setting {
  readonly folder: string
  readonly threads: number
  readonly isQuick: boolean
  readonly rows: readonly TrainingRow[]
}

export async function measureEpochs(name: string, { ours, peers }: Contenders, setting: Setting): Promise<ResultRow[]> {
  const { folder, threads, isQuick, rows } = setting
  const part = rows.slice(0, isQuick ? 400 : 2000)
  const tokens = part.reduce((sum, { inputIds, labelIds }) => sum + inputIds.length + labelIds.length, 0)
  const named = peers.map((peer) => ({ ...peer, name: `transformers Trainer, ${peer.name}` }))
  return withContenders([ours, ...named], async (contenders) => {
    const seconds = await runRounds(contenders, isQuick ? 1 : 3, async (contender) => {
      const details = contender === contenders[0] ? { engine: "onnx", batchSize: 8 } : {}
      return (await contender.ask<{ seconds: number }>("epoch", { folder, threads, rows: part, ...details })).seconds
    })
    const rates = seconds.map((rounds) => tokens / median(rounds))
    return named.map(({ name: peerName }, index) =>
      compare({ case: name, metric: "speed", unit: "tokens/s", ours: rates[0], peer: rates[index + 1], peerName }, "more"),
    )
  })
}
