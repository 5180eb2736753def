// ablate: a prompt and switches in, a table out of what each switch does. Cells share every stage that has the same inputs, and a process
// that was killed goes on from the stages in the run's folder.
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError, isPrompt2ModelError, messageOf } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { Run, RunEvent } from "../../core/run"
import type { Teacher } from "../../core/teacher"
import { formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"
import { writeFileAtomically } from "../../store/atomic"
import type { FolderRun } from "../../store/run"
import { readStageRecord } from "../../store/stage-records"
import { deriveRun, folderOf, runExperiment } from "../experiment-run"
import { CellTable } from "../runners/cell-table"
import { Cells, type FoundResult } from "../runners/cells"
import { chooseRunner, type RunnerOptions } from "../runners/choose-runner"
import { fingerprintWork, type TrainingWork, trainCell } from "../runners/train-cell"
import { Ablation } from "./ablation"
import { type Cell, type CellChoice, findReference, type Grid, listCells } from "./cells"
import { type PreparedCell, prepareCell, SharedStages } from "./prepare-cell"
import { priceRequests } from "./price-requests"
import { type CellRun, describeRun, type RunOutcome, summarizeCells } from "./summarize-cells"
import type { CellPlan, Switches } from "./switches"

export interface AblateOptions extends RunnerOptions {
  /** With a folder: all stages of all cells are kept there, and found there again. */
  readonly run: Run
  /** For each switch the values to try, every combination of which is a cell; or `cells`. */
  readonly grid?: Grid
  /** Cells one by one, each with a name if it is to have one. */
  readonly cells?: readonly CellChoice[]
  /** Each cell is run from each of these. Default: the run's seed alone. */
  readonly seeds?: readonly number[]
  /** What a seed changes: `everything`, the teacher's rows and splits too, or the `training` alone, which costs the teacher once. Default `everything`. */
  readonly seedsChange?: "everything" | "training"
  /** The cell that the others are compared with, by its name or its switches. Default: the first one. */
  readonly reference?: string | Switches
  /** Rows with right answers; all cells are scored on them. Rows of a named group are left out. */
  readonly test: Dataset
  /** The first one decides comparisons and frontier. Default exact match and chrF++. */
  readonly metrics?: readonly string[]
  /** Rows of one's own, for the sources `own` and `all`. */
  readonly own?: Dataset
  /** What a row of `own` cost, for the table's costs. Default $0. */
  readonly annotation?: { readonly usdPerRow: number }
  /** Teachers for the switch `teacher`, by the name that the table gives them; the run's caps hold for all of them together. */
  readonly teachers?: Readonly<Record<string, Teacher>>
  /** What holds for all cells, unless a switch says otherwise. */
  readonly numExamples?: number
  readonly generation?: CellPlan["generation"]
  readonly training?: CellPlan["training"]
  /** Interrupts; the same call goes on from there. */
  readonly signal?: AbortSignal
}

/**
 * Runs every cell from every seed and compares them on the same test rows. The table has mean scores with 95% intervals, differences from the
 * reference with p-values, costs, and how much was shared. A cell that cannot be run is a row that says why.
 *
 * The run's teacher, hub and cap on money hold for all cells together, wherever they are trained: this process alone asks the teacher. Threads
 * change the order of sums, so that cells in processes of their own may differ in the last digits from cells that ran one by one.
 *
 * @throws InputError `ablate.*`, `experiment.*`, `runner.*`, `queue.*`, `metric.unknown`; ServiceError `queue.unreachable`; InterruptedError
 * @example
 * const run = await openRun("runs/ablation", { teacher: simulatedTeacher(), hub })
 * const test = own.take(8)
 * const grid = { source: ["generated" as const], voting: [true, false] }
 * const ablation = await ablate(text, { run, test, grid, numExamples: 12, training: { epochs: 1 } })
 * ablation.cells[1].againstReference?.exactMatch.p
 */
export async function ablate(text: string, options: AblateOptions): Promise<Ablation> {
  const run = folderOf(options.run, "ablate")
  const { own, numExamples, generation = {}, training = {}, seeds = [run.seed], metrics = ["exactMatch", "chrF++"] } = options
  const teachers = Object.fromEntries(Object.entries(options.teachers ?? {}).map(([name, teacher]) => [name, run.admit(teacher)]))
  const cells = listCells(options, {
    ...{ hasOwn: own !== undefined, teachers: Object.keys(teachers), generation, training },
    ...(numExamples !== undefined && { numExamples }),
  })
  const reference = findReference(cells, options.reference)
  const runner = chooseRunner(options)
  const test = mainRowsOf(options.test)
  for (const name of metrics) metricNamed(name)
  if (metrics.length === 0) throw new InputError("evaluate.no-metrics", 'Name at least one metric, for instance metrics: ["exactMatch"].')
  if (seeds.length === 0 || new Set(seeds).size < seeds.length)
    throw new InputError("ablate.seeds", "Give at least one seed, and each once, for instance seeds: [1, 2, 3].")
  return runExperiment("ablate", run, options.signal, async ({ signal, progress }) => {
    const before = { ...run.spending }
    const trainers = runner && (await Cells.open(runner, { run, signal }))
    const found = await findTrainings(trainers ?? run)
    const names = seeds.flatMap((seed) => cells.map(({ name }) => (seeds.length > 1 ? `${name}, seed ${seed}` : name)))
    const table = new CellTable(names, "runs", progress)
    const runs = await runCells(text, cells, { ...options, teachers, test, metrics, seeds, run, signal, found, trainers, table }).finally(
      () => trainers?.close(),
    )
    const { requestsSent, requestsReused } = run.spending
    const ablation = new Ablation({
      ...summarizeCells(runs, {
        cells,
        reference,
        seeds,
        metrics,
        expected: test.outputs,
        seed: run.seed,
        prices: await priceRequests(run),
        usdPerRow: options.annotation?.usdPerRow ?? 0,
      }),
      isTeacherSimulated: cells.some(
        ({ plan }) => (plan.teacher === undefined ? run.teacher : teachers[plan.teacher])?.isSimulated ?? false,
      ),
      reuse: {
        stages: runs.reduce((sum, { stages }) => sum + stages.length, 0),
        different: new Set(runs.flatMap(({ stages }) => stages)).size,
        found: found.reused.size,
        requests: { sent: requestsSent - before.requestsSent, reused: requestsReused - before.requestsReused },
      },
    })
    const key = fingerprintOf([text, cells.map(({ plan }) => plan), seeds, test.fingerprint, metrics]).slice(0, 8)
    await writeFileAtomically(join(run.folder, `ablation-${key}.json`), `${JSON.stringify(ablation, null, 2)}\n`)
    run.record({ type: "ablation.done", cells: cells.length, seeds, reuse: ablation.reuse })
    const { value } = ablation.cells.find(({ isReference }) => isReference)?.scores[metrics[0]] ?? {}
    const { label, scale } = metricNamed(metrics[0])
    return { result: ablation, summary: `${cells.length} cells, reference ${label} ${formatScore(value, scale)}` }
  })
}

/** What differs between the paper's source ablation and any other is the cells alone. */
export interface AblateSourcesOptions extends Omit<AblateOptions, "grid" | "cells"> {
  /** Switches that all cells share. */
  readonly switches?: Omit<Switches, "source">
}

/**
 * The paper's source ablation on any task: rows retrieved and generated together, either of them alone and, where `own` rows are given, those
 * alone (custom annotation, at what `annotation` says that they cost). The reference is both.
 *
 * @throws as `ablate`
 */
export function ablateSources(text: string, { switches, ...options }: AblateSourcesOptions): Promise<Ablation> {
  const sources = ["both", "retrieved", "generated", ...(options.own ? (["own"] as const) : [])] as const
  const names = { both: "retrieval and generation", retrieved: "retrieval only", generated: "generation only", own: "custom annotation" }
  return ablate(text, { ...options, cells: sources.map((source) => ({ ...switches, source, name: names[source] })) })
}

interface RunCellsOptions extends AblateOptions {
  readonly run: FolderRun
  readonly seeds: readonly number[]
  readonly metrics: readonly string[]
  readonly signal: AbortSignal
  readonly found: FoundTrainings
  readonly trainers: Cells | undefined
  readonly table: CellTable
}

/** All runs; a seed's cells stand together, so that they find its stages in memory. */
async function runCells(text: string, cells: readonly Cell[], options: RunCellsOptions): Promise<CellRun[]> {
  const { run, seeds, signal, test, own, seedsChange = "everything", teachers = {}, found, trainers, table, metrics } = options
  const shared = new SharedStages()
  const pending: Promise<CellRun>[] = []
  try {
    for (const seed of seeds) {
      for (const cell of cells) {
        const at = pending.length
        const teacher = cell.plan.teacher === undefined ? undefined : teachers[cell.plan.teacher]
        const derived = deriveRun(run, { seed, teacher, signal, onEvent: (event) => noteReused(event, found) })
        const dataRun = seedsChange === "everything" ? derived : deriveRun(run, { seed: run.seed, teacher, signal })
        const { outcome } = await startRun(text, cell, { shared, derived, dataRun, test, own, metrics, trainers, table, at, found })
        const finished = outcome.then((known) => {
          if ("failure" in known) table.fail(at, known.failure)
          else table.finish(at)
          return describeRun(cell, seed, known)
        })
        // Awaited below; a failure before that is not an unhandled one.
        finished.catch(() => {})
        pending.push(finished)
        if (!trainers) await finished
      }
    }
    return await Promise.all(pending)
  } finally {
    await Promise.allSettled(pending)
    await shared.dispose()
  }
}

interface StartOptions extends Pick<RunCellsOptions, "test" | "own" | "metrics" | "trainers" | "table" | "found"> {
  readonly shared: SharedStages
  readonly derived: FolderRun
  readonly dataRun: FolderRun
  /** Its line of the table. */
  readonly at: number
}

/** Resolves when the next run may be prepared; `outcome`, which is in an object so that nobody awaits it unasked, when this one is done. */
async function startRun(text: string, { name, plan }: Cell, options: StartOptions): Promise<{ readonly outcome: Promise<RunOutcome> }> {
  const { shared, derived: run, dataRun, test, own, metrics, trainers, table, at, found } = options
  const fail = (error: unknown): RunOutcome => {
    if (!isPrompt2ModelError(error) || error.code === "run.interrupted") throw error
    return { failure: messageOf(error) }
  }
  let prepared: PreparedCell
  let work: TrainingWork
  let training: Promise<FoundResult> | undefined
  try {
    table.hear(at, { state: "running", where: "this process", note: "preparing" })
    prepared = await prepareCell(text, plan, { shared, run, dataRun, test, own })
    const { spec, base, splits } = prepared
    work = { spec, base, train: splits.train, validation: splits.validation, test, training: plan.training, metrics }
    const hear = {
      onNews: table.hear.bind(table, at),
      onEvent: (event: RunEvent) => noteReused(event, found),
    }
    if (trainers) {
      table.hear(at, { state: "waiting", where: "" })
      training = (await trainers.submit(work, { name, seed: run.seed, ...hear })).training
    } else table.hear(at, { state: "running", where: "this process", note: "training" })
  } catch (error) {
    return { outcome: Promise.resolve().then(() => fail(error)) }
  }
  const fingerprint = fingerprintWork(work, run)
  const finish = async (): Promise<RunOutcome> => {
    const result = await training
    if (result?.isFound) for (const stage of result.stages) noteFound(stage, found)
    return {
      prepared,
      trained: result ?? (await trainCell(work, run)),
      stages: [...prepared.stages, `fineTune-${fingerprint}`, `evaluate-${fingerprint}`],
    }
  }
  return { outcome: finish().catch(fail) }
}

interface FoundTrainings {
  /** Folders of the trainings that were done before this call. */
  readonly before: ReadonlySet<string>
  /** Those of them that it took. */
  readonly reused: Set<string>
}

async function findTrainings({ folder }: { readonly folder: string }): Promise<FoundTrainings> {
  const stages = join(folder, "stages")
  const trainings = (await readdir(stages).catch(() => [])).filter((name) => name.startsWith("fineTune-"))
  const records = await Promise.all(trainings.map((name) => readStageRecord(join(stages, name))))
  return { before: new Set(trainings.filter((_, at) => records[at]?.status === "done")), reused: new Set() }
}

function noteReused({ type, stage, fingerprint }: RunEvent, found: FoundTrainings): void {
  if (type === "stage.reused") noteFound(`${stage}-${String(fingerprint).slice(0, 12)}`, found)
}

function noteFound(folder: string, { before, reused }: FoundTrainings): void {
  if (before.has(folder)) reused.add(folder)
}

function mainRowsOf(test: Dataset): Dataset {
  const main = test.filter(({ group }) => group === undefined)
  return main.length > 0 ? main : test
}
