// A reproduced training as plain data.
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import type { ComparedWithPaper } from "./compare-with-paper"
import type { ErrorDiagnosis } from "./explain-errors"
import type { BaseFacts } from "./train-points"
import type { TrainingName } from "./training-tasks"

/** From which `new ReproducedTraining` makes the result again. */
export interface ReproducedTrainingData extends ComparedWithPaper {
  readonly name: TrainingName
  readonly title: string
  /** The task's own first. */
  readonly metrics: readonly string[]
  readonly base: BaseFacts
  /** `name`: the teacher's rows, as the artefacts call them; `rejected`: those that repeat others or test rows. */
  readonly rows: {
    readonly name: string
    readonly generated: number
    readonly rejected: number
    readonly train: number
    readonly test: number
  }
  readonly seeds: readonly number[]
  /** Of the main training, from the first seed. */
  readonly settings: TrainingSettings
  /** Of the main student's errors, from the first seed. */
  readonly diagnosis: ErrorDiagnosis
  /** The main student of the first seed, for `loadStudent`; undefined where the run keeps nothing. */
  readonly studentFolder?: string
  /** What is to be known besides, a sentence each. */
  readonly notes: readonly string[]
}
