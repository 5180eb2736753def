// What a search has seen, a line each: losses as they come, and trials when they are done. A longer search goes on from a shorter one.
import { appendFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { FolderRun } from "../../store/run"
import type { Trial } from "./search-result"
import type { Place } from "./space"

type JournalLine =
  | { readonly trial: Trial }
  | { readonly number: number; readonly places: readonly Place[]; readonly epoch: number; readonly loss: number }

export class TrialJournal {
  private constructor(
    private readonly path: string,
    private readonly lines: readonly JournalLine[],
  ) {}

  static async open({ folder }: FolderRun, fingerprint: string): Promise<TrialJournal> {
    const path = join(folder, `search-${fingerprint.slice(0, 12)}.jsonl`)
    const text = await readFile(path, "utf8").catch(() => "")
    // A line that a kill cut short must not swallow the next one.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n")
    return new TrialJournal(path, text.split("\n").flatMap(parseLine))
  }

  find(number: number, places: readonly Place[]): Trial | undefined {
    return this.lines.flatMap((line) => ("trial" in line && isSame(line.trial, number, places) ? line.trial : []))[0]
  }

  /** The losses of a trial that was not done, from its first epoch on. */
  curveOf(number: number, places: readonly Place[]): number[] {
    const curve: number[] = []
    for (const line of this.lines) {
      if (!("trial" in line) && isSame(line, number, places) && line.epoch <= curve.length + 1) curve[line.epoch - 1] = line.loss
    }
    return curve
  }

  noteLoss(number: number, places: readonly Place[], epoch: number, loss: number): void {
    this.write({ number, places, epoch, loss })
  }

  noteTrial(trial: Trial): void {
    // What broke may be mended by then: it is tried again.
    if (trial.status !== "failed") this.write({ trial })
  }

  private write(line: JournalLine): void {
    appendFileSync(this.path, `${JSON.stringify(line)}\n`)
  }
}

/** A line that a kill cut short is none. */
function parseLine(line: string): JournalLine[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as JournalLine]
  } catch {
    return []
  }
}

function isSame(one: { readonly number: number; readonly places: readonly Place[] }, number: number, places: readonly Place[]): boolean {
  return one.number === number && one.places.length === places.length && one.places.every((place, at) => place === places[at])
}
