// Training and scoring of a cell: what takes long, and what a process of its own may do, since it needs neither teacher nor hub.
import type { Dataset } from "../../core/dataset"
import { fingerprintOf } from "../../core/fingerprint"
import type { PromptSpec } from "../../core/prompt-spec"
import type { Run, StageInlineOptions } from "../../core/run"
import { evaluate } from "../../stages/evaluate/evaluate"
import { type FineTuneOptions, fineTune, type TrainedStudent } from "../../stages/fine-tune/fine-tune"

export type BaseModel = Parameters<typeof fineTune>[0]

export interface TrainingWork {
  readonly spec?: PromptSpec
  readonly base: BaseModel
  readonly train: Dataset
  readonly validation: Dataset
  /** Without it nothing is scored. */
  readonly test?: Dataset
  readonly training: Omit<FineTuneOptions, keyof StageInlineOptions | "train" | "validation" | "spec">
  readonly metrics: readonly string[]
}

/** What is left of a student whose folder has the rest. */
export interface TrainedCell {
  /** To the test's main rows, in their order. */
  readonly answers: readonly string[]
  readonly outcome: Pick<
    TrainedStudent,
    "status" | "reason" | "steps" | "seconds" | "settings" | "refusedRows" | "bestValidationLoss" | "validationLoss"
  >
}

/** Trains and scores, or finds both in the run's folder. The student is freed: its folder has it. */
export async function trainCell({ spec, base, train, validation, test, training, metrics }: TrainingWork, run: Run): Promise<TrainedCell> {
  const trained = await fineTune(base, { ...training, spec, train, validation: validation.length > 0 ? validation : undefined, run })
  try {
    const report = test && (await evaluate(trained.student, test, { metrics, baselines: { majority: false, copyInput: false }, run }))
    const { status, reason, steps, seconds, settings, refusedRows, bestValidationLoss, validationLoss } = trained
    return {
      answers: report?.mainRows.map(({ predicted }) => predicted) ?? [],
      outcome: { status, reason, steps, seconds, settings, refusedRows, bestValidationLoss, validationLoss },
    }
  } finally {
    trained.student.dispose()
  }
}

/** Equal for work with equal results. */
export function fingerprintWork(work: TrainingWork, { seed, engine }: Pick<Run, "seed" | "engine">): string {
  const { spec, base, train, validation, test, training, metrics } = work
  const rows = [train.fingerprint, validation.fingerprint, test?.fingerprint]
  return fingerprintOf([spec?.fingerprint, base.fingerprint, rows, training, metrics, seed, engine])
}
