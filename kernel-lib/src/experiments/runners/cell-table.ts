// Which cells wait, run, are done or failed: what a notebook and a terminal show while an experiment runs.
import { messageOf } from "../../core/errors"
import type { CellProgress, Progress } from "../../core/run"
import type { CellNews } from "./runner"

export class CellTable {
  private readonly cells: CellProgress[]

  constructor(
    names: readonly string[],
    private readonly unit: string,
    private readonly progress: (state: Progress) => void,
  ) {
    this.cells = names.map((name) => ({ name, state: "waiting" }))
  }

  hear(at: number, news: CellNews): void {
    this.set(at, news)
  }

  finish(at: number, note?: string): void {
    this.set(at, { state: "done", note })
  }

  /** @param why a sentence, or what was thrown */
  fail(at: number, why: unknown): void {
    this.set(at, { state: "failed", note: typeof why === "string" ? why : messageOf(why) })
  }

  private set(at: number, { state, where, note }: Omit<CellProgress, "name">): void {
    const before = this.cells[at]
    if (before.state === "done" || before.state === "failed") return
    this.cells[at] = {
      name: before.name,
      state,
      where: where ?? before.where,
      note: note || (state === before.state ? before.note : undefined),
    }
    const count = (...states: CellProgress["state"][]) => this.cells.filter((cell) => states.includes(cell.state)).length
    const counts = [
      [count("running"), "running"],
      [count("waiting"), "waiting"],
      [count("failed"), "failed"],
    ] as const
    const done = count("done", "failed")
    this.progress({
      ...{ done, total: this.cells.length, unit: this.unit, cells: [...this.cells] },
      note: [
        `${done} of ${this.cells.length} ${this.unit}`,
        ...counts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`),
      ].join(", "),
    })
  }
}
