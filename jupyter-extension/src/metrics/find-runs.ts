// Which runs there are under a folder: from the indexes that the library keeps, and from run.json where an older run is in none.
import { payloadVersion, type RunIndexEntry, runIndexFile } from "../../../kernel-lib/src/display/payloads"
import { summarizeRun } from "../../../kernel-lib/src/display/run-summary"
import { trans } from "../settings/language"
import { GrowingFile } from "./follow-file"
import { isFields, numberOf, textOf } from "./read-results"
import type { RunFiles } from "./run-files"

export interface ListedRun extends RunIndexEntry {
  /** The folder, as the file browser has it. */
  readonly path: string
}

export interface FoundRuns {
  readonly runs: readonly ListedRun[]
  /** Sentences about what was not looked at. */
  readonly notes: readonly string[]
}

/** Folders that are looked into, so that a whole disk is not. */
const mostFolders = 300
const deepest = 4
const passedOver = /^(\.|node_modules$|__pycache__$|stages$|datasets$|student$|responses$)/

export class RunFinder {
  private readonly runs = new Map<string, ListedRun>()
  private readonly indexes = new Map<string, GrowingFile>()
  private early: Promise<readonly RunIndexEntry[]> | undefined
  private looked = 0
  private isCut = false

  constructor(
    private readonly files: RunFiles,
    private readonly folder: string,
    /** Called as more is known. */
    private readonly tell: (found: FoundRuns) => void,
  ) {}

  /** Whether the folder itself has an index. */
  get hasIndex(): boolean {
    return this.indexes.has(this.folder)
  }

  /**
   * Looks through the folders; those with an index tell all their runs at once.
   * @param isIndexed whether the folder is known to have an index: then it is read while the server still lists a thousand folders
   * @throws Error in one sentence
   */
  async search(signal: AbortSignal, isIndexed = false): Promise<void> {
    this.looked = 0
    this.isCut = false
    // Where it is gone, the folders are looked into.
    if (isIndexed) this.early = this.readIndex(this.folder, signal).catch(() => [])
    let level: readonly string[] = [this.folder]
    for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
      const next: string[] = []
      for (let at = 0; at < level.length; at += 6) {
        if (signal.aborted) return
        const several = level.slice(at, at + 6).map((folder) => this.lookInto(folder, signal).catch((error) => this.passOver(error, depth)))
        next.push(...(await Promise.all(several)).flat())
        this.tell(this.found())
      }
      level = next
    }
    this.tell(this.found())
  }

  /** What the indexes say anew. @returns whether that is anything */
  async refresh(signal: AbortSignal): Promise<boolean> {
    // Where there was nothing, the first run may have made its folder and its index meanwhile.
    if (this.runs.size === 0) {
      await this.search(signal)
      return this.runs.size > 0
    }
    let isNew = false
    for (const [folder, index] of this.indexes) {
      const { lines } = await index.look(signal)
      for (const entry of lines.flatMap(readEntry)) {
        this.add(folder, entry)
        isNew = true
      }
    }
    if (isNew) this.tell(this.found())
    return isNew
  }

  private found(): FoundRuns {
    const notes = this.isCut
      ? [trans.__("Only the first %1 folders were looked into: open Runs on a folder further in for others.", mostFolders)]
      : []
    return { runs: [...this.runs.values()], notes }
  }

  private passOver(error: unknown, depth: number): string[] {
    if (depth === 0) throw error
    return []
  }

  /** @returns folders that are to be looked into next */
  private async lookInto(folder: string, signal: AbortSignal): Promise<string[]> {
    if (this.looked >= mostFolders) {
      this.isCut = true
      return []
    }
    this.looked++
    const entries = await this.files.list(folder)
    if (entries.some(({ name, isFolder }) => name === "run.json" && !isFolder)) {
      await this.readRun(folder)
      return []
    }
    const folders = entries.filter(({ name, isFolder }) => isFolder && !passedOver.test(name))
    if (!entries.some(({ name }) => name === runIndexFile)) return folders.map(({ path }) => path)
    const early = folder === this.folder ? this.early : undefined
    this.early = undefined
    const indexed = new Set((await (early ?? this.readIndex(folder, signal))).map(({ run }) => run))
    const there = new Set(folders.map(({ name }) => name))
    // A folder that was deleted or renamed is in the index still.
    for (const run of indexed) if (!there.has(run)) this.runs.delete(join(folder, run))
    return folders.filter(({ name }) => !indexed.has(name)).map(({ path }) => path)
  }

  private async readIndex(folder: string, signal: AbortSignal): Promise<readonly RunIndexEntry[]> {
    const index = new GrowingFile(() => this.files.address(join(folder, runIndexFile)))
    const { lines } = await index.look(signal)
    this.indexes.set(folder, index)
    const entries = lines.flatMap(readEntry)
    for (const entry of entries) this.add(folder, entry)
    if (this.early) this.tell(this.found())
    return entries
  }

  /** A line of a process that went on from a run may not know what an earlier one found out. */
  private add(folder: string, entry: RunIndexEntry): void {
    const path = join(folder, entry.run)
    const before = this.runs.get(path)
    const settings = { ...before?.settings, ...entry.settings }
    const scores = Object.fromEntries(
      Object.entries({ ...before?.scores, ...entry.scores }).map(([metric, score]) => {
        const known = before?.scores[metric]
        return [metric, score.low === undefined && known?.value === score.value ? known : score]
      }),
    )
    this.runs.set(path, { ...entry, path, settings, scores })
  }

  private async readRun(folder: string): Promise<void> {
    const content = await this.files.readJson(join(folder, "run.json"), 8e6).catch(() => undefined)
    if (!isFields(content) || typeof content.format !== "number") return
    this.runs.set(folder, { ...summarizeRun(folder.split("/").at(-1) ?? folder, content, ""), path: folder })
  }
}

/** A line of an index; none where it is not one. */
function readEntry(line: string): RunIndexEntry[] {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return []
  }
  if (!isFields(value) || typeof value.run !== "string" || value.run === "" || /[/\\]|^\.\.?$/.test(value.run)) return []
  if (typeof value.version !== "number" || value.version > payloadVersion) return []
  const settings = Object.entries(isFields(value.settings) ? value.settings : {}).slice(0, 80)
  const scores = Object.entries(isFields(value.scores) ? value.scores : {}).slice(0, 12)
  const seconds = numberOf(value.seconds)
  return [
    {
      version: payloadVersion,
      run: value.run,
      at: textOf(value.at),
      status: textOf(value.status),
      settings: Object.fromEntries(
        settings.filter((pair): pair is [string, string | number | boolean] => ["string", "number", "boolean"].includes(typeof pair[1])),
      ),
      scores: Object.fromEntries(
        scores.flatMap(([name, score]) => {
          const { value: mean, low, high } = isFields(score) ? score : {}
          return numberOf(mean) === undefined ? [] : [[name, { value: mean as number, low: numberOf(low), high: numberOf(high) }]]
        }),
      ),
      usd: numberOf(value.usd) ?? 0,
      ...(seconds !== undefined && { seconds }),
    },
  ]
}

export function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`
}
