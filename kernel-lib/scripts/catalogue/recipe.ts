// What a dataset of the bundled catalogue is made from: its card's words, and a table for each configuration.
import type { Random } from "../../src/core/random"

export interface Recipe {
  /** Behind `bundled/`. */
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  /** BCP 47 codes of the languages that rows are in. */
  readonly languages: readonly string[]
  /** Default: the Unicode CLDR. */
  readonly source?: Source
  /** Rows by configuration; no two of a configuration are equal. */
  makeTables(random: Random): Readonly<Record<string, readonly Cells[]>>
}

/** Where rows come from. */
export interface Source {
  readonly name: string
  /** SPDX identifier. */
  readonly license: string
}

export type Cells = Readonly<Record<string, string | number>>

/** Asks `make` for rows until `count` different ones are there; `key` says by which column they differ. Undefined is asked again. */
export function collectRows(count: number, key: string, make: () => Cells | undefined): Cells[] {
  const rows = new Map<string | number, Cells>()
  for (let attempt = 0; rows.size < count; attempt++) {
    if (attempt > count * 100) throw new Error(`only ${rows.size} of ${count} rows differ by ${key}`)
    const row = make()
    if (row && !rows.has(row[key])) rows.set(row[key], row)
  }
  return [...rows.values()]
}

/** Drops rows that say the same as an earlier one. */
export function distinctRows(rows: readonly Cells[]): Cells[] {
  return [...new Map(rows.map((row) => [JSON.stringify(Object.values(row)), row])).values()]
}

/** Every code of `length` letters. */
export function* lettersOf(length: number): Generator<string, void, undefined> {
  const alphabet = "abcdefghijklmnopqrstuvwxyz"
  for (let number = 0; number < 26 ** length; number++) {
    yield Array.from({ length }, (_, place) => alphabet[Math.floor(number / 26 ** (length - 1 - place)) % 26]).join("")
  }
}

/** The first row of each key. */
export function uniqueBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  const first = new Map<string, Item>()
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item)
  return [...first.values()]
}

/** As many of each value of `column`, at most `each`. */
export function balance(rows: readonly Cells[], column: string, each: number, random: Random): Cells[] {
  const groups = new Map<string, Cells[]>()
  for (const row of rows) groups.set(String(row[column]), [...(groups.get(String(row[column])) ?? []), row])
  const most = Math.min(each, ...[...groups.values()].map((group) => group.length))
  return [...groups.values()].flatMap((group) => random.sample(group, most))
}

/** `a` or `an`, by how the word is spelt. */
export function articleOf(word: string): string {
  if (/^(uni([^nm]|$)|us[aeiou]|eu|one\b|ut[ei]|ufo)/i.test(word)) return "a"
  return /^([aeiou]|hour|honest|heir)/i.test(word) ? "an" : "a"
}
