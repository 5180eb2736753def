// The authors' artefacts as they published them (github.com/zhaochenyang20/prompt2model_test): which folders hold whose predictions.
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import type { SourceTable } from "../../core/hub"
import type { Reference } from "../../measures"
import { readTable } from "../../store/tables"

/** The authors' names of the paper's tasks: Temporal is `normalization`, MCoNaLa is `jp2python`. */
export type ArtifactTask = "normalization" | "jp2python" | "SQuAD"

/** A student whose answers are stored. */
export interface StoredStudent {
  /** `flan-t5-base`. */
  readonly model: string
  readonly task: ArtifactTask
  /** How its training rows were generated, where the folder's name says so. */
  readonly generation?: { readonly firstTemperature: string; readonly lastTemperature: string; readonly hasVoting: boolean }
  /** The test that it answered. */
  readonly test: "real" | "generated"
  readonly folder: string
}

export interface Artifacts {
  readonly folder: string
  readonly students: readonly StoredStudent[]
  /** The teacher's answers on the real test of a task; undefined where there are none. */
  readonly teacherFolder: (task: ArtifactTask) => Promise<string | undefined>
  /** The real test set of a task; undefined where there is none. */
  readonly testFolder: (task: ArtifactTask) => Promise<string | undefined>
}

const studentFolder =
  /^(.+)_(normalization|jp2python|SQuAD)(?:_([\d.]+)_([\d.]+)_(with|without)_filtering)?_(real|generated_test)_dataset_without_post_filter$/

/**
 * Looks for what is there.
 * @throws InputError `reproduce.no-artifacts` where the folder is not laid out as the authors' repository
 */
export async function openArtifacts(folder: string): Promise<Artifacts> {
  const predictions = join(folder, "generation/generated_dataset")
  const names = await readdir(predictions).catch(() => undefined)
  if (!names) {
    throw new InputError(
      "reproduce.no-artifacts",
      `${folder} has no generation/generated_dataset: clone github.com/zhaochenyang20/prompt2model_test and give its folder.`,
    )
  }
  const students = names.sort().flatMap((name): StoredStudent[] => {
    const found = studentFolder.exec(name)
    if (!found) return []
    const [, model, task, firstTemperature, lastTemperature, filtering, test] = found
    const generation = firstTemperature === undefined ? undefined : { firstTemperature, lastTemperature, hasVoting: filtering === "with" }
    return [
      { model, task: task as ArtifactTask, generation, test: test === "real" ? "real" : "generated", folder: join(predictions, name) },
    ]
  })
  const ifThere = async (...paths: string[]): Promise<string | undefined> => {
    for (const path of paths) if (await stat(join(folder, path)).then(Boolean, () => false)) return join(folder, path)
    return undefined
  }
  return {
    folder,
    students,
    teacherFolder: (task) => ifThere(`baseline/gpt_baseline/results/${task}_gpt_results`),
    testFolder: (task) => ifThere(`baseline/real_datasets/datasets/${task}`, `testdataset/${task}_transformed`),
  }
}

/** Answers beside what was expected. */
export interface Predictions {
  readonly answers: readonly string[]
  readonly references: readonly Reference[]
}

/** Stored predictions: the answer in `output`, what was expected in `model_output`; SQuAD's gold answers where the table has them. */
export async function readPredictions(folder: string): Promise<Predictions> {
  const table = await readTable(folder)
  requireColumns(folder, table, ["output", "model_output"])
  return {
    answers: table.rows.map(({ output }) => String(output)),
    references: table.rows.map((row) => goldAnswers(row.answers) ?? String(row.model_output)),
  }
}

/** A test set's inputs and what is expected. */
export async function readTest(folder: string): Promise<{ readonly inputs: readonly string[]; readonly references: readonly Reference[] }> {
  const table = await readTable(folder)
  requireColumns(folder, table, ["input_col", "output_col"])
  return {
    inputs: table.rows.map(({ input_col: input }) => String(input)),
    references: table.rows.map((row) => goldAnswers(row.answers) ?? String(row.output_col)),
  }
}

function requireColumns(folder: string, { columns }: SourceTable, wanted: readonly string[]): void {
  const lacking = wanted.find((name) => !columns.includes(name))
  if (lacking === undefined) return
  throw new InputError(
    "reproduce.no-column",
    `${folder} has no column ${lacking}, only ${columns.join(", ")}: is it the authors' repository, unchanged?`,
  )
}

/** SQuAD's `{ text: [...] }`. */
function goldAnswers(cell: unknown): string[] | undefined {
  const text = typeof cell === "object" && cell !== null && "text" in cell ? cell.text : undefined
  if (typeof text !== "object" || text === null || !(Symbol.iterator in text)) return undefined
  const golds = Array.from(text as Iterable<unknown>, String)
  return golds.length > 0 ? golds : undefined
}
