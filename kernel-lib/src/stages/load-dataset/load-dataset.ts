// loadDataset: a candidate in, its rows out, as the hub has them; what is nested stands in columns side by side.
import type { DatasetCandidate, SourceDataset } from "../../core/candidates"
import { InputError } from "../../core/errors"
import { firstOf, flattenRow } from "../../core/flatten-columns"
import type { SourceTable } from "../../core/hub"
import type { StageInlineOptions } from "../../core/run"
import { type DatasetPayload, payloadVersion, previewCharacters, previewRows } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { defineStage } from "../../store/define-stage"

export interface LoadDatasetOptions extends StageInlineOptions {
  /** Most rows to read. Default 3000, as upstream. */
  readonly maxRows?: number
}

/**
 * Reads the rows of a dataset candidate from the hub. Nested values become columns of their own (SQuAD's `answers` become `answers.text` and
 * `answers.answer_start`), and where the output is a list of right answers its first is taken. `transformDataset` makes `column: value` lines of
 * several input columns.
 * @throws InputError `hub.missing`, `dataset.not-open`, `dataset.no-columns`, `dataset.no-such-column`; ServiceError where the hub cannot be
 *   reached
 */
export const loadDataset = defineStage<DatasetCandidate, LoadDatasetOptions, SourceDataset>({
  name: "loadDataset",
  version: 2,
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
    const table = flattenTable(await run.hub.readRows(card.id, { configuration, split, maxRows, signal }))
    const outputColumn = findColumn(candidate.outputColumn, table, card.id)
    const inputColumns = candidate.inputColumns.map((column) => findColumn(column, table, card.id))
    const rows = table.rows.map((row) => (Array.isArray(row[outputColumn]) ? { ...row, [outputColumn]: firstOf(row[outputColumn]) } : row))
    return present({
      ...{ kind: "source", id: card.id, configuration, split, inputColumns, outputColumn, license: card.license },
      ...{ columns: table.columns, rows, fingerprint },
    })
  },
  summarize: (source) => `${source.rows.length.toLocaleString("en")} rows of ${source.id}`,
})

function placeOf({ card, configuration, split, inputColumns, outputColumn }: DatasetCandidate) {
  return { id: card.id, configuration, split, inputColumns, outputColumn }
}

function flattenTable({ columns, rows }: SourceTable): SourceTable {
  const flat = rows.map(flattenRow)
  // A value that is null in the first row may be nested in a later one.
  const names = new Set(flat.flatMap((row) => Object.keys(row)))
  const isNested = (column: string) => !names.has(column) && rows.length > 0
  const inOrder = columns.flatMap((column) => (isNested(column) ? [...names].filter((name) => name.startsWith(`${column}.`)) : [column]))
  return { columns: [...new Set(inOrder)], rows: flat }
}

/** The column of that name, or the text of the nested one: `answers` is `answers.text`. */
function findColumn(column: string, { columns }: SourceTable, id: string): string {
  const found = [column, `${column}.text`].find((name) => columns.includes(name)) ?? columns.find((name) => name.startsWith(`${column}.`))
  if (found !== undefined) return found
  throw new InputError("dataset.no-such-column", `${id} has no column ${column}; it has ${columns.join(", ")}: choose another candidate.`)
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
