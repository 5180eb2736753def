// Whether a long training costs more a token than a short one, and whether its memory grows: 5,000 steps of a small
// model on 20,000 rows. Rows of any length come in the first epoch, and with each new length a graph; what grows after it is a leak.
import { type ContenderCommand, withContenders } from "../harness/contender"
import { compare, type ResultRow } from "../harness/results"
import { drawRows } from "./token-rows"

interface Setting {
  readonly tinyFolder: string
  readonly threads: number
  readonly vocabularySize: number
}

interface Mark {
  readonly steps: number
  readonly tokens: number
  readonly seconds: number
  readonly residentMB: number
}

const batchSize = 8

export async function measureFlatness(name: string, ours: ContenderCommand, setting: Setting): Promise<ResultRow[]> {
  const { tinyFolder, threads, vocabularySize } = setting
  const rows = drawRows(20_000, vocabularySize)
  const train = (count: number, epochs: number) =>
    withContenders([ours], ([us]) =>
      us.ask<{ seconds: number; tokens: number; marks: Mark[] }>("epoch", {
        folder: tinyFolder,
        threads,
        rows: rows.slice(0, count),
        engine: "onnx",
        batchSize,
        epochs,
      }),
    )
  const [short, long] = [await train(1000, 2), await train(20_000, 2)]
  const rate = ({ tokens, seconds }: { tokens: number; seconds: number }) => tokens / seconds
  const at = (steps: number) => long.marks.find((mark) => mark.steps === steps)!
  return [
    compare(
      {
        case: `${name}, 20,000 rows`,
        metric: "speed",
        unit: "tokens/s",
        ours: rate(long),
        peer: rate(short),
        peerName: "ours, 1,000 rows",
      },
      "more",
    ),
    compare(
      {
        case: `${name}, step 5,000`,
        metric: "resident memory",
        unit: "MB",
        ours: at(5000).residentMB,
        peer: at(2500).residentMB,
        peerName: "ours, step 2,500",
      },
      "less",
    ),
  ]
}
