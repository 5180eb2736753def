// The events of chosen runs, looked at again and again while they may grow.

import { join } from "./find-runs"
import { GrowingFile } from "./follow-file"
import { addLines, noEvents, type RunEvents } from "./run-events"
import type { RunFiles } from "./run-files"

/** Milliseconds between two looks. */
const lookEvery = 1000
/** A run that said nothing for so long has ended, or was killed. */
const liveFor = 3 * 60_000
/** Runs that are quiet are looked at once in so many turns. */
const quietTurns = 10

interface Followed {
  readonly file: GrowingFile
  events: RunEvents
  isKnown: boolean
  trouble: string | undefined
}

export class FollowedRuns {
  private readonly followed = new Map<string, Followed>()
  private readonly abort = new AbortController()
  private timer: ReturnType<typeof setTimeout> | undefined
  private turn = 0
  private isBusy = false

  constructor(
    private readonly files: RunFiles,
    /** Something came of some run. */
    private readonly tell: () => void,
    /** Asked at each turn for what else is to be looked at. */
    private readonly alsoLook: (signal: AbortSignal) => Promise<unknown>,
    private readonly isSeen: () => boolean,
  ) {
    this.timer = setTimeout(() => void this.look(), lookEvery)
  }

  follow(paths: readonly string[]): void {
    for (const path of [...this.followed.keys()]) if (!paths.includes(path)) this.followed.delete(path)
    let isNew = false
    for (const path of paths) {
      if (this.followed.has(path)) continue
      isNew = true
      const file = new GrowingFile(() => this.files.address(join(path, "events.jsonl")))
      this.followed.set(path, { file, events: noEvents(), isKnown: false, trouble: undefined })
    }
    if (isNew) this.soon()
  }

  events(path: string): RunEvents | undefined {
    const followed = this.followed.get(path)
    return followed?.isKnown ? followed.events : undefined
  }

  trouble(path: string): string | undefined {
    return this.followed.get(path)?.trouble
  }

  /** Whether its events say that it goes on, and the last one is not long ago. */
  isLive(path: string): boolean {
    const events = this.events(path)
    return events?.stage !== undefined && Date.now() - (events.lastAt ?? 0) < liveFor
  }

  dispose(): void {
    clearTimeout(this.timer)
    this.abort.abort()
    this.followed.clear()
  }

  /** Without waiting for the next turn. */
  soon(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.look(), 0)
  }

  private async look(): Promise<void> {
    if (this.isBusy || this.abort.signal.aborted) return
    this.isBusy = true
    this.turn++
    try {
      if (this.isSeen()) {
        const due = [...this.followed].filter(([path, { isKnown }]) => !isKnown || this.isLive(path) || this.turn % quietTurns === 0)
        const have = await Promise.all(due.map(([path, followed]) => this.lookAt(path, followed)))
        if (this.turn % 3 === 0) await this.alsoLook(this.abort.signal).catch(() => {})
        if (have.includes(true)) this.tell()
      }
    } finally {
      this.isBusy = false
      const isWaited = [...this.followed.values()].some(({ isKnown, trouble }) => !isKnown && trouble === undefined)
      clearTimeout(this.timer)
      if (!this.abort.signal.aborted) this.timer = setTimeout(() => void this.look(), isWaited && this.isSeen() ? 0 : lookEvery)
    }
  }

  private async lookAt(path: string, followed: Followed): Promise<boolean> {
    try {
      // Where the run has written no event yet, asking for the file would be an error in the console.
      if (!followed.isKnown && !(await this.files.list(path)).some(({ name }) => name === "events.jsonl")) {
        followed.isKnown = true
        return true
      }
      const { lines, isAnew } = await followed.file.look(this.abort.signal)
      if (isAnew) followed.events = noEvents()
      addLines(followed.events, lines)
      const isNew = !followed.isKnown || lines.length > 0 || isAnew || followed.trouble !== undefined
      followed.isKnown = true
      followed.trouble = undefined
      return isNew
    } catch (error) {
      if (this.abort.signal.aborted) return false
      const isNew = followed.trouble === undefined
      followed.trouble = (error as Error).message
      return isNew
    }
  }
}
