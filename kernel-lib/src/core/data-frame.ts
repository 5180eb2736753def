// Rows as danfojs data frames, and back. danfojs-node is an optional peer: it is loaded when a frame is asked for, and not before.
import { createRequire } from "node:module"
import type { TablePayload } from "../display/payloads"
import { payloadVersion } from "../display/payloads"
import { makeSelfShowing } from "../display/self-showing"
import { InputError } from "./errors"

/**
 * A danfojs-node `DataFrame`, as far as it is named here, since the types of an optional package cannot be relied on. With danfojs-node
 * installed, `dataset.toDataFrame() as unknown as DataFrame` has them all.
 */
export interface DataFrameLike {
  readonly columns: readonly string[]
  /** Rows and columns. */
  readonly shape: readonly number[]
  readonly values: unknown
  /** The first rows. Default 5. */
  head(rows?: number): DataFrameLike
  /** The last rows. Default 5. */
  tail(rows?: number): DataFrameLike
  /** One column, as a danfojs `Series`. */
  column(name: string): SeriesLike
  /** Rows for which a condition holds: `frame.query(frame.column("votes").gt(1))`. */
  query(condition: unknown): DataFrameLike
  sortValues(by: string, options?: { readonly ascending?: boolean }): DataFrameLike
  /** Count, mean, deviation and so on of the columns of numbers. */
  describe(): DataFrameLike
  groupby(columns: string[]): { col(columns: string[]): GroupsLike }
}

/** A danfojs-node `Series`, as far as it is named here. */
export interface SeriesLike {
  readonly values: unknown
  valueCounts(): SeriesLike
  mean(): number
  max(): number
  min(): number
  gt(value: number): SeriesLike
  lt(value: number): SeriesLike
  eq(value: number | string): SeriesLike
}

/** Groups of a danfojs-node `DataFrame`, as far as they are named here. */
export interface GroupsLike {
  count(): DataFrameLike
  mean(): DataFrameLike
  sum(): DataFrameLike
}

interface Danfo {
  readonly DataFrame: new (rows: readonly (readonly unknown[])[], options: { readonly columns: readonly string[] }) => DataFrameLike
}

/** A row of a dataset, with the name of its source. */
export interface FrameRow {
  readonly id: string
  readonly input: string
  readonly output: string
  readonly from: { readonly kind: string }
  readonly group?: string
  readonly source: string
}

/** Figures of generated rows; not a number in rows that have none. */
const figures = ["call", "temperature", "votes", "voters"] as const

/** @throws InputError `dataset.no-danfo` where danfojs-node is not installed */
export function makeDataFrame(rows: readonly FrameRow[]): DataFrameLike {
  const { DataFrame } = loadDanfo()
  const hasFigures = rows.some(({ from }) => from.kind === "generated")
  const hasGroups = rows.some(({ group }) => group !== undefined)
  const columns = ["input", "output", "kind", "source", ...(hasGroups ? ["group"] : []), ...(hasFigures ? figures : []), "id", "from"]
  const cells = rows.map(({ id, input, output, from, group = "", source }) => {
    const known = from as Readonly<Record<string, unknown>>
    const numbers = hasFigures ? figures.map((name) => (typeof known[name] === "number" ? known[name] : Number.NaN)) : []
    return [input, output, from.kind, source, ...(hasGroups ? [group] : []), ...numbers, id, JSON.stringify(from)]
  })
  return new DataFrame(cells, { columns })
}

/** A row of a frame as `Dataset.from` takes it; `from` as it was written by `makeDataFrame`. */
export interface RowOfFrame {
  readonly input: string
  readonly output: string
  readonly id?: string
  readonly group?: string
  readonly from?: unknown
}

/** @throws InputError `dataset.no-columns`, `dataset.row-not-text` */
export function readDataFrame({ columns, values }: Pick<DataFrameLike, "columns" | "values">): RowOfFrame[] {
  const places = Object.fromEntries(columns.map((name, index) => [name, index]))
  if (places.input === undefined || places.output === undefined)
    throw new InputError(
      "dataset.no-columns",
      `The data frame needs the columns input and output; it has ${columns.join(", ")}: rename two of them.`,
    )
  return (values as readonly (readonly unknown[])[]).map((cells, index) => {
    const textOf = (name: "input" | "output"): string => {
      const cell = cells[places[name]]
      if (typeof cell === "string") return cell
      if ((typeof cell === "number" && Number.isFinite(cell)) || typeof cell === "boolean") return String(cell)
      throw new InputError("dataset.row-not-text", `Row ${index} of the data frame has no text in ${name}: drop it, or fill it in.`)
    }
    const from = readProvenance(cells[places.from])
    const kept = (name: string) =>
      typeof cells[places[name]] === "string" && cells[places[name]] !== "" ? (cells[places[name]] as string) : undefined
    return { input: textOf("input"), output: textOf("output"), group: kept("group"), ...(from ? { from, id: kept("id") } : {}) }
  })
}

function readProvenance(cell: unknown): unknown {
  if (typeof cell !== "string" || !cell.startsWith('{"kind":')) return undefined
  try {
    return JSON.parse(cell)
  } catch {
    return undefined
  }
}

let danfo: Danfo | undefined

function loadDanfo(): Danfo {
  if (danfo) return danfo
  // Its tfjs and ours share what is global, and it says so in a warning that nobody can act on.
  const { warn } = console
  console.warn = () => {}
  try {
    danfo = createRequire(import.meta.url)("danfojs-node") as Danfo
  } catch (cause) {
    throw new InputError("dataset.no-danfo", `Data frames need the package danfojs-node, which cannot be loaded. ${howToInstall}`, {
      cause,
    })
  }
  showFrames(danfo)
  return danfo
}

/** As published, danfojs-node cannot be installed: two of its dependencies are no longer to be had. */
const howToInstall =
  'Put "overrides": {"danfojs-node": {"xlsx": "0.18.5", "@tensorflow/tfjs-node": "npm:@tensorflow/tfjs-core@4.22.0"}} into your package.json, and run npm install danfojs-node.'

/** Frames show themselves as tables, whoever made them; danfojs itself would write them as text. */
function showFrames({ DataFrame }: Danfo): void {
  // The class that its own methods make instances of is a parent of the one that it exports.
  let prototype: object = DataFrame.prototype
  while (!Object.hasOwn(prototype, "head")) prototype = Object.getPrototypeOf(prototype)
  if (!(Symbol.for("Jupyter.display") in prototype)) makeSelfShowing(prototype as DataFrameLike, describeFrame)
}

/** Rows and characters of a frame that are shown. */
const shownRows = 10
const shownCharacters = 80

function describeFrame({ columns, shape, values }: DataFrameLike): TablePayload {
  const rows = (values as readonly (readonly unknown[])[]).slice(0, shownRows)
  const hidden = shape[0] - rows.length
  return {
    kind: "table",
    version: payloadVersion,
    title: "Data frame",
    subtitle: `${shape[0].toLocaleString("en")} rows, ${columns.length} columns`,
    columns: columns.map((name, index) => {
      const isNumber = rows.some((cells) => typeof cells[index] === "number")
      return { name, isNumber, isText: !isNumber }
    }),
    rows: rows.map((cells) => ({ cells: cells.map(describeCell) })),
    notes: hidden > 0 ? [`${rows.length} of ${shape[0].toLocaleString("en")} rows.`] : [],
  }
}

function describeCell(cell: unknown): string {
  if (typeof cell === "number") return Number.isNaN(cell) ? "" : String(Number(cell.toPrecision(6)))
  const text = String(cell ?? "")
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)} …` : text
}
