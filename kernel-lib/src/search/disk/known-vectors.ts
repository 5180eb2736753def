// Vectors that were computed before: those of the index that is being replaced, and of builds that were interrupted. A vector is found by the
// digest of its text and of the embedder, so nothing else about those indexes has to hold.
import { readdirSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { exists } from "../../store/atomic"
import { FileReader } from "./files"
import { hashName, KeyTable } from "./key-table"
import { readVectors } from "./vector-lists"

export const digestBytes = 8

/** What a text's vector is found by. */
export function digestText(text: string, embedder: string): Buffer {
  return hashName(`${embedder}\n${text}`)
}

/** Where builds of `folder` work until they are done: beside it, named by process, so that two do not take each other's. */
export function buildingFolder(folder: string, process: number): string {
  return join(dirname(folder), `.${basename(folder)}.building.${process}`)
}

/** Folders of builds of `folder` whose process is no more. */
export function findInterrupted(folder: string): string[] {
  const start = `.${basename(folder)}.building.`
  let names: string[]
  try {
    names = readdirSync(dirname(folder))
  } catch {
    return []
  }
  return names
    .filter((name) => name.startsWith(start) && !isOthersRunning(Number.parseInt(name.slice(start.length), 10)))
    .map((name) => join(dirname(folder), name))
}

function isOthersRunning(id: number): boolean {
  if (id === process.pid) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

export class KnownVectors {
  private readonly table = new KeyTable()
  private readonly sources: { readonly vectors: FileReader; readonly first: number }[] = []
  private count = 0

  constructor(private readonly dimensions: number) {}

  /** Takes in what a folder has; a vector that was not written whole does not count. */
  async addFolder(folder: string): Promise<void> {
    if (!(await exists(join(folder, "digests"))) || !(await exists(join(folder, "vectors")))) return
    const digests = new FileReader(join(folder, "digests"))
    const vectors = new FileReader(join(folder, "vectors"))
    const whole = Math.min(Math.floor(digests.length / digestBytes), Math.floor(vectors.length / (this.dimensions * 4)))
    for (let row = 0; row < whole; row++) this.table.add(digests.read(row * digestBytes, digestBytes), this.count + row)
    digests.close()
    this.sources.push({ vectors, first: this.count })
    this.count += whole
  }

  get(digest: Buffer): Float32Array | undefined {
    const number = this.table.get(digest)
    if (number === undefined) return undefined
    const source = this.sources.findLast(({ first }) => first <= number)!
    return readVectors(source.vectors, number - source.first, 1, this.dimensions)
  }

  close(): void {
    for (const { vectors } of this.sources) vectors.close()
  }
}
