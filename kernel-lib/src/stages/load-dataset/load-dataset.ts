// loadDataset: a candidate (or a name) in, its rows out, as the hub has them.
import type { DatasetCandidate, SourceDataset } from "../../core/candidates"
import { InputError } from "../../core/errors"
import type { StageInlineOptions } from "../../core/run"
import { type DatasetPayload, payloadVersion, previewCharacters, previewRows } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { defineStage } from "../../store/define-stage"

export interface LoadDatasetOptions extends StageInlineOptions {
  /** Most rows to read. Default 3000, as upstream. */
  readonly maxRows?: number
}

/**
 * Reads the rows of a dataset candidate from the hub.
 * @throws InputError `hub.missing`, `dataset.not-open`, `dataset.no-columns`; ServiceError where the hub cannot be reached
 */
export const loadDataset = defineStage<DatasetCandidate, LoadDatasetOptions, SourceDataset>({
  name: "loadDataset",
  version: 1,
  uses: ["hub"],
  key: (candidate, { maxRows = 3000 }) => ({ ...placeOf(candidate), maxRows }),
  async work(candidate, { maxRows = 3000 }, { run, signal, fingerprint }) {
    if (!run.hub)
      throw new InputError("hub.missing", "No hub was given: pass hub: bundledHub() or huggingFaceHub(), or a run that has one.")
    const { card } = candidate
    if (card.access === "script")
      throw new InputError(
        "dataset.not-open",
        `${card.id} can only be read by running its own script, which is not done: choose another candidate.`,
      )
    if (candidate.inputColumns.length === 0)
      throw new InputError("dataset.no-columns", `${card.id} has no pair of text columns: choose another candidate.`)
    const { configuration, split } = candidate
    const table = await run.hub.readRows(card.id, { configuration, split, maxRows, signal })
    return present({ kind: "source", ...placeOf(candidate), license: card.license, columns: table.columns, rows: table.rows, fingerprint })
  },
  summarize: (source) => `${source.rows.length.toLocaleString("en")} rows of ${source.id}`,
})

function placeOf({ card, configuration, split, inputColumns, outputColumn }: DatasetCandidate) {
  return { id: card.id, configuration, split, inputColumns, outputColumn }
}

function present(source: SourceDataset): SourceDataset {
  makeSelfShowing(source, describeSource)
  return Object.freeze(source)
}

function describeSource(source: SourceDataset): DatasetPayload {
  return {
    kind: "dataset",
    version: payloadVersion,
    title: source.id,
    subtitle: `${source.rows.length.toLocaleString("en")} rows as the hub has them, ${source.inputColumns.join(" + ")} -> ${source.outputColumn}, licence ${source.license}`,
    numRows: source.rows.length,
    sources: [{ name: source.id, rows: source.rows.length }],
    rejected: [],
    preview: source.rows.slice(0, previewRows).map((row, index) => ({
      row: index,
      input: source.inputColumns
        .map((column) => String(row[column] ?? ""))
        .join("\n")
        .slice(0, previewCharacters),
      output: String(row[source.outputColumn] ?? "").slice(0, previewCharacters),
      from: `${source.configuration}, ${source.split}`,
    })),
    nextStep: "transformDataset(source, { spec, run })",
  }
}
