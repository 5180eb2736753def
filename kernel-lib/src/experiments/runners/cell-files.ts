// What submitter and workers find in the folder that they share. All of it is data: it is checked when it is read, since a worker of another
// version, or a hand, may have written it.
//
//     jobs/SUBMITTER/          what cells are made of, for as long as their submitter needs them: rows, base models, a JSON file for each cell
//     cells/KEY/               a cell: run.json and events.jsonl, as a run has them, and result.json when it is done
//     claims/                  who computes what
//     stages/                  trained students and reports by fingerprint, as in a run
import { mkdir, readFile, rm, rmdir } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { EngineName, Run } from "../../core/run"
import { exists, placeAtomically, writeFileAtomically } from "../../store/atomic"
import { writeDataset } from "../../store/tables"
import type { TrainedCell, TrainingWork } from "./train-cell"

/** Where a cell is: short, so that it can be sent. */
export interface CellTicket {
  /** Equal for cells with equal results. */
  readonly key: string
  /** The folder of `jobs` with what it is made of. */
  readonly submitter: string
}

/** What a process is told of a cell, beside its rows and its base model. Paths are relative to the folder with the rows. */
export interface CellJob {
  readonly name: string
  readonly seed: number
  readonly engine: EngineName
  readonly maxSeconds?: number
  readonly spec?: { readonly instruction: string; readonly demonstrations: readonly { readonly input: string; readonly output: string }[] }
  readonly base: string
  readonly train: string
  readonly validation: string
  readonly test?: string
  readonly training: TrainingWork["training"]
  readonly metrics: readonly string[]
}

/** What a process leaves behind. */
export interface CellResult extends TrainedCell {
  /** Folders of `stages` that it made or found. */
  readonly stages: readonly string[]
}

const keyPattern = /^[0-9a-f]{8,64}$/

export function isTicket(value: unknown): value is CellTicket {
  const { key, submitter } = (value ?? {}) as Partial<CellTicket>
  return typeof key === "string" && keyPattern.test(key) && typeof submitter === "string" && keyPattern.test(submitter)
}

/** The run folder of a cell. */
export function cellFolder(folder: string, { key }: Pick<CellTicket, "key">): string {
  return join(folder, "cells", key)
}

function inputsFolder(folder: string, submitter: string): string {
  return join(folder, "jobs", submitter)
}

/**
 * Writes what a cell is made of, as far as it is not there.
 * @throws InputError `runner.cannot-travel`, `disk.full`, `disk.not-writable`
 */
export async function writeCellJob(
  folder: string,
  ticket: CellTicket,
  work: TrainingWork,
  { name, seed, run }: { readonly name: string; readonly seed: number; readonly run: Run },
): Promise<void> {
  const { base, spec, train, validation, test, training, metrics } = work
  refuseWhatCannotTravel(training)
  const inputs = inputsFolder(folder, ticket.submitter)
  await mkdir(inputs, { recursive: true })
  const models = join("models", base.fingerprint.slice(0, 16))
  if (!(await exists(join(inputs, models)))) await placeAtomically(join(inputs, models), (at) => base.save(join(at, base.name)))
  const placeRows = async (rows: Dataset) => {
    const file = `rows-${rows.fingerprint.slice(0, 16)}.parquet`
    if (!(await exists(join(inputs, file)))) await writeDataset(rows, join(inputs, file))
    return file
  }
  const job: CellJob = {
    ...{ name, seed, engine: run.engine, maxSeconds: run.limits.maxSeconds, training, metrics },
    spec: spec && { instruction: spec.instruction, demonstrations: spec.demonstrations },
    base: join(models, base.name),
    train: await placeRows(train),
    validation: await placeRows(validation),
    test: test && (await placeRows(test)),
  }
  await writeFileAtomically(join(inputs, `${ticket.key}.json`), JSON.stringify(job))
}

/** Settings go through a file to another process: they are numbers, texts, and lists and objects of these. */
function refuseWhatCannotTravel(training: TrainingWork["training"]): void {
  const look = (value: unknown, path: string): void => {
    const isPlain =
      value === null ||
      ["undefined", "boolean", "number", "string"].includes(typeof value) ||
      Array.isArray(value) ||
      (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    if (!isPlain)
      throw new InputError(
        "runner.cannot-travel",
        `${path} is ${typeof value === "function" ? "a function" : "an object of this process"}, which cannot go to another one: leave it out, or leave out runOn and parallel.`,
      )
    if (typeof value === "object" && value !== null) for (const [name, member] of Object.entries(value)) look(member, `${path}.${name}`)
  }
  look(training, "training")
}

/** What a cell is made of, with paths as they are on this machine. @throws InputError `runner.no-job` */
export async function readCellJob(folder: string, ticket: CellTicket): Promise<CellJob> {
  const inputs = inputsFolder(folder, ticket.submitter)
  const path = join(inputs, `${ticket.key}.json`)
  const noJob = (cause: unknown) =>
    new InputError(
      "runner.no-job",
      `${path} is not there or cannot be read: the folder must be the one that the submitter has, and hold what it wrote.`,
      { cause },
    )
  const content = await readFile(path, "utf8").then(JSON.parse, (error) => Promise.reject(noJob(error)))
  if (!isCellJob(content)) throw noJob(undefined)
  const place = (file: string) => join(inputs, file)
  const { base, train, validation, test } = content
  return { ...content, base: place(base), train: place(train), validation: place(validation), test: test && place(test) }
}

function isCellJob(value: unknown): value is CellJob {
  const job = (value ?? {}) as Partial<CellJob>
  const isInside = (path: unknown) => typeof path === "string" && !path.startsWith("/") && !/(^|[/\\])\.\.([/\\]|$)/.test(path)
  return (
    typeof job.name === "string" &&
    typeof job.seed === "number" &&
    typeof job.engine === "string" &&
    [job.base, job.train, job.validation].every(isInside) &&
    (job.test === undefined || isInside(job.test)) &&
    typeof job.training === "object" &&
    Array.isArray(job.metrics)
  )
}

/** What a cell left behind; undefined where it is not done. */
export async function readCellResult(folder: string, ticket: Pick<CellTicket, "key">): Promise<CellResult | undefined> {
  try {
    const result = JSON.parse(await readFile(join(cellFolder(folder, ticket), "result.json"), "utf8")) as Partial<CellResult>
    const isResult =
      isTexts(result.answers) && isTexts(result.stages) && (result.outcome?.status === "done" || result.outcome?.status === "partial")
    return isResult ? (result as CellResult) : undefined
  } catch {
    return undefined
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string")
}

export async function writeCellResult(folder: string, ticket: CellTicket, result: CellResult): Promise<void> {
  await writeFileAtomically(join(cellFolder(folder, ticket), "result.json"), JSON.stringify(result))
}

/** What stands in the way of another training of the cell. */
export async function forgetCellResult(folder: string, ticket: Pick<CellTicket, "key">): Promise<void> {
  await rm(join(cellFolder(folder, ticket), "result.json"), { force: true })
}

/** Removes what the cells of a submitter were made of. */
export async function removeInputs(folder: string, submitter: string): Promise<void> {
  await rm(inputsFolder(folder, submitter), { recursive: true, force: true })
  // With others' inputs beside it, it stays.
  await rmdir(join(folder, "jobs")).catch(() => {})
}
