// Rows with values inside values, as columns side by side: SQuAD's `answers: { text: [...], answer_start: [...] }` becomes `answers.text` and
// `answers.answer_start`, as `flatten()` of Hugging Face datasets names them.

type Row = Readonly<Record<string, unknown>>

/** `row` with a column for each innermost value; lists stay as they are. */
export function flattenRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).flatMap(([name, value]) => flattenCell(name, value)))
}

function flattenCell(name: string, value: unknown): [string, unknown][] {
  if (!isStruct(value)) return [[name, value]]
  return Object.entries(value).flatMap(([member, inner]) => flattenCell(`${name}.${member}`, inner))
}

function isStruct(value: unknown): value is Row {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length > 0
}

/** The columns that flattened rows have, of those that `row` shows; a column that it does not show stays. */
export function flattenColumns(columns: readonly string[], row: Row | undefined): string[] {
  return columns.flatMap((column) => (row && column in row ? flattenCell(column, row[column]).map(([name]) => name) : [column]))
}

/** The one value that stands for a list: its first; several right answers are as good as each other. */
export function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value
}
