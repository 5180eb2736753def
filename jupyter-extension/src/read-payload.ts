// Payloads as they come out of a notebook file: anybody may have written it, so every part is looked at before it is used.
import { type DatasetPayload, type PreviewRow, payloadVersion } from "../../kernel-lib/src/display/payloads"

type Fields = Readonly<Record<string, unknown>>

/** More is never shown, whatever the notebook holds. */
const mostRows = 200
const mostCharacters = 2000

/** The dataset that `value` describes; parts that are not as expected are left out. Undefined for another kind, or a newer version. */
export function readDatasetPayload(value: unknown): DatasetPayload | undefined {
  if (!isFields(value) || value.kind !== "dataset" || typeof value.version !== "number" || value.version > payloadVersion) return undefined
  return {
    kind: "dataset",
    version: payloadVersion,
    title: textOf(value.title),
    subtitle: textOf(value.subtitle),
    numRows: countOf(value.numRows),
    splits: listOf(value.splits, readCount),
    sources: listOf(value.sources, readCount),
    rejected: listOf(value.rejected, (item) => ({ reason: textOf(item.reason), rows: countOf(item.rows) })),
    preview: listOf(value.preview, readRow),
    lengths: readLengths(value.lengths),
    file: optionalText(value.file),
    nextStep: optionalText(value.nextStep),
    isSimulated: value.isSimulated === true,
  }
}

function readCount(item: Fields) {
  return { name: textOf(item.name), rows: countOf(item.rows) }
}

function readRow(item: Fields): PreviewRow {
  return {
    row: countOf(item.row),
    input: textOf(item.input),
    output: textOf(item.output),
    from: textOf(item.from),
    votes: optionalText(item.votes),
  }
}

function readLengths(value: unknown): DatasetPayload["lengths"] {
  if (!isFields(value) || !Array.isArray(value.bins)) return undefined
  return { unit: textOf(value.unit), bins: value.bins.slice(0, 40).map(countOf), median: countOf(value.median), max: countOf(value.max) }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function listOf<T>(value: unknown, read: (item: Fields) => T): T[] {
  return Array.isArray(value) ? value.slice(0, mostRows).filter(isFields).map(read) : []
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, mostCharacters) : ""
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? textOf(value) : undefined
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0
}
