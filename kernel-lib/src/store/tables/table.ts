// A table as every format gives it: column names, and rows of plain JavaScript values.
import { InputError, isPrompt2ModelError } from "../../core/errors"

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** What the file says of itself, key by key, where its format has room for that. */
  readonly metadata?: ReadonlyMap<string, string>
}

export interface ReadTableOptions {
  /** Only these columns, in this order. Default: all. */
  readonly columns?: readonly string[]
  /** Only the first rows; what lies behind them is not read. Default: all. */
  readonly maxRows?: number
  /** Which split of a folder that holds several. */
  readonly split?: string
}

/** Features as Hugging Face `datasets` describes them, in a file's own metadata. */
interface HuggingFaceFeatures {
  readonly [column: string]: HuggingFaceFeature | undefined
}

interface HuggingFaceFeature {
  readonly _type?: string
  readonly names?: readonly string[]
  /** What the members of a `List` or a `Sequence` are. */
  readonly feature?: HuggingFaceFeature
}

/**
 * The names that stand behind the whole numbers of `ClassLabel` columns and of lists of such, from the `huggingface` metadata that
 * `datasets` writes into Arrow and Parquet files. Empty where there are none.
 */
export function labelNamesOf(metadata: string | undefined): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>()
  if (metadata === undefined) return names
  let features: HuggingFaceFeatures | undefined
  try {
    features = JSON.parse(metadata)?.info?.features
  } catch {
    return names
  }
  for (const [column, outer] of Object.entries(features ?? {})) {
    const feature = outer?.feature ?? outer
    if (feature?._type === "ClassLabel" && Array.isArray(feature.names)) names.set(column, feature.names)
  }
  return names
}

/** A cell as plain data: whole numbers as numbers where they fit, labels by name, lists as arrays, structures as objects. */
export function plainCell(value: unknown, labels?: readonly string[]): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === "bigint") {
    const number = Number(value)
    return Number.isSafeInteger(number) ? plainCell(number, labels) : value.toString()
  }
  if (labels && typeof value === "number") return labels[value] ?? null
  if (typeof value !== "object" || value instanceof Date || value instanceof Uint8Array) return value
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as Iterable<unknown>, (item) => plainCell(item, labels))
  const nested: unknown = "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value
  if (Array.isArray(nested)) return nested.map((item) => plainCell(item, labels))
  return Object.fromEntries(Object.entries(nested as object).map(([key, item]) => [key, plainCell(item)]))
}

/** The columns asked for, or all there are. @throws InputError `table.no-such-column` */
export function chooseColumns(path: string, present: readonly string[], wanted: readonly string[] | undefined): readonly string[] {
  const missing = wanted?.find((column) => !present.includes(column))
  if (missing !== undefined) {
    throw new InputError("table.no-such-column", `${path} has no column ${missing}; it has ${present.join(", ")}.`)
  }
  return wanted ?? present
}

/** `error`, met while `path` was read as `format`, as one sentence with its remedy. */
export function explainTableError(error: unknown, path: string, format: string): unknown {
  if (isPrompt2ModelError(error)) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "ENOENT") return new InputError("table.missing", `There is no file ${path}: check the path.`, { cause: error })
  if (code === "EACCES" || code === "EPERM") {
    return new InputError("table.not-readable", `${path} may not be read: change its permissions.`, { cause: error })
  }
  return damaged(path, format, message, error)
}

/** The error for a file that is not what it should be. */
export function damaged(path: string, format: string, reason: string, cause?: unknown): InputError {
  const short = reason.replace(/\s+/g, " ").replace(/\.$/, "").slice(0, 200)
  return new InputError(
    "table.damaged",
    `${path} cannot be read as ${format} (${short}): it is damaged, cut short or of another format; get it again.`,
    {
      cause,
    },
  )
}

/** The error for a file without a single row. */
export function emptyTable(path: string): InputError {
  return new InputError("table.empty", `${path} is empty: it needs a table with at least a header.`)
}
