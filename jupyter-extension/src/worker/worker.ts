// The worker: reads the file, and answers what the viewer asks. What takes long goes on in the background, a chunk at a time.
import type { Block, Cell, FromWorker, FullRow, Query, Requests, Sentence, ToWorker } from "../protocol"
import { alikeColumn, everything } from "../protocol"
import { exportRows } from "./export-rows"
import { groupAlike } from "./group-alike"
import { findNearest } from "./nearest-row"
import { SummaryBuilder, textOf } from "./summaries"
import { Table } from "./table"
import { Trouble } from "./trouble"
import { letOthersGo, View } from "./view"

/** More of a text does not go into a cell of the grid. */
const cellCharacters = 300
/** More of a text does not go into the panel. */
const panelCharacters = 20_000
const panelColumns = 100

let table: Table
let view: View
/** Whom the background work serves; what was looked at last comes first. */
let watched: readonly string[] = []
const summaries = new Map<string, { builder: SummaryBuilder; chunk: number }>()
let isBusy = false
let numViews = 0
/** Columns that the viewer knows. */
let toldColumns = 0

const handlers: { [Name in keyof Requests]: (request: Parameters<Requests[Name]>[0]) => Promise<ReturnType<Requests[Name]>> } = {
  async open(request) {
    table = await Table.open(request)
    toldColumns = table.columns.length
    view = new View(table, everything, () => {}, numViews++)
    inBackground(indexAll)
    return table.state
  },
  async block({ start, end, columns }): Promise<Block> {
    const rows = view.rows(start, end)
    const cells: Cell[][] = []
    for (const column of columns) cells.push((await table.cells(column, rows)).map((cell) => cutText(cell, cellCharacters)))
    return { rows, cells }
  },
  async row({ row }): Promise<FullRow> {
    const { columns } = table
    const cells: FullRow["cells"][number][] = []
    for (const { name } of columns.slice(0, panelColumns)) {
      const [value] = await table.cells(name, [row])
      cells.push({ name, value: cutText(value, panelCharacters), isCut: typeof value === "string" && value.length > panelCharacters })
    }
    return { row, cells, numColumns: columns.length, from: await table.provenance(row) }
  },
  place: async ({ row }) => view.placeOf(row),
  async query(query: Query) {
    view.end()
    const next = new View(table, query, (state) => send({ event: "view", state }), numViews++)
    view = next
    send({ event: "view", state: next.state })
    inBackground(() => next.run())
    return null
  },
  async watch({ columns }) {
    watched = columns
    inBackground(summariseAll)
    return null
  },
  async alike({ column, others }) {
    const { found, labels } = await groupAlike(table, column, others, (seen, all) => send({ event: "comparing", seen, all }))
    table.addColumn(alikeColumn, labels)
    summaries.delete(alikeColumn)
    tellFile()
    return found
  },
  export: ({ format }) => exportRows(table, view, format),
  nearest: ({ row, column }) => findNearest(table, row, column),
  ping: async () => null,
}

function tellFile(): void {
  const { columns, ...news } = table.state
  send({ event: "file", state: columns.length === toldColumns ? news : { ...news, columns } })
  toldColumns = columns.length
}

function cutText(cell: Cell, most: number): Cell {
  return typeof cell === "string" && cell.length > most ? cell.slice(0, most) : cell
}

async function indexAll(): Promise<void> {
  while (!table.isIndexed) {
    await table.advance()
    tellFile()
    send({ event: "view", state: view.state })
    await letOthersGo()
  }
}

async function summariseAll(): Promise<void> {
  if (isBusy) return
  isBusy = true
  let told = 0
  try {
    for (let next = nextToSummarise(); next; next = nextToSummarise()) {
      const { column, chunk, builder } = next
      builder.add(await table.column(chunk, column))
      summaries.set(column, { builder, chunk: chunk + 1 })
      const isDone = table.isIndexed && chunk + 1 >= table.chunks.length
      // The first look at a column is shown at once, and so is the last.
      if (isDone || chunk === 0 || performance.now() - told > 150) {
        send({ event: "summary", summary: builder.summarise() })
        tellFile()
        told = performance.now()
      }
      await letOthersGo()
      while (table.chunks.length <= chunk + 1 && !table.isIndexed && !nextToSummarise()) await table.advance()
    }
  } finally {
    isBusy = false
  }
}

/** The watched column of which least was seen, so that all headers fill together. */
function nextToSummarise() {
  let least: { column: string; chunk: number; builder: SummaryBuilder } | undefined
  for (const column of watched) {
    const known = summaries.get(column) ?? { builder: new SummaryBuilder(column, table.kindOf(column)), chunk: 0 }
    if (known.chunk < table.chunks.length && (!least || known.chunk < least.chunk)) least = { column, ...known }
  }
  return least
}

function inBackground(work: () => Promise<void>): void {
  work().catch((error) => send({ event: "trouble", ...sentenceOf(error) }))
}

function sentenceOf(error: unknown): Sentence {
  if (error instanceof Trouble) return { message: error.template, values: error.values }
  const message = textOf(error instanceof Error ? error.message : String(error)).trim()
  return { message: "%1", values: [/[.!?]$/.test(message) ? message : `${message}.`] }
}

function send(message: FromWorker): void {
  postMessage(message)
}

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  const handler = handlers[data.name] as (request: unknown) => Promise<unknown>
  handler(data.request).then(
    (answer) => send({ id: data.id, answer }),
    (error) => send({ id: data.id, error: sentenceOf(error) }),
  )
})
