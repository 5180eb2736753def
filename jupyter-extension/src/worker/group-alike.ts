// Compares the rows of a file with each other, and with those of the test and validation sets beside it, a chunk at a time.
import type { Alike, Cell, OpenRequest } from "../protocol"
import { AlikeTexts } from "./alike-rows"
import { textOf } from "./summaries"
import { Table } from "./table"
import { letOthersGo } from "./view"

/** Further rows are not compared: their shingles have to be kept in memory. */
const mostRows = 200_000

interface Place {
  readonly name: string
  readonly row: number
}

/** @returns what was found, and for each row `row 12`, the first of its group, `row 7 of test.parquet`, or nothing */
export async function groupAlike(
  table: Table,
  column: string,
  others: readonly { readonly name: string; readonly request: OpenRequest }[],
  tell: (seen: number, all: number) => void,
): Promise<{ found: Alike; labels: Cell[] }> {
  const texts = new AlikeTexts()
  const places: Place[] = []
  // First those that must not be repeated, so that they are the first of their groups.
  for (const { name, request } of others) await addOther(texts, places, name, request, column)
  const start = texts.length
  let told = 0
  for (let chunk = 0; texts.length - start < mostRows; chunk++) {
    while (chunk >= table.chunks.length && !table.isIndexed) await table.advance()
    if (chunk >= table.chunks.length) break
    for (const value of await table.column(chunk, column)) {
      if (texts.length - start >= mostRows) break
      texts.add(textOf(value))
      if (performance.now() - told > 150) {
        tell(texts.length - start, table.numRows)
        told = performance.now()
        await letOthersGo()
      }
    }
  }
  const compared = texts.length - start
  const sizes = new Uint32Array(texts.length)
  for (let position = start; position < texts.length; position++) sizes[texts.groupOf(position)]++
  const labels: Cell[] = new Array(table.numRows).fill(null)
  let [rows, leaks, groups] = [0, 0, 0]
  for (let row = 0; row < compared; row++) {
    const first = texts.groupOf(start + row)
    const place = places[first] as Place | undefined
    if (place) leaks++
    else if (sizes[first] < 2) continue
    else if (first === start + row) groups++
    rows++
    labels[row] = place ? `row ${place.row} of ${place.name}` : `row ${first - start}`
  }
  return { found: { rows, groups, leaks, compared, all: table.numRows }, labels }
}

/** A set that cannot be read, or has no such column, is not compared with. */
async function addOther(texts: AlikeTexts, places: Place[], name: string, request: OpenRequest, column: string): Promise<void> {
  try {
    const other = await Table.open(request)
    if (!other.columns.some((known) => known.name === column)) return
    for (let chunk = 0; places.length < mostRows; chunk++) {
      while (chunk >= other.chunks.length && !other.isIndexed) await other.advance()
      if (chunk >= other.chunks.length) break
      for (const [index, value] of (await other.column(chunk, column)).entries()) {
        texts.add(textOf(value))
        places.push({ name, row: other.chunks[chunk].start + index })
      }
      await letOthersGo()
    }
  } catch {}
}
