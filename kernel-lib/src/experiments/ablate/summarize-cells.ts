// From runs to a table: what each cell scores over its seeds, against the reference, and at what cost.
import { metricNamed } from "../../measures"
import type { TrainedCell } from "../runners/train-cell"
import { meanOf } from "../student-t"
import type { AblationCell, AblationData, CellScore } from "./ablation-data"
import type { Cell } from "./cells"
import {
  adjustByHolm,
  type CellComparison,
  compareRight,
  compareSeeds,
  isRightOrWrong,
  type SeedAnswers,
  scoreSeeds,
} from "./compare-cells"
import type { PreparedCell } from "./prepare-cell"
import { type Prices, priceOf } from "./price-requests"

/** How a cell's run from one seed ended. */
export type RunOutcome =
  | { readonly prepared: PreparedCell; readonly trained: TrainedCell; readonly stages: readonly string[] }
  | { readonly failure: string }

/** A cell's run from one seed, without what is large. */
export interface CellRun {
  readonly cell: Cell
  readonly seed: number
  /** Undefined where it failed. */
  readonly answers?: readonly string[]
  readonly trainRows: number
  readonly asked: PreparedCell["asked"]
  readonly annotatedRows: number
  readonly rowsRead: number
  readonly stages: readonly string[]
  readonly notes: readonly string[]
}

export function describeRun(cell: Cell, seed: number, outcome: RunOutcome): CellRun {
  if ("failure" in outcome) {
    const nothing = { trainRows: 0, asked: [], annotatedRows: 0, rowsRead: 0, stages: [] }
    return { cell, seed, ...nothing, notes: [`seed ${seed} failed: ${outcome.failure.replace(/\.$/, "")}`] }
  }
  const { prepared, trained, stages } = outcome
  const { train, validation } = prepared.splits
  const { steps, settings, refusedRows, status, reason } = trained.outcome
  const rows = train.length - refusedRows
  const stepsAnEpoch = Math.ceil(rows / (settings.batchSize * settings.accumulation))
  return {
    cell,
    seed,
    answers: trained.answers,
    trainRows: train.length,
    asked: prepared.asked,
    annotatedRows: [...train.provenance, ...validation.provenance].filter(({ kind }) => kind === "annotated").length,
    rowsRead: Math.round((steps / stepsAnEpoch) * rows),
    stages,
    notes: [...prepared.notes, ...(status === "partial" ? [`training from seed ${seed} ended early: ${reason}`] : [])],
  }
}

interface SummaryOptions {
  readonly cells: readonly Cell[]
  readonly reference: Cell
  readonly seeds: readonly number[]
  readonly metrics: readonly string[]
  readonly expected: readonly string[]
  /** Of the bootstrap. */
  readonly seed: number
  readonly prices: Prices
  readonly usdPerRow: number
}

/** @param runs of all cells, in the order in which they were run */
export function summarizeCells(
  runs: readonly CellRun[],
  options: SummaryOptions,
): Pick<AblationData, "metrics" | "seeds" | "reference" | "testRows" | "cells"> {
  const { cells, reference, seeds, metrics, expected } = options
  const shared = countShared(runs)
  const ofReference = answersOf(runs, reference)
  const summaries = cells.map((cell) => {
    const own = runs.filter((run) => run.cell === cell)
    const done = own.filter(({ answers }) => answers !== undefined)
    const answers = answersOf(runs, cell)
    const mean = (value: (run: CellRun) => number) => (done.length === 0 ? 0 : meanOf(done.map(value)))
    const isReference = cell === reference
    return {
      ...{ name: cell.name, switches: cell.switches, isReference, seeds: done.map(({ seed }) => seed) },
      status: done.length > 0 ? ("done" as const) : ("failed" as const),
      scores: done.length > 0 ? scoreAll(answers, options) : {},
      compared: isReference || done.length === 0 ? undefined : compareAll(answers, ofReference, options),
      mcNemar:
        isReference || done.length === 0 || !isRightOrWrong(metrics[0])
          ? undefined
          : compareRight(answers, ofReference, expected, metricNamed(metrics[0])),
      trainRows: mean(({ trainRows }) => trainRows),
      cost: {
        usd: mean(({ asked, annotatedRows }) => priceOf(asked, options.prices) + annotatedRows * options.usdPerRow),
        requests: mean(({ asked }) => asked.reduce((sum, { requests }) => sum + requests, 0)),
        annotatedRows: mean(({ annotatedRows }) => annotatedRows),
        rowsRead: mean(({ rowsRead }) => rowsRead),
      },
      stages: {
        all: own.reduce((sum, { stages }) => sum + stages.length, 0),
        shared: own.reduce((sum, run) => sum + (shared.get(run) ?? 0), 0),
      },
      notes: [...new Set(own.flatMap(({ notes }) => notes))],
    }
  })
  return { metrics, seeds, reference: reference.name, testRows: expected.length, cells: adjustAll(summaries, metrics) }
}

function answersOf(runs: readonly CellRun[], cell: Cell): SeedAnswers[] {
  return runs.flatMap((run) => (run.cell === cell && run.answers ? [{ seed: run.seed, answers: run.answers }] : []))
}

function scoreAll(answers: readonly SeedAnswers[], { metrics, expected, seed }: SummaryOptions): Record<string, CellScore> {
  return Object.fromEntries(metrics.map((name) => [name, scoreSeeds(answers, expected, metricNamed(name), seed)]))
}

function compareAll(answers: readonly SeedAnswers[], reference: readonly SeedAnswers[], { metrics, expected, seed }: SummaryOptions) {
  const compared = metrics.map((name) => [name, compareSeeds(answers, reference, expected, metricNamed(name), seed)] as const)
  return compared.every(([, difference]) => difference !== undefined)
    ? Object.fromEntries(compared.map(([name, difference]) => [name, { ...difference!, adjustedP: difference!.p }]))
    : undefined
}

type Summary = Omit<AblationCell, "againstReference"> & { readonly compared?: Readonly<Record<string, CellComparison>> }

/** Each metric's comparisons are a family of their own. */
function adjustAll(summaries: readonly Summary[], metrics: readonly string[]): AblationCell[] {
  const compared = summaries.filter((summary) => summary.compared !== undefined)
  const adjusted = new Map(metrics.map((name) => [name, adjustByHolm(compared.map((summary) => summary.compared![name].p))]))
  return summaries.map((summary) => {
    const { compared: own, ...cell } = summary
    const at = compared.indexOf(summary)
    return own
      ? {
          ...cell,
          againstReference: Object.fromEntries(metrics.map((name) => [name, { ...own[name], adjustedP: adjusted.get(name)![at] }])),
        }
      : cell
  })
}

/** How many of each run's stages an earlier run went through with the same inputs. */
function countShared(runs: readonly CellRun[]): Map<CellRun, number> {
  const known = new Set<string>()
  return new Map(
    runs.map((run) => {
      const count = run.stages.filter((stage) => known.has(stage)).length
      for (const stage of run.stages) known.add(stage)
      return [run, count]
    }),
  )
}
