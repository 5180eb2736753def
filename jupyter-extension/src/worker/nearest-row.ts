// The row whose text is most like another's: Dice's coefficient over pairs of neighbouring characters, so that a changed word shows.
import { textOf } from "./summaries"
import type { Table } from "./table"
import { letOthersGo } from "./view"

/** Longer texts are compared by their beginnings. */
const mostCharacters = 400
/** Rows are compared for about this long, in milliseconds. */
const patience = 1500

export async function findNearest(table: Table, row: number, column: string): Promise<{ row: number; likeness: number } | null> {
  const [text] = await table.cells(column, [row])
  const wanted = textOf(text).slice(0, mostCharacters).toLowerCase()
  if (wanted.length < 2) return null
  const pairs = countPairs(wanted)
  const home = table.chunkOf(row)
  const chunks = table.chunks.map((_chunk, index) => index).sort((a, b) => Math.abs(a - home) - Math.abs(b - home))
  let best: { row: number; likeness: number } | null = null
  const began = performance.now()
  for (const chunk of chunks) {
    if (performance.now() - began > patience) break
    const values = await table.column(chunk, column)
    const { start } = table.chunks[chunk]
    for (let index = 0; index < values.length; index++) {
      const other = values[index]
      if (start + index === row || typeof other !== "string") continue
      // No text that much shorter or longer can be nearer.
      const shorter = Math.min(other.length, wanted.length)
      if (best && (2 * shorter) / (Math.min(other.length, mostCharacters) + wanted.length) < best.likeness) continue
      const likeness = likenessOf(pairs, wanted.length - 1, other)
      if (likeness > (best?.likeness ?? 0.3)) best = { row: start + index, likeness }
    }
    await letOthersGo()
  }
  return best
}

function countPairs(text: string): Map<number, number> {
  const pairs = new Map<number, number>()
  for (let index = 0; index + 1 < text.length; index++) {
    const pair = text.charCodeAt(index) * 65536 + text.charCodeAt(index + 1)
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
  }
  return pairs
}

function likenessOf(pairs: ReadonlyMap<number, number>, total: number, text: string): number {
  const other = text.slice(0, mostCharacters).toLowerCase()
  let shared = 0
  for (const [pair, count] of countPairs(other)) shared += Math.min(count, pairs.get(pair) ?? 0)
  return (2 * shared) / (total + Math.max(0, other.length - 1))
}
