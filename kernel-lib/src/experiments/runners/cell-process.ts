// A process that trains and scores cells, one at a time: started by `cell-children.ts`, told of each by a message, it leaves a cell's results in
// the folder that it is told. It computes only what nobody else does.
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { InterruptedError, isPrompt2ModelError, messageOf } from "../../core/errors"
import { PromptSpec } from "../../core/prompt-spec"
import type { Run, RunEvent } from "../../core/run"
import { loadModel } from "../../stages/load-model/load-model"
import { writeFileAtomically } from "../../store/atomic"
import { EventLog } from "../../store/event-log"
import { ephemeralRun, runFormat } from "../../store/run"
import { RunIndex } from "../../store/run-index"
import { readDataset } from "../../store/tables"
import { type CellJob, type CellTicket, cellFolder, isTicket, readCellJob, writeCellResult } from "./cell-files"
import { Claim } from "./claim"
import { fingerprintWork, trainCell } from "./train-cell"

/** What a process is told. */
export type CellOrder =
  | { readonly type: "cell"; readonly folder: string; readonly ticket: CellTicket; readonly leaseSeconds: number }
  | { readonly type: "interrupt" }

/** What it answers; after all but `news` it waits for the next cell. */
export type CellMessage =
  | { readonly type: "news"; readonly note: string }
  | { readonly type: "done" }
  /** Somebody else computes the same. */
  | { readonly type: "taken" }
  | { readonly type: "failed"; readonly code: string; readonly message: string }

/** Milliseconds between two notes about the steps of a training. */
const noteEvery = 500

let controller = new AbortController()
const interrupt = () => controller.abort()
// A scheduler and a terminal signal all processes of a group; whoever started this one decides when it ends.
process.on("SIGINT", interrupt)
process.on("SIGTERM", interrupt)
/** What a killed parent leaves behind would train on beside its successor. */
process.on("disconnect", () => process.exit(1))
process.on("message", (order: CellOrder) => {
  if (order.type === "interrupt") return interrupt()
  controller = new AbortController()
  computeCell(order, controller.signal).then((answer) => process.send!(answer))
})

function tell(note: string): void {
  process.send!({ type: "news", note } satisfies CellMessage)
}

async function computeCell({ folder, ticket, leaseSeconds }: CellOrder & { type: "cell" }, signal: AbortSignal): Promise<CellMessage> {
  try {
    if (!isTicket(ticket)) throw new Error("The ticket of a cell is not one.")
    const job = await readCellJob(folder, ticket)
    const work = await readWork(job)
    // Without metrics: cells that are scored differently may train the same student.
    const claim = await Claim.take(join(folder, "claims", `${fingerprintWork({ ...work, test: undefined, metrics: [] }, job)}.json`), {
      leaseSeconds,
      signal,
      onLost: () => process.send!({ type: "taken" } satisfies CellMessage, () => process.exit(1)),
    })
    if (!claim) return { type: "taken" }
    try {
      await trainClaimed(folder, ticket, job, work, signal)
    } finally {
      claim.release()
      work.base.dispose()
    }
    return { type: "done" }
  } catch (error) {
    const isInterrupted = signal.aborted || error instanceof InterruptedError
    const code = isPrompt2ModelError(error) ? error.code : "unexpected"
    return { type: "failed", code: isInterrupted ? "run.interrupted" : code, message: messageOf(error) }
  }
}

async function readWork({ spec, base, train, validation, test, training, metrics, seed, engine }: CellJob) {
  const [trainRows, validationRows, testRows] = await Promise.all([train, validation, test].map((file) => file && readDataset(file)))
  return {
    spec: spec && new PromptSpec(spec),
    base: await loadModel(base, { run: ephemeralRun({ seed, engine }) }),
    train: trainRows || missing(train),
    validation: validationRows || missing(validation),
    test: testRows || undefined,
    ...{ training, metrics },
  }
}

function missing(file: string): never {
  throw new Error(`${file} has no rows.`)
}

type ClaimedWork = Awaited<ReturnType<typeof readWork>>

/** Trains in a run folder of the cell's own, which viewers of runs can follow; stages are kept for all cells together. */
async function trainClaimed(folder: string, ticket: CellTicket, job: CellJob, work: ClaimedWork, signal: AbortSignal): Promise<void> {
  const own = cellFolder(folder, ticket)
  mkdirSync(own, { recursive: true })
  const content = { format: runFormat, configuration: { cell: job.name, seed: job.seed, engine: job.engine }, training: job.training }
  const keepContent = (status: string) => writeFileAtomically(join(own, "run.json"), `${JSON.stringify({ ...content, status }, null, 2)}\n`)
  await keepContent("started")
  const events = new EventLog(own)
  const index = new RunIndex(own, () => 0)
  index.take({ ...content, status: "started" })
  const stages = new Set<string>()
  let notedAt = 0
  const run: Run = {
    ...ephemeralRun({ seed: job.seed, engine: job.engine, maxSeconds: job.maxSeconds, signal }),
    folder,
    record: (event) => {
      events.append(event)
      index.note(event)
      if (event.fingerprint !== undefined) stages.add(`${event.stage}-${String(event.fingerprint).slice(0, 12)}`)
      const note = describeEvent(event)
      if (note === undefined || (event.type === "training.step" && Date.now() - notedAt < noteEvery)) return
      notedAt = Date.now()
      tell(note)
    },
  }
  const trained = await trainCell(work, run)
  await keepContent("done")
  index.take({ status: "done" })
  await writeCellResult(folder, ticket, { ...trained, stages: [...stages] })
}

function describeEvent({ type, stage, epoch, loss }: RunEvent): string | undefined {
  if (type === "stage.started" && stage === "fineTune") return "training"
  if (type === "stage.started" && stage === "evaluate") return "scoring"
  if (type === "training.step") return `epoch ${Math.max(1, Math.ceil(Number(epoch)))}, loss ${Number(loss).toFixed(3)}`
  if (type === "training.validation") return `epoch ${epoch} done, validation loss ${Number(loss).toFixed(3)}`
  return type.startsWith("stage.") ? "" : undefined
}
