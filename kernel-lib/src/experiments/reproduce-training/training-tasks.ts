// The paper's tasks that can be trained on its artefacts: which rows the teacher made, which base models are tried, what the student is told.
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import type { Artifacts, ArtifactTask, StoredStudent } from "../reproduce-table/artifacts"

export interface TrainingTask {
  readonly task: ArtifactTask
  readonly title: string
  /** In our words; the paper's template puts it before each input of a large base model. */
  readonly instruction: string
  /** The folder of the teacher's rows that is taken where nobody says: the one whose students did best. */
  readonly rows: string
  /** The base of the paper, by its name on the Hugging Face hub. */
  readonly hubBase: string
  /** The base that is shipped with the library. */
  readonly bundledBase: string
  /** What a reader should know of the bundled base on this task. */
  readonly bundledNote: string
}

export const trainingTasks = {
  temporal: {
    task: "normalization",
    title: "Temporal (normalisation of dates)",
    instruction:
      "Find the expressions of time in a short text and say which time each of them means, seen from the day on which the text was posted, which stands before it in square brackets. Write each expression as it stands in the text, then ' == ', then its value in ISO 8601, several of them joined by ' | '. Write N/A where there is none.",
    rows: "normalization_1.4_1.4_with_filtering",
    hubBase: "google/flan-t5-base",
    bundledBase: "byte-t5-english",
    bundledNote:
      "The bundled base was pretrained on exercises that find and resolve expressions of time too, in another form and none of them of these rows: its score unchanged shows what that alone is worth.",
  },
  mconala: {
    task: "jp2python",
    title: "MCoNaLa (Japanese to Python)",
    instruction: "Write Python code for an intent that is given in Japanese, using the names that stand in it. Write the code alone.",
    rows: "jp2python",
    hubBase: "google/flan-t5-base",
    bundledBase: "byte-t5-english",
    bundledNote: "The bundled base has read neither Japanese sentences nor code.",
  },
} as const satisfies Readonly<Record<string, TrainingTask>>

export type TrainingName = keyof typeof trainingTasks

/** The trainings that can be asked for. */
export const trainingNames = Object.keys(trainingTasks) as readonly TrainingName[]

/** @throws InputError `reproduce.unknown-table` */
export function trainingTaskNamed(name: TrainingName): TrainingTask {
  if (Object.hasOwn(trainingTasks, name)) return trainingTasks[name]
  throw new InputError("reproduce.unknown-table", `There is no training ${name}: choose from ${trainingNames.join(", ")}.`)
}

/**
 * The folder of a task's generated rows.
 * @param wanted its name; default: the task's own, or the first that is there
 * @throws InputError `reproduce.no-rows`
 */
export async function findGeneratedRows(artifacts: Artifacts, { task, rows }: TrainingTask, wanted?: string): Promise<string> {
  const parent = join(artifacts.folder, "generation/generated_dataset")
  const there = (await readdir(parent)).filter((name) => (name === task || name.startsWith(`${task}_`)) && !name.endsWith(".txt")).sort()
  const name = wanted === undefined ? (there.find((one) => one === rows) ?? there[0]) : there.find((one) => one === wanted)
  if (name !== undefined) return join(parent, name)
  const remedy = there.length > 0 ? `there are ${there.join(", ")}` : `it has no folder ${task}`
  throw new InputError("reproduce.no-rows", `${parent} has no rows ${wanted ?? rows} that the teacher generated: ${remedy}.`)
}

/** The folder of the rows that a stored student was trained on, as the authors name it. */
export function rowsOfStudent({ task, generation }: StoredStudent): string {
  if (!generation) return task
  const { firstTemperature, lastTemperature, hasVoting } = generation
  return `${task}_${firstTemperature}_${lastTemperature}_${hasVoting ? "with" : "without"}_filtering`
}
