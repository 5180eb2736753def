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
  version: 3,
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
  const maps = new Set(columns.filter((column) => isMap(rows.map((row) => row[column]))))
  const flat = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).flatMap((cell) => (maps.has(cell[0]) ? [cell] : Object.entries(flattenRow(Object.fromEntries([cell]))))),
    ),
  )
  const names = [...new Set(flat.flatMap((row) => Object.keys(row)))]
  const isEmpty = (name: string) => flat.every((row) => row[name] === null || row[name] === undefined)
  // A nested value that is null in one row stands there by its own name, and in the others by those of its members.
  const inner = names.filter((name) => !(names.some((other) => other.startsWith(`${name}.`)) && isEmpty(name)))
  const inOrder = columns.flatMap((column) => {
    if (inner.includes(column) || rows.length === 0) return [column]
    return inner.filter((name) => name.startsWith(`${column}.`))
  })
  return { columns: [...new Set(inOrder)], rows: flat }
}

/** Whether the members of nested values are other ones in every row, as a map's are: they make no columns. */
function isMap(cells: readonly unknown[]): boolean {
  const isObject = (cell: unknown): cell is object => typeof cell === "object" && cell !== null && !Array.isArray(cell)
  return new Set(cells.filter(isObject).map((cell) => Object.keys(cell).join("\n"))).size > 1
}

/** The column of that name, or the text of the nested one: `answers` is `answers.text`; of a map the whole. */
function findColumn(column: string, { columns }: SourceTable, id: string): string {
  const found =
    [column, `${column}.text`].find((name) => columns.includes(name)) ??
    columns.find((name) => name.startsWith(`${column}.`)) ??
    columns.find((name) => column.startsWith(`${name}.`))
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
