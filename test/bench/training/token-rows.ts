// Rows to train on: token ids whose numbers of tokens are those of real texts. Which ids they are does not matter to the speed.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Random } from "../../../kernel-lib/src/core/random"
import { readTable } from "../../../kernel-lib/src/store/tables"
import type { TrainingRow } from "../../../kernel-lib/src/students"

const endId = 1
const ignored = -100

export interface TokenRows {
  readonly rows: readonly TrainingRow[]
  /** Where they come from, in words. */
  readonly source: string
}

/** The rows that gpt-3.5-turbo wrote for the paper's Temporal task, of the folder PAPER_ARTIFACTS; else rows of like lengths. */
export async function temporalRows(vocabularySize: number): Promise<TokenRows> {
  const { PAPER_ARTIFACTS: artifacts } = process.env
  if (!artifacts) return { rows: drawRows(5000, vocabularySize), source: "made-up rows with the lengths of the recorded Temporal rows" }
  const folder = join(artifacts, "generation/generated_dataset/normalization")
  if (!existsSync(folder)) throw new Error(`PAPER_ARTIFACTS has no generation/generated_dataset/normalization: ${artifacts}`)
  const { rows } = await readTable(folder)
  return {
    rows: rows.map(({ input_col, output_col }) => ({
      inputIds: splitText(String(input_col), vocabularySize),
      labelIds: splitText(String(output_col), vocabularySize),
    })),
    source: "the recorded Temporal rows",
  }
}

/** Pieces of up to four letters or two digits, about as long as those of T5's vocabulary, numbered by what they say; and an end. */
function splitText(text: string, vocabularySize: number): number[] {
  const pieces = text.match(/[A-Za-z]{1,4}|\d{1,2}|[^\sA-Za-z\d]/g) ?? []
  return [...pieces.map((piece) => 3 + (hashText(piece) % (vocabularySize - 3))), endId]
}

function hashText(text: string): number {
  let hash = 2166136261
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619)
  return hash >>> 0
}

/** Shares of the recorded rows that are at most so long: [share, tokens of the input, tokens of the output]. */
const lengths = [
  [0, 4, 4],
  [0.1, 30, 9],
  [0.25, 34, 11],
  [0.5, 39, 15],
  [0.75, 46, 22],
  [0.9, 54, 26],
  [0.95, 59, 30],
  [0.99, 75, 42],
  [1, 253, 168],
] as const

/** Rows with lengths drawn from those of the recorded rows. */
export function drawRows(count: number, vocabularySize: number): TrainingRow[] {
  const random = new Random("rows")
  const draw = (length: number) => [...Array.from({ length: length - 1 }, () => 3 + random.integer(vocabularySize - 3)), endId]
  return Array.from({ length: count }, () => ({
    inputIds: draw(drawLength(random.next(), 1)),
    labelIds: draw(drawLength(random.next(), 2)),
  }))
}

function drawLength(share: number, column: 1 | 2): number {
  const above = lengths.findIndex(([limit]) => limit > share)
  const [low, high] = [lengths[above - 1], lengths[above]]
  return Math.round(low[column] + ((share - low[0]) / (high[0] - low[0])) * (high[column] - low[column]))
}

/** A batch as a peer gets it: inputs and outputs padded to the longest, or to the least of `lengths` that hold it. */
export function padBatch(rows: readonly TrainingRow[], lengths?: readonly (readonly number[])[]) {
  const width = (kind: number, longest: number) => lengths?.[kind].find((length) => length >= longest) ?? longest
  const inputs = width(0, Math.max(...rows.map(({ inputIds }) => inputIds.length)))
  const labels = width(1, Math.max(...rows.map(({ labelIds }) => labelIds.length)))
  const fill = (values: readonly number[], length: number, filler: number) =>
    Array.from({ length }, (_, at) => (at < values.length ? values[at] : filler))
  return {
    inputIds: rows.map(({ inputIds }) => fill(inputIds, inputs, 0)),
    inputMask: rows.map(({ inputIds }) => fill(new Array<number>(inputIds.length).fill(1), inputs, 0)),
    labels: rows.map(({ labelIds }) => fill(labelIds, labels, ignored)),
  }
}
