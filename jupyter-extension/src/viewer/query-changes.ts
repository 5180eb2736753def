// What clicks and keys make of a query: a column sorts up, down, not at all; a filter comes, joins another one, or goes.
import type { Cell, ColumnInfo, Filter, Query } from "../protocol"
import type { HeaderPart } from "./header-parts"

/** @param isAdded whether the other columns go on sorting before it */
export function sortBy(query: Query, column: string, isAdded: boolean): Query {
  const known = query.sort.find((key) => key.column === column)
  const others = isAdded ? query.sort.filter((key) => key.column !== column) : []
  const own = !known ? [{ column, isDescending: false }] : known.isDescending ? [] : [{ column, isDescending: true }]
  return { ...query, sort: [...others, ...own] }
}

/** A second click on the same takes it away; a further value joins those that are chosen. */
export function toggleFilter(query: Query, filter: Filter): Query {
  const place = query.filters.findIndex(({ column }) => column === filter.column)
  const next = place < 0 ? filter : combine(query.filters[place], filter)
  const filters = query.filters.filter(({ column }) => column !== filter.column)
  if (next) filters.splice(place < 0 ? filters.length : place, 0, next)
  return { ...query, filters }
}

export function removeFilter(query: Query, index: number): Query {
  return { ...query, filters: query.filters.filter((_filter, other) => other !== index) }
}

/** From one part of a header's picture to another, both ends with it. */
export function filterOfParts({ filter }: HeaderPart, { filter: last }: HeaderPart): Filter {
  const isRange = (filter.kind === "range" || filter.kind === "length") && (last.kind === "range" || last.kind === "length")
  return isRange ? { ...filter, high: last.high, isLast: last.isLast } : filter
}

/** The rows that have this very value. */
export function filterOfCell({ name: column, kind }: ColumnInfo, value: Cell): Filter {
  if (value === null) return { kind: "missing", column }
  if (typeof value === "number" && kind !== "text") return { kind: "range", column, low: value, high: value, isLast: true }
  return { kind: "values", column, values: [String(value)] }
}

/** Two filters on one column as one; undefined where they cancel each other. */
function combine(own: Filter, added: Filter): Filter | undefined {
  if (own.kind === "values" && added.kind === "values") {
    const values = added.values.every((value) => own.values.includes(value))
      ? own.values.filter((value) => !added.values.includes(value))
      : [...own.values, ...added.values]
    return values.length > 0 ? { ...own, values } : undefined
  }
  return JSON.stringify(own) === JSON.stringify(added) ? undefined : added
}
