// Stages in a terminal: a line per stage that is written once, a bar only for the one that runs, seconds in one column. When piped, plain lines
// without control codes.
import { describeCells } from "./cell-table"
import { fitTo, onOneLine, padTo, widthOf } from "./plain-text"
import {
  describeProgress,
  type StageOutcome,
  type StageProgress,
  type StageReporter,
  shareDone,
  wordsOfOutcome,
  wordsOfStage,
} from "./reporter"
import { createPaint, type Paint } from "./terminal-paint"
import { wrapText } from "./text/table"
import { formatSeconds } from "./wording"

export interface TerminalReporterOptions {
  /** Where it writes; `columns` and `rows` are read anew for each line. */
  readonly stream: { write(text: string): unknown; readonly columns?: number; readonly rows?: number }
  /** False for pipes and files: no control codes, no colours. */
  readonly isTerminal: boolean
  readonly title?: string
  readonly subtitle?: string
  /** All stages in order, so that those to come are seen. */
  readonly stages?: readonly string[]
  /** For NO_COLOR and TERM. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Milliseconds. Default: `Date.now`. */
  readonly now?: () => number
}

export interface TerminalReporter extends StageReporter {
  /** Ends the part that is rewritten; what follows stands below all lines. */
  close(): void
}

/** Milliseconds between two drawings of the line that runs. */
const drawEvery = 100
/** Milliseconds between two lines about a stage that runs, when piped. */
const lineEvery = 5000
const widest = 110
const secondsColumn = 14
const barColumns = 28
/** Cells of an experiment that have a line while it runs. */
const mostCells = 12

/** A reporter for a terminal or a pipe. */
export function createTerminalReporter(options: TerminalReporterOptions): TerminalReporter {
  const environment = options.environment ?? process.env
  const isTerminal = options.isTerminal && environment.TERM !== "dumb"
  const paint = createPaint(isTerminal && !environment.NO_COLOR)
  if (options.title) options.stream.write(`${renderTitle(options, paint)}\n\n`)
  return isTerminal ? createLiveReporter(options, paint) : createPlainReporter(options)
}

function renderTitle({ title = "", subtitle = "" }: TerminalReporterOptions, paint: Paint): string {
  return [paint.bold(onOneLine(title)), ...(subtitle ? [paint.grey(onOneLine(subtitle))] : [])].join("   ")
}

interface RunningStage {
  readonly startedAt: number
  progress?: StageProgress
}

function createLiveReporter({ stream, stages = [], now = Date.now }: TerminalReporterOptions, paint: Paint): TerminalReporter {
  const running = new Map<string, RunningStage>()
  const seen = new Set<string>()
  const nameColumns = Math.min(24, Math.max(16, ...stages.map((stage) => widthOf(wordsOfStage(stage)))) + 2)
  let liveLines = 0
  let drawnAt = 0
  let timer: ReturnType<typeof setInterval> | undefined

  const columns = () => Math.min(widest, Math.max(39, (stream.columns ?? 80) - 1))
  /** Writes `lines` for good, above what is rewritten. */
  const draw = (lines: readonly string[] = []) => {
    const pending = stages.filter((stage) => !seen.has(stage)).map((stage) => `  ${paint.grey(`· ${wordsOfStage(stage)}`)}`)
    const live = [...running].flatMap(([stage, state]) => [
      renderRunning(stage, state, now(), nameColumns, columns(), paint),
      ...describeCells(state.progress?.cells ?? [], mostCells).map((line) => `      ${paint.grey(fitTo(line, columns() - 6))}`),
    ])
    // A region taller than the window could not be rewritten.
    const shown = running.size > 0 ? [...live, ...pending].slice(0, Math.max(1, (stream.rows ?? 24) - 2)) : []
    const back = liveLines > 0 ? `\u001b[${liveLines}A\u001b[0J` : ""
    if (back !== "" || lines.length + shown.length > 0) stream.write(back + [...lines, ...shown].map((line) => `${line}\n`).join(""))
    liveLines = shown.length
    drawnAt = now()
  }
  const keepDrawing = () => {
    if (running.size > 0 && timer === undefined) {
      timer = setInterval(draw, 500)
      timer.unref?.()
    } else if (running.size === 0 && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
    }
  }
  return {
    stageStarted(stage) {
      seen.add(stage)
      running.set(stage, { startedAt: now() })
      keepDrawing()
      draw()
    },
    stageProgress(stage, progress) {
      const state = running.get(stage)
      if (!state) return
      state.progress = progress
      if (now() - drawnAt >= drawEvery) draw()
    },
    stageEnded(stage, outcome) {
      seen.add(stage)
      running.delete(stage)
      keepDrawing()
      draw([renderEnded(stage, outcome, nameColumns, columns(), paint)])
    },
    notice(sentence) {
      draw(wrapText(sentence, columns() - 4).map((line, index) => `  ${index === 0 ? paint.orange("!") : " "} ${line}`))
    },
    close() {
      running.clear()
      keepDrawing()
      draw()
    },
  }
}

function renderEnded(stage: string, outcome: StageOutcome, nameColumns: number, columns: number, paint: Paint): string {
  const mark = { done: paint.green("✓"), partial: paint.orange("!"), failed: paint.red("✗") }[outcome.status]
  const room = Math.max(0, columns - 4 - nameColumns - secondsColumn)
  const early = outcome.status === "partial" ? "ended early: " : ""
  const summary = padTo(fitTo(early + onOneLine(outcome.summary), room), room)
  const seconds = padTo(outcome.isReused ? "from the run" : formatSeconds(outcome.seconds), secondsColumn, true)
  return `  ${mark} ${padTo(fitTo(wordsOfStage(stage), nameColumns - 1), nameColumns)}${summary}${paint.grey(seconds)}`
}

function renderRunning(
  stage: string,
  { startedAt, progress }: RunningStage,
  now: number,
  nameColumns: number,
  columns: number,
  paint: Paint,
): string {
  const head = `  ${paint.orange("•")} ${padTo(fitTo(wordsOfStage(stage), nameColumns - 1), nameColumns)}`
  const elapsed = formatSeconds((now - startedAt) / 1000)
  const room = Math.max(secondsColumn, columns - 4 - nameColumns)
  if (!progress) return head + padTo("", room - secondsColumn) + paint.grey(padTo(elapsed, secondsColumn, true))
  const { where, rate, left } = describeProgress(progress)
  const share = shareDone(progress)
  const end =
    left === "" ? paint.grey(padTo(elapsed, secondsColumn, true)) : paint.orange(padTo(fitTo(left, secondsColumn), secondsColumn, true))
  const words = [where, rate].filter(Boolean).join("   ")
  const bar = share === undefined || room < 60 ? "" : `${renderBar(share, Math.min(barColumns, room - 40), paint)}  `
  const wordsRoom = room - secondsColumn - (bar === "" ? 0 : Math.min(barColumns, room - 40) + 2)
  return head + bar + padTo(fitTo(words, wordsRoom), wordsRoom) + end
}

function renderBar(share: number, columns: number, paint: Paint): string {
  const full = Math.round(share * columns)
  return paint.blue("━".repeat(full)) + paint.grey("━".repeat(columns - full))
}

function createPlainReporter({ stream, now = Date.now }: TerminalReporterOptions): TerminalReporter {
  let writtenAt = now()
  const write = (line: string) => {
    stream.write(`${line}\n`)
    writtenAt = now()
  }
  return {
    // The first line about a stage comes when it has run for a while.
    stageStarted() {
      writtenAt = now()
    },
    stageProgress(stage, progress) {
      if (now() - writtenAt < lineEvery) return
      const { where, rate, left } = describeProgress(progress)
      const share = shareDone(progress)
      write(
        `${wordsOfStage(stage)}: ${[where, share === undefined ? "" : `${Math.floor(share * 100)}%`, rate, left].filter(Boolean).join(", ")}`,
      )
    },
    stageEnded(stage, outcome) {
      const how = wordsOfOutcome(outcome)
      const end = outcome.isReused ? how : formatSeconds(outcome.seconds)
      write(`${wordsOfStage(stage)}: ${how && !outcome.isReused ? `${how}: ` : ""}${onOneLine(outcome.summary)} (${end})`)
    },
    notice(sentence) {
      write(onOneLine(sentence))
    },
    close() {},
  }
}
