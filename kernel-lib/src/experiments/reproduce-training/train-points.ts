// The trainings behind a reproduction, one after the other: each base, each number of rows and epochs, each seed, and what it answers.
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import type { PromptSpec } from "../../core/prompt-spec"
import type { Progress, Run } from "../../core/run"
import { countOf } from "../../display/wording"
import { evaluate, type Report } from "../../stages/evaluate/evaluate"
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import { fineTune, type TrainedStudent } from "../../stages/fine-tune/fine-tune"
import type { loadModel } from "../../stages/load-model/load-model"
import type { SeedAnswers } from "../ablate/compare-cells"
import { deriveRun } from "../experiment-run"
import type { TrainingPlan, TrainingPoint } from "./plan-trainings"

/** The rows of a reproduction. */
export interface TrainingRows {
  /** Of the teacher's rows, as the artefacts name them. */
  readonly name: string
  readonly spec: PromptSpec
  readonly train: Dataset
  readonly validation: Dataset
  /** The real one. */
  readonly test: Dataset
  readonly numGenerated: number
  /** Generated rows that repeat others, or test rows. */
  readonly numRejected: number
}

type BaseModel = Awaited<ReturnType<typeof loadModel>>

export interface LoadedBase {
  readonly student: BaseModel
  /** As the hub names it, or its folder. */
  readonly name: string
  /** What a reader should know of it, a sentence each. */
  readonly notes: readonly string[]
}

/** A base model in words. */
export interface BaseFacts {
  readonly name: string
  /** `byte-level T5 from scratch`, `pretrained t5`. */
  readonly description: string
  readonly parameters: number
  readonly isPretrained: boolean
}

/** What the students of one point answer to the real test, by seed. */
export interface AnsweredPoint extends TrainingPoint {
  readonly runs: readonly SeedAnswers[]
}

export interface Trainings {
  readonly base: BaseFacts
  readonly main: AnsweredPoint
  readonly byRows: readonly AnsweredPoint[]
  readonly byEpochs: readonly AnsweredPoint[]
  /** Of the base as it was; undefined where its weights were drawn at random. */
  readonly baseAnswers?: readonly string[]
  /** The main student of the first seed on rows of the teacher's that it was not trained on. */
  readonly heldOut?: { readonly rows: number; readonly scores: Readonly<Record<string, number>> }
  /** Of the main student of the first seed. */
  readonly report: Report
  readonly settings: TrainingSettings
  /** Where the main student of the first seed is; undefined where the run keeps nothing. */
  readonly studentFolder?: string
  readonly notes: readonly string[]
}

export interface TrainPointsOptions {
  readonly run: Run
  readonly seeds: readonly number[]
  readonly metrics: readonly string[]
  readonly training?: Partial<TrainingSettings>
  readonly signal: AbortSignal
  loadBase(seed: number): Promise<LoadedBase>
  plan(base: BaseModel): TrainingPlan
  progress(state: Progress): void
}

/** Trains and answers all points from all seeds; the first seed's main point comes first. */
export async function trainPoints(rows: TrainingRows, options: TrainPointsOptions): Promise<Trainings> {
  const { run, seeds, signal, progress } = options
  const runs = new Map<TrainingPoint, SeedAnswers[]>()
  let first: FirstTraining | undefined
  let plan: TrainingPlan | undefined
  for (const [at, seed] of seeds.entries()) {
    const base = await options.loadBase(seed)
    try {
      plan ??= options.plan(base.student)
      for (const [index, point] of plan.all.entries()) {
        const [done, total] = [at * plan.all.length + index, seeds.length * plan.all.length]
        const words = `${countOf(point.rows, "row")}, ${countOf(point.epochs, "epoch")}${seeds.length > 1 ? `, seed ${seed}` : ""}`
        const show = (detail: string) => progress({ done, total, unit: "trainings", note: `${words}${detail}` })
        show("")
        const derived = deriveRun(run, { seed, signal, onProgress: (_, state) => show(describeStage(state)) })
        const isFirst = first === undefined
        const training = first ? { ...options.training, ...sizesOf(first.trained.settings) } : options.training
        const { report, ...rest } = await trainPoint(rows, base, point, { ...options, training, run: derived, isFirst })
        first ??= { report, base: describeBase(base), notes: base.notes, ...rest }
        runs.set(point, [...(runs.get(point) ?? []), { seed, answers: report.rows.map(({ predicted }) => predicted) }])
      }
    } finally {
      base.student.dispose()
    }
  }
  if (!plan || !first) throw new Error("a reproduction without seeds")
  const answered = (point: TrainingPoint): AnsweredPoint => ({ ...point, runs: runs.get(point)! })
  const { base, report, trained, heldOut } = first
  return {
    base,
    ...{ main: answered(plan.main), byRows: plan.byRows.map(answered), byEpochs: plan.byEpochs.map(answered) },
    ...(base.isPretrained && { baseAnswers: report.rows.map(({ answers }) => answers.base ?? "") }),
    ...{ heldOut, report, settings: trained.settings },
    ...(run.folder !== undefined && {
      studentFolder: join(run.folder, "stages", `fineTune-${trained.fingerprint.slice(0, 12)}`, "student"),
    }),
    notes: [...first.notes, ...(trained.reason === undefined ? [] : [`The main training ended early: ${trained.reason}.`])],
  }
}

interface FirstTraining extends Awaited<ReturnType<typeof trainPoint>> {
  readonly base: BaseFacts
  readonly notes: readonly string[]
}

async function trainPoint(
  { spec, train, validation, test }: TrainingRows,
  { student: base }: LoadedBase,
  { rows, epochs }: TrainingPoint,
  { training, metrics, run, isFirst }: TrainPointsOptions & { readonly isFirst: boolean },
): Promise<{ report: Report; trained: Pick<TrainedStudent, "settings" | "reason" | "fingerprint">; heldOut?: Trainings["heldOut"] }> {
  const chosen = train.take(rows)
  const kept = validation.length > 0 ? validation : undefined
  const { student, ...trained } = await fineTune(base, { ...training, epochs, spec, train: chosen, validation: kept, run })
  try {
    const none = { majority: false, copyInput: false }
    const compared = isFirst ? { train: chosen, baselines: { ...none, base: base.isPretrained ? base : undefined } } : { baselines: none }
    const report: Report = await evaluate(student, test, { metrics, ...compared, run })
    const onKept = isFirst && kept ? await evaluate(student, kept, { metrics, baselines: none, run }) : undefined
    return { report, trained, heldOut: onKept && { rows: kept!.length, scores: onKept.scores } }
  } finally {
    student.dispose()
  }
}

/** What defaults make of the rows; points of a curve are to differ in nothing but rows and epochs. */
function sizesOf({ batchSize, maxInputTokens, maxOutputTokens }: TrainingSettings): Partial<TrainingSettings> {
  return { batchSize, maxInputTokens, maxOutputTokens }
}

function describeBase({ student, name }: LoadedBase): BaseFacts {
  const { architecture, parameters, isPretrained, tokenizer } = student
  // Bytes and a few special tokens.
  const isByteLevel = tokenizer.vocabularySize < 400
  const family = `${isByteLevel ? "byte-level " : ""}${architecture === "t5" ? "T5" : architecture}`
  return { name, description: isPretrained ? `pretrained ${family}` : `${family} from scratch`, parameters, isPretrained }
}

/** `: step 300 of 2,000`. */
function describeStage({ done, total, unit, rate }: Progress): string {
  const counted = `${done.toLocaleString("en")}${total === undefined ? "" : ` of ${total.toLocaleString("en")}`} ${unit}`
  return `: ${counted}${rate ? `, ${rate}` : ""}`
}
