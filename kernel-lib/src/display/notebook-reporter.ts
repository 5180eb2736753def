// Stages in a notebook: one display per stage, updated while it runs and left in its final state.
import { randomUUID } from "node:crypto"
import { tabulateCells } from "./cell-table"
import { type Payload, type ProgressPayload, payloadVersion, type TrainingPayload } from "./payloads"
import { describeProgress, type StageProgress, type StageReporter, wordsOfOutcome, wordsOfStage } from "./reporter"
import { bundleOf, type MimeBundle } from "./self-showing"
import { sendDisplay } from "./tslab-hook"
import { formatSeconds } from "./wording"

export interface NotebookReporterOptions {
  /** Sends or updates a display. Default: tslab's. */
  readonly send?: (bundle: MimeBundle, options: { id?: string; isUpdate?: boolean }) => void
  /** Milliseconds. Default: `Date.now`. */
  readonly now?: () => number
}

/** Milliseconds between two updates of a display. */
const updateEvery = 200
/** A stage that ends sooner than this was never seen running: it leaves only its final line. */
const seenAfter = 300

interface StageDisplay {
  readonly id: string
  readonly startedAt: number
  updatedAt: number
  isShown: boolean
}

/** A reporter for notebooks: at most five updates a second, and every stage ends in one line. */
export function createNotebookReporter({ send = sendDisplay, now = Date.now }: NotebookReporterOptions = {}): StageReporter {
  const displays = new Map<string, StageDisplay>()
  const show = (display: StageDisplay, payload: Payload) => {
    send(bundleOf(payload), { id: display.id, isUpdate: display.isShown })
    display.isShown = true
    display.updatedAt = now()
  }
  const open = (): StageDisplay => ({
    id: `prompt2model-${randomUUID()}`,
    startedAt: now(),
    updatedAt: Number.NEGATIVE_INFINITY,
    isShown: false,
  })
  return {
    stageStarted(stage) {
      displays.set(stage, open())
    },
    stageProgress(stage, progress) {
      const display = displays.get(stage)
      if (!display || now() - display.startedAt < seenAfter || now() - display.updatedAt < updateEvery) return
      const { where, rate, left } = describeProgress(progress)
      const words = [where, rate, left].filter(Boolean).join(", ")
      const table = progress.cells && tabulateCells(wordsOfStage(stage), words, progress.cells)
      show(
        display,
        table ??
          curveOf(stage, words, progress) ??
          payloadOf(stage, words, { done: progress.done, total: progress.total, isRunning: true }),
      )
    },
    stageEnded(stage, outcome) {
      const display = displays.get(stage) ?? open()
      displays.delete(stage)
      const how = wordsOfOutcome(outcome)
      const words = [
        how && !outcome.isReused ? `${how}: ${outcome.summary}` : outcome.summary,
        outcome.isReused ? how : formatSeconds(outcome.seconds),
      ]
      show(display, payloadOf(stage, words.filter(Boolean).join(", "), { done: 1, total: 1, isRunning: false }))
    },
    notice(sentence) {
      show(open(), payloadOf("note", sentence, { done: 1, total: 1, isRunning: false }))
    },
  }
}

function payloadOf(stage: string, subtitle: string, state: Pick<ProgressPayload, "done" | "total" | "isRunning">): ProgressPayload {
  return { kind: "progress", version: payloadVersion, title: wordsOfStage(stage), subtitle, ...state }
}

/** Points of a curve that is drawn five times a second. */
const mostPoints = 200

/** The losses of a training that runs, once there is a line to draw; the display of its end takes their place. */
function curveOf(stage: string, subtitle: string, { losses, total = 0, run }: StageProgress): TrainingPayload | undefined {
  if (!losses || losses.train.length < 2) return undefined
  const every = Math.ceil(losses.train.length / mostPoints)
  return {
    kind: "training",
    version: payloadVersion,
    title: wordsOfStage(stage),
    subtitle,
    facts: [],
    train: losses.train.filter((_, index) => index % every === 0 || index === losses.train.length - 1),
    validation: [...losses.validation],
    totalSteps: total,
    isRunning: true,
    ...(run !== undefined && { run }),
  }
}
