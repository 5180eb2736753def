// Run folders as the library writes them, as many as a test or the benchmark wants: with curves, scores, reports and an ablation.
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { payloadVersion, type RunIndexEntry, runIndexFile } from "../../kernel-lib/src/display/payloads"

/** The same number for the same place, whoever asks; 0 to below 1. */
function chance(...places: readonly number[]): number {
  let mixed = 0x5bd1e995
  for (const place of places) {
    mixed = Math.imul(mixed ^ (place + 0x9e3779b9), 0x45d9f3b)
    mixed ^= mixed >>> 15
  }
  return ((Math.imul(mixed, 0x2c1b3c6d) ^ (mixed >>> 13)) >>> 0) / 2 ** 32
}

export interface MadeRun {
  readonly name: string
  readonly seed: number
  readonly learningRate: number
  readonly steps: number
  /** Where its loss ends. */
  readonly floor: number
}

export const settingsOf = ({ learningRate }: MadeRun) => ({
  ...{ epochs: 10, batchSize: 64, optimizer: "adamw", learningRate, schedule: "linear", weightDecay: 0.1 },
})

/** The lines of a training's events, one for each ten steps and each epoch. */
export function eventsOf(run: MadeRun, until = run.steps): string[] {
  const began = Date.parse("2026-11-20T09:00:00Z")
  const line = (seconds: number, event: object) => JSON.stringify({ at: new Date(began + 1000 * seconds).toISOString(), ...event })
  const fingerprint = `${run.name}-training`
  const lines = [
    line(0, { stage: "fineTune", type: "stage.started", fingerprint }),
    line(1, { stage: "fineTune", type: "training.started", rows: 4443, step: 0, engine: "onnx", settings: settingsOf(run) }),
  ]
  for (let step = 10; step <= until; step += 10) {
    const falling = 4.4 * Math.exp(-step / (70 * (0.002 / run.learningRate) ** 0.5)) + run.floor
    const loss = falling * (1 + 0.16 * (chance(step, run.seed, run.learningRate * 1e6) - 0.5))
    const seconds = step / 8
    const warm = Math.min(1, step / (0.05 * run.steps))
    const learningRate = run.learningRate * warm * (1 - step / run.steps)
    const figures = { learningRate, gradientNorm: 2.4 * falling ** 0.4 * (0.8 + 0.4 * chance(step, run.seed)), epoch: step / 70 }
    const tokens = step * 1790
    lines.push(
      line(seconds, {
        stage: "fineTune",
        type: "training.step",
        step,
        loss,
        ...figures,
        tokens,
        seconds,
        tokensPerSecond: tokens / seconds,
      }),
    )
    if (step % 70 === 0)
      lines.push(line(seconds, { stage: "fineTune", type: "training.validation", step, epoch: step / 70, loss: falling * 1.06 + 0.01 }))
  }
  if (until >= run.steps)
    lines.push(line(run.steps / 8, { stage: "fineTune", type: "stage.ended", fingerprint, status: "done", seconds: run.steps / 8 }))
  return lines
}

export function scoresOf(run: MadeRun): RunIndexEntry["scores"] {
  const value = Math.min(0.99, Math.max(0.02, 1 - 1.6 * run.floor + 0.03 * (chance(run.seed, 7) - 0.5)))
  const half = 1.96 * Math.sqrt((value * (1 - value)) / 256)
  return { exactMatch: { value, low: Math.max(0, value - half), high: Math.min(1, value + half) }, "chrF++": { value: 60 + 40 * value } }
}

/** @param folder where run folders stand */
export function writeRun(folder: string, run: MadeRun, { hasIndex = true, at = "2026-11-20T09:02:00.000Z" } = {}): void {
  const path = join(folder, run.name)
  mkdirSync(path, { recursive: true })
  const configuration = { teacher: "simulated/dates-2/seed-0", hub: "bundled d769c92be49d25ec", seed: run.seed, engine: "auto" }
  const scores = scoresOf(run)
  const values = Object.fromEntries(Object.entries(scores).map(([name, { value }]) => [name, value]))
  const spending = { usd: Number((0.05 + 0.4 * chance(run.seed, run.learningRate * 1e6)).toFixed(4)) }
  const content = { format: 1, status: "done", configuration, training: settingsOf(run), scores: values, spending, seconds: 90 }
  writeFileSync(join(path, "run.json"), JSON.stringify(content))
  writeFileSync(join(path, "events.jsonl"), `${eventsOf(run).join("\n")}\n`)
  if (!hasIndex) return
  const training = Object.fromEntries(Object.entries(settingsOf(run)).map(([name, value]) => [`training.${name}`, value]))
  const entry: RunIndexEntry = {
    ...{ version: payloadVersion, run: run.name, at, status: "done", settings: { ...configuration, ...training } },
    ...{ scores, usd: spending.usd, seconds: 90 },
  }
  appendFileSync(join(folder, runIndexFile), `${JSON.stringify(entry)}\n`)
}

/** `count` runs: five learning rates from three seeds, again and again. */
export function makeRuns(count: number): MadeRun[] {
  const rates = [0.0005, 0.001, 0.002, 0.004, 0.008]
  return Array.from({ length: count }, (_none, at) => {
    const [rate, seed, sweep] = [at % 5, Math.floor(at / 5) % 3, Math.floor(at / 15)]
    const name = `dates-${String(sweep).padStart(2, "0")}-lr${rates[rate]}-s${seed + 1}`
    return {
      name,
      seed: seed + 1,
      learningRate: rates[rate],
      steps: 700,
      floor: 0.02 + 0.12 * Math.abs(Math.log2(rates[rate] / 0.002)) * 0.5 + 0.02 * chance(seed, rate),
    }
  })
}

const labels = ["joy", "anger", "sadness", "fear"]

/** A report whose rows are dates, or labels. */
export function writeReport(run: string, kind: "dates" | "labels", { hasRows = true } = {}): { readonly wrong: readonly string[] } {
  const folder = join(run, "stages/evaluate-0123456789ab")
  mkdirSync(folder, { recursive: true })
  const rows = Array.from({ length: 240 }, (_none, row) => {
    const expected =
      kind === "labels" ? labels[Math.floor(chance(row, 1) ** 1.5 * 4)] : `${1950 + (row % 70)}-0${1 + (row % 9)}-1${row % 10}`
    const isRight = chance(row, 2) > 0.14
    const other =
      kind === "labels" ? labels[Math.floor(chance(row, 3) * 4)] : row % 3 === 0 ? "" : `${1951 + (row % 70)}${expected.slice(4)}`
    const predicted = isRight ? expected : other
    const isSame = predicted === expected
    return {
      ...{
        row,
        id: `id${row}`,
        input: kind === "labels" ? `What a day, number ${row}` : `the ${row}th day <b>there</b>`,
        expected,
        predicted,
      },
      ...{
        confidence: 0.4 + 0.6 * chance(row, 4),
        score: isSame ? 1 : 0,
        scores: { exactMatch: isSame ? 1 : 0 },
        isRight: isSame,
        answers: {},
      },
    }
  })
  writeFileSync(join(folder, "report.json"), JSON.stringify({ metrics: ["exactMatch"], systems: [], rows, notes: [] }))
  if (hasRows) writeFileSync(join(folder, "rows.jsonl"), rows.map(({ scores, answers, ...row }) => `${JSON.stringify(row)}\n`).join(""))
  return { wrong: rows.filter(({ isRight }) => !isRight).map(({ id }) => id) }
}

export function writeAblation(run: string): void {
  const cell = (name: string, value: number, switches: object, more: object = {}) => ({
    ...{ name, switches, status: "done", isReference: false, seeds: [1, 2, 3], trainRows: 2400, notes: [] },
    scores: {
      exactMatch: { value, low: value - 0.03, high: value + 0.025, perSeed: [value] },
      "chrF++": { value: 100 * value, low: 90, high: 95, perSeed: [] },
    },
    ...{ cost: { usd: 0.41, requests: 900, annotatedRows: 0, rowsRead: 24_000 }, stages: { all: 27, shared: 12 } },
    ...more,
  })
  const against = (value: number, adjustedP: number) => ({
    againstReference: { exactMatch: { value, low: value - 0.02, high: value + 0.02, p: adjustedP, adjustedP } },
  })
  const cells = [
    cell("both, voting", 0.934, { source: "both", voting: true }, { isReference: true }),
    cell("both, no voting", 0.902, { source: "both", voting: false }, { ...against(-0.032, 0.018), cost: { usd: 0.32, rowsRead: 24_000 } }),
    cell(
      "generated only",
      0.871,
      { source: "generated", voting: true },
      { ...against(-0.063, 0.0004), cost: { usd: 0.38, rowsRead: 20_000 } },
    ),
    cell(
      "retrieved only",
      0.634,
      { source: "retrieved", voting: true },
      { ...against(-0.3, 0.0002), cost: { usd: 0.02, rowsRead: 12_000 } },
    ),
  ]
  const ablation = {
    metrics: ["exactMatch", "chrF++"],
    seeds: [1, 2, 3],
    reference: "both, voting",
    testRows: 256,
    cells,
    reuse: {},
    isTeacherSimulated: true,
  }
  writeFileSync(join(run, "ablation-0a1b2c3d.json"), JSON.stringify(ablation))
}
