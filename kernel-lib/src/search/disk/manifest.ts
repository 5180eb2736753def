// What an index says of itself, in `index.json`: the format's version, what was counted, and how large each file is.
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import { corruptIndex } from "./files"

export const manifestName = "index.json"
const format = "prompt2model card index"
const version = 2

export interface Manifest {
  /** Cards. */
  readonly count: number
  /** Mean length of a card, in words. */
  readonly meanLength: number
  /** Different words. */
  readonly numWords: number
  /** What its vectors were made by; undefined where it has none. */
  readonly vectors?: { readonly dimensions: number; readonly embedder: string; readonly numLists: number }
}

/** The files that an index has. */
export function listFiles({ vectors }: Manifest): string[] {
  const always = ["cards", "card-places", "ids", "words", "lists"]
  if (!vectors) return always
  return [...always, "digests", "vectors", ...(vectors.numLists > 0 ? ["centres", "list-places", "list-entries"] : [])]
}

export function formatManifest(folder: string, manifest: Manifest): string {
  const files = Object.fromEntries(listFiles(manifest).map((name) => [name, statSync(join(folder, name)).size]))
  return `${JSON.stringify({ format, version, ...manifest, files }, null, 2)}\n`
}

/** Reads the manifest, and sees that every file is as long as it was. @throws InputError `index.missing`, `index.version`, `index.corrupt` */
export function readManifest(folder: string): Manifest {
  const path = join(folder, manifestName)
  const read = parse(folder, path)
  if (read?.format !== format) throw corruptIndex(path, "it is not an index's")
  if (read.version !== version) {
    throw new InputError(
      "index.version",
      `${folder} has version ${read.version} of the index's format, and this library reads version ${version}: build the index again.`,
    )
  }
  const { count, meanLength, numWords, vectors, files } = read as unknown as Manifest & { files?: Record<string, unknown> }
  const areNumbers = [count, meanLength, numWords, ...(vectors ? [vectors.dimensions, vectors.numLists] : [])].every(Number.isFinite)
  if (!areNumbers) throw corruptIndex(path, "counts are missing")
  const manifest = { count, meanLength, numWords, vectors }
  for (const name of listFiles(manifest)) {
    const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size
    if (size !== files?.[name]) {
      throw corruptIndex(join(folder, name), size === undefined ? "it is missing" : `it has ${size} bytes, not ${files?.[name]}`)
    }
  }
  return manifest
}

function parse(folder: string, path: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    throw new InputError("index.missing", `${folder} holds no card index: build one there with buildIndex.`, { cause })
  }
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw corruptIndex(path, "it is not JSON")
  }
}
