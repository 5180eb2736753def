// What was chosen in the viewer, in words and as TypeScript that chooses the same rows in a cell.
import { onOneLine } from "../../../kernel-lib/src/display/plain-text"
import type { ColumnInfo, Filter, Query } from "../protocol"
import { trans } from "../settings/language"
import { shortName } from "./elements"
import { countCharacters, formatNumber, formatRange } from "./header-parts"

/** A filter as a chip says it: `temperature 1.2 to 1.7`. */
export function describeFilter(filter: Filter, columns: readonly ColumnInfo[]): string {
  const info = columns.find(({ name }) => name === filter.column)
  const name = onOneLine(shortName(info?.path ?? filter.column))
  if (filter.kind === "missing") return trans.__("%1 missing", name)
  if (filter.kind === "present") return trans.__("%1 present", name)
  if (filter.kind === "values")
    return `${name}: ${filter.values.map((value) => (value === "" ? trans.__("(empty)") : onOneLine(value).slice(0, 40))).join(", ")}`
  const kind = filter.kind === "length" ? "length" : (info?.kind ?? "number")
  const high = filter.kind === "length" && !filter.isLast ? filter.high - 1 : filter.high
  const [first, last] = [formatNumber(filter.low, kind), formatNumber(high, kind)]
  return `${name} ${filter.kind === "length" ? countCharacters(first, last, high) : formatRange(first, last)}`
}

const datasetColumns = ["input", "output", "id", "group"]

/** TypeScript for a cell, over the library's `Dataset` where the file is one, else over a table's rows. */
export function selectionAsCode(path: string, query: Query, columns: readonly ColumnInfo[], isDate: (column: string) => boolean): string {
  const names = columns.map(({ name }) => name)
  const isDataset = names.includes("input") && names.includes("output")
  const usable = (column: string) => datasetColumns.includes(column) || column.startsWith("from.")
  const left = query.filters.filter(({ column }) => !usable(column))
  const conditions = query.filters.filter(({ column }) => usable(column)).flatMap((filter) => conditionsOf(filter, isDate(filter.column)))
  if (query.search !== "")
    conditions.push(
      `JSON.stringify(row).toLowerCase().includes(${JSON.stringify(JSON.stringify(query.search.toLowerCase()).slice(1, -1))})`,
    )
  const lines = [`import { Dataset } from "prompt2model"`, "", `const dataset = await Dataset.from(${JSON.stringify(path)})`]
  if (!isDataset)
    lines.unshift(`// Dataset.from needs the columns input and output; this file has ${names.slice(0, 8).map(inComment).join(", ")}.`)
  lines.push(conditions.length > 0 ? `const selection = dataset.filter((row) => ${conditions.join(" && ")})` : "const selection = dataset")
  for (const { column } of left) lines.push(`// A Dataset has no column ${inComment(column)}: filter by it in the viewer and export.`)
  if (query.sort.length > 0) lines.push(`const sorted = [...selection].sort((a, b) => ${query.sort.map(comparisonOf).join(" || ")})`)
  return `${lines.join("\n")}\n`
}

/** Nothing in a comment may end it. */
function inComment(text: string): string {
  return onOneLine(text).slice(0, 60)
}

/** `row.output`; what only some provenance has is asked for by name. */
function accessOf(column: string, row = "row"): string {
  const [, field] = /^from\.(.+)$/.exec(column) ?? []
  if (field === "kind") return `${row}.from.kind`
  if (field === "votes") return `("votes" in ${row}.from ? \`\${${row}.from.votes} of \${${row}.from.voters}\` : undefined)`
  if (field === "origin")
    return `("teacher" in ${row}.from ? ${row}.from.teacher : "dataset" in ${row}.from ? ${row}.from.dataset : ${row}.from.source)`
  if (field) return `(${JSON.stringify(field)} in ${row}.from ? ${row}.from.${field} : undefined)`
  return `${row}.${column}`
}

function conditionsOf(filter: Filter, isDate: boolean): string[] {
  const access = accessOf(filter.column)
  if (filter.kind === "missing") return [`!${access}`]
  if (filter.kind === "present") return [access]
  if (filter.kind === "values") {
    const [only] = filter.values
    return filter.values.length === 1
      ? [`${access} === ${JSON.stringify(only)}`]
      : [`${JSON.stringify(filter.values)}.includes(${access} ?? "")`]
  }
  const measured = filter.kind === "length" ? `${access}.length` : isDate ? `Date.parse(${access})` : `Number(${access} ?? NaN)`
  return [`${measured} >= ${filter.low}`, `${measured} ${filter.isLast ? "<=" : "<"} ${filter.high}`]
}

function comparisonOf({ column, isDescending }: Query["sort"][number]): string {
  const [first, second] = isDescending ? ["b", "a"] : ["a", "b"]
  if (column === "from.temperature" || column === "from.call") {
    return `Number(${accessOf(column, first)} ?? 0) - Number(${accessOf(column, second)} ?? 0)`
  }
  return `String(${accessOf(column, first)}).localeCompare(String(${accessOf(column, second)}))`
}
