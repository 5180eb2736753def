// The index of runs: a file beside run folders with a line for each time that a run had something new to tell, so that a viewer lists a
// thousand runs from one file. It is only a copy of what the folders say: a run that is not in it is found by its folder.
import { appendFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { redactSecrets } from "../core/errors"
import type { RunEvent } from "../core/run"
import { type RunIndexEntry, runIndexFile } from "../display/payloads"
import { summarizeRun } from "../display/run-summary"

type Fields = Readonly<Record<string, unknown>>

export class RunIndex {
  private readonly path: string
  private readonly run: string
  private content: Fields = {}
  private written = ""

  constructor(
    folder: string,
    /** Dollars spent so far. */
    private readonly usd: () => number,
  ) {
    this.path = join(dirname(folder), runIndexFile)
    this.run = basename(folder)
  }

  /** What was in run.json before this process: the index has it from another one, or somebody did not want it there. */
  know(members: Fields): void {
    this.content = members
    this.written = JSON.stringify(this.describe(""))
  }

  /** `members` of run.json are as given from now on. */
  take(members: Fields): void {
    this.content = { ...this.content, ...members }
    const told = JSON.stringify(this.describe(""))
    if (told === this.written) return
    this.written = told
    const entry = this.describe(new Date().toISOString())
    try {
      // One short write to a file that is opened for appending: lines of several processes do not mix.
      appendFileSync(this.path, redactSecrets(`${JSON.stringify(entry)}\n`))
    } catch {
      // Where the folder above may not be written, there is no index, and the run goes on.
    }
  }

  private describe(at: string): RunIndexEntry {
    return summarizeRun(this.run, { ...this.content, spending: { usd: this.usd() } }, at)
  }

  /** What the events of stages tell before run.json does. */
  note(event: RunEvent): void {
    if (event.type === "training.started") this.take({ training: event.settings })
    if (event.type !== "evaluation.done" || !Array.isArray(event.systems)) return
    const [student] = event.systems as readonly Fields[]
    this.take({ scores: student?.scores, intervals: student?.intervals })
  }
}
