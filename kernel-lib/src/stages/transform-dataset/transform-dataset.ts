// transformDataset: a hub's rows in, rows of the task out. The chosen columns become input and output.
import type { SourceDataset } from "../../core/candidates"
import { Dataset, type Provenance, type RejectedRow, rowId } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { defineStage } from "../../store/define-stage"
import { readDataset, writeDataset } from "../../store/tables"

export interface TransformDatasetOptions extends StageInlineOptions {
  readonly spec: PromptSpec
  /** Columns that hold the input, instead of the candidate's. Several are joined as `name: value` lines. */
  readonly inputColumns?: readonly string[]
  /** The column that holds the output, instead of the candidate's. */
  readonly outputColumn?: string
}

/**
 * Turns a source dataset into rows of input and output. Rows with an empty side, and rows that say what an earlier row says, are rejected.
 * @throws InputError `dataset.no-such-column`
 */
export const transformDataset = defineStage<SourceDataset, TransformDatasetOptions, Dataset>({
  name: "transformDataset",
  version: 1,
  uses: [],
  key: (source, { inputColumns, outputColumn }) => ({ source: source.fingerprint, inputColumns, outputColumn }),
  async work(source, { inputColumns = source.inputColumns, outputColumn = source.outputColumn }) {
    for (const column of [...inputColumns, outputColumn]) {
      if (!source.columns.includes(column)) {
        throw new InputError("dataset.no-such-column", `${source.id} has no column ${column}; it has ${source.columns.join(", ")}.`)
      }
    }
    const accepted: { id: string; input: string; output: string; from: Provenance }[] = []
    const rejected: RejectedRow[] = []
    const known = new Set<string>()
    source.rows.forEach((row, index) => {
      const from: Provenance = {
        kind: "retrieved",
        dataset: source.id,
        configuration: source.configuration,
        split: source.split,
        row: index,
      }
      const input =
        inputColumns.length === 1
          ? textOf(row[inputColumns[0]])
          : inputColumns.map((column) => `${column}: ${textOf(row[column])}`).join("\n")
      const output = textOf(row[outputColumn])
      const made = { id: rowId(from, { input, output }), input, output, from }
      const reason = input.trim() === "" || output.trim() === "" ? "empty" : known.has(input) ? "duplicate" : undefined
      if (reason) rejected.push({ ...made, reason })
      else {
        known.add(input)
        accepted.push(made)
      }
    })
    return Dataset.from(accepted, { name: "Retrieved dataset", note: `from ${source.id}, licence ${source.license}`, rejected })
  },
  save: async (dataset, folder) => writeDataset(dataset, `${folder}/rows.parquet`),
  load: (folder) => readDataset(`${folder}/rows.parquet`),
  summarize: (dataset) =>
    `${dataset.length.toLocaleString("en")} rows${dataset.rejected.length > 0 ? `, ${dataset.rejected.length} rejected` : ""}`,
})

function textOf(value: unknown): string {
  return typeof value === "string"
    ? value
    : value === null || value === undefined
      ? ""
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value)
}
