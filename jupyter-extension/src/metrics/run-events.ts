// events.jsonl of a run as series of figures: what is appended is read and added, line by line. Nothing of it is trusted.

export type AxisName = "step" | "tokens" | "time"

/** One training's logged points; the three axes and each figure have the same length in their group. */
export interface Training {
  /** Of the stage's work: the same after an interrupt. */
  readonly fingerprint: string
  settings: Readonly<Record<string, unknown>>
  readonly steps: PointList
  readonly validation: PointList
}

export interface PointList {
  readonly step: number[]
  readonly tokens: number[]
  readonly time: number[]
  /** By figure: `loss`, `learningRate`, `gradientNorm`, `tokensPerSecond`. */
  readonly figures: Record<string, number[]>
}

export interface RunEvents {
  readonly trainings: Training[]
  /** The stage that began last and has not ended. */
  stage: string | undefined
  /** The stage whose error was the last word, and what it said. */
  failure: string | undefined
  lastAt: number | undefined
  firstAt: number | undefined
  usd: number
  requests: number
  /** Lines that are none of ours. */
  unreadable: number
}

export const figuresOfSteps = ["loss", "learningRate", "gradientNorm", "tokensPerSecond"] as const

export function noEvents(): RunEvents {
  return {
    ...{ trainings: [], stage: undefined, failure: undefined, lastAt: undefined, firstAt: undefined },
    ...{ usd: 0, requests: 0, unreadable: 0 },
  }
}

/** Adds whole lines. */
export function addLines(events: RunEvents, lines: readonly string[]): void {
  for (const line of lines) {
    if (line.trim() === "") continue
    try {
      const event: unknown = JSON.parse(line)
      if (typeof event === "object" && event !== null && !Array.isArray(event)) addEvent(events, event as Fields)
      else events.unreadable++
    } catch {
      events.unreadable++
    }
  }
}

type Fields = Readonly<Record<string, unknown>>

function addEvent(events: RunEvents, event: Fields): void {
  const at = typeof event.at === "string" ? Date.parse(event.at) : Number.NaN
  if (!Number.isNaN(at)) {
    events.lastAt = at
    events.firstAt ??= at
  }
  switch (event.type) {
    case "stage.started":
      events.stage = textOf(event.stage)
      events.failure = undefined
      if (event.stage === "fineTune") findTraining(events, textOf(event.fingerprint))
      break
    case "stage.ended":
    case "stage.reused":
      events.stage = undefined
      break
    case "stage.failed":
      events.stage = undefined
      events.failure = textOf(event.message)
      break
    case "teacher.response":
      events.usd += numberOf(event.usd) ?? 0
      events.requests++
      break
    case "training.started":
      beginTraining(events, event)
      break
    case "training.step":
      addPoint(currentTraining(events).steps, event, figuresOfSteps)
      break
    case "training.validation":
      addPoint(currentTraining(events).validation, { ...lastPlace(currentTraining(events).steps), ...event }, ["loss"])
      break
  }
}

function findTraining(events: RunEvents, fingerprint: string): Training {
  const found = events.trainings.findIndex((training) => training.fingerprint === fingerprint)
  const training = found < 0 ? { fingerprint, settings: {}, steps: noPoints(), validation: noPoints() } : events.trainings[found]
  // The one that was begun last stands last.
  if (found >= 0) events.trainings.splice(found, 1)
  events.trainings.push(training)
  return training
}

function currentTraining(events: RunEvents): Training {
  return events.trainings.at(-1) ?? findTraining(events, "")
}

/** A training that goes on from a checkpoint takes the steps after it anew. */
function beginTraining(events: RunEvents, event: Fields): void {
  const training = currentTraining(events)
  if (typeof event.settings === "object" && event.settings !== null) training.settings = event.settings as Fields
  const step = numberOf(event.step) ?? 0
  for (const points of [training.steps, training.validation]) cutAfter(points, step)
}

function cutAfter(points: PointList, step: number): void {
  const kept = points.step.filter((known) => known <= step).length
  for (const list of [points.step, points.tokens, points.time, ...Object.values(points.figures)]) list.length = Math.min(kept, list.length)
}

function addPoint(points: PointList, event: Fields, names: readonly string[]): void {
  const step = numberOf(event.step)
  if (step === undefined) return
  if (step <= (points.step.at(-1) ?? -1)) cutAfter(points, step - 1)
  points.step.push(step)
  points.tokens.push(numberOf(event.tokens) ?? points.tokens.at(-1) ?? 0)
  points.time.push(numberOf(event.seconds) ?? points.time.at(-1) ?? 0)
  for (const name of names) {
    points.figures[name] ??= []
    const list = points.figures[name]
    while (list.length < points.step.length - 1) list.push(Number.NaN)
    list.push(numberOf(event[name]) ?? Number.NaN)
  }
}

function lastPlace({ tokens, time }: PointList) {
  return { tokens: tokens.at(-1), seconds: time.at(-1) }
}

function noPoints(): PointList {
  return { step: [], tokens: [], time: [], figures: {} }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 400) : ""
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}
