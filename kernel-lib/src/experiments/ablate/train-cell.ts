// Training and scoring of a cell: what takes long, and what a process of its own may do, since it needs neither teacher nor hub.
import type { Dataset } from "../../core/dataset"
import { fingerprintOf } from "../../core/fingerprint"
import type { PromptSpec } from "../../core/prompt-spec"
import type { Run } from "../../core/run"
import { evaluate, type Report } from "../../stages/evaluate/evaluate"
import { fineTune, type TrainedStudent } from "../../stages/fine-tune/fine-tune"
import type { BaseModel } from "./prepare-cell"
import type { CellPlan } from "./switches"

export interface TrainingWork {
  readonly spec: PromptSpec
  readonly base: BaseModel
  readonly train: Dataset
  readonly validation: Dataset
  readonly test: Dataset
  readonly training: CellPlan["training"]
  readonly metrics: readonly string[]
}

export interface TrainedCell {
  readonly report: Report
  readonly outcome: Pick<TrainedStudent, "status" | "reason" | "steps" | "seconds" | "settings" | "refusedRows">
}

/** Trains and scores, or finds both in the run's folder. The student is freed: its folder has it. */
export async function trainCell({ spec, base, train, validation, test, training, metrics }: TrainingWork, run: Run): Promise<TrainedCell> {
  const trained = await fineTune(base, { ...training, spec, train, validation: validation.length > 0 ? validation : undefined, run })
  try {
    const report = await evaluate(trained.student, test, { metrics, baselines: { majority: false, copyInput: false }, run })
    const { status, reason, steps, seconds, settings, refusedRows } = trained
    return { report, outcome: { status, reason, steps, seconds, settings, refusedRows } }
  } finally {
    trained.student.dispose()
  }
}

/** Equal for work with equal results. */
export function fingerprintWork(
  { spec, base, train, validation, test, training, metrics }: TrainingWork,
  { seed, engine }: Pick<Run, "seed" | "engine">,
): string {
  const rows = [train.fingerprint, validation.fingerprint, test.fingerprint]
  return fingerprintOf([spec.fingerprint, base.fingerprint, rows, training, metrics, seed, engine])
}
