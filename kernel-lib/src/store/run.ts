// The run: what all stages share, and the folder behind it (run.json, events.jsonl, stages, responses).
import { mkdir, readdir, readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { InputError, redactSecrets } from "../core/errors"
import type { Hub } from "../core/hub"
import type { EngineName, Limits, Reporter, Run, RunEvent, SentRecord, Spending, StageInlineOptions } from "../core/run"
import type { Teacher } from "../core/teacher"
import { makeSelfShowing } from "../display/self-showing"
import { exists, explainDiskError, writeFileAtomically } from "./atomic"
import { describeRun } from "./describe-run"
import { EventLog, readEvents } from "./event-log"
import { meterTeacher, Purse } from "./purse"
import { storeResponses } from "./response-store"
import { RunIndex } from "./run-index"
import { loadLatest } from "./stage-records"

/** Raised when run.json's members change their meaning. */
export const runFormat = 1
const configurationFile = "run.json"

export interface OpenRunOptions extends Limits {
  readonly teacher?: Teacher
  readonly hub?: Hub
  /** Default 1. */
  readonly seed?: number
  /** Default `auto`: the best engine that is there. */
  readonly engine?: EngineName
  /** Shows stages as they happen. Default: nothing outside a notebook. */
  readonly reporter?: Reporter
  /** Stops the whole run. */
  readonly signal?: AbortSignal
}

/** What decides a run's results; kept in run.json. */
export interface RunConfiguration {
  readonly teacher?: string
  readonly hub?: string
  readonly seed: number
  readonly engine: EngineName
}

/** A run with a folder. */
export interface FolderRun extends Run {
  readonly folder: string
  readonly configuration: RunConfiguration
  /** The newest result of a stage, by its function's name; a partial one where that is all there is. */
  latest(stage: string): Promise<object | undefined>
  /** Merges `members` into run.json. */
  write(members: Readonly<Record<string, unknown>>): Promise<void>
  /** A further teacher behind this run's response store and its caps; one that is there already stays as it is. */
  admit(teacher: Teacher): Teacher
  /** run.json as it is now. */
  read(): Promise<Record<string, unknown>>
}

const silentReporter: Reporter = { stageStarted() {}, stageProgress() {}, stageEnded() {}, notice() {} }
let defaultReporter: Reporter = silentReporter

/** What shows stages where a run names no reporter: nothing, or the notebook's displays. */
export function setDefaultReporter(reporter: Reporter): void {
  defaultReporter = reporter
}

/**
 * Opens a run folder, making it where needed. An existing run goes on if teacher, hub, seed and engine are the same; caps may be raised.
 * @throws InputError `run.not-a-run`, `run.other-configuration`, `run.newer-format`, `disk.full`, `disk.not-writable`
 */
export async function openRunFolder(path: string, options: OpenRunOptions = {}): Promise<FolderRun> {
  const folder = resolve(path)
  const configuration = configurationOf(options)
  const configurationPath = join(folder, configurationFile)
  let isNew = false
  try {
    if (await exists(configurationPath)) {
      refuseOtherConfiguration(path, await readRunFile(path), configuration)
    } else {
      const entries = await readdir(folder).catch((error) => {
        if (error.code === "ENOENT") return []
        if (error.code === "ENOTDIR") throw notARun(path, error)
        throw error
      })
      if (entries.length > 0) throw notARun(path)
      await mkdir(folder, { recursive: true })
      await writeJson(configurationPath, { format: runFormat, status: "started", configuration })
      isNew = true
    }
  } catch (error) {
    throw explainDiskError(error, path)
  }

  const purse = new Purse(options, readEvents(folder))
  const events = new EventLog(folder)
  const index = new RunIndex(folder, () => purse.spending.usd)
  const content = await readRunFile(path)
  if (isNew) index.take(content)
  else index.know(content)
  const admitted = new WeakSet<Teacher>()
  const admit = (teacher: Teacher) => {
    if (admitted.has(teacher)) return teacher
    const wrapped = wrapTeacher(teacher, join(folder, "responses"), purse, events)
    admitted.add(wrapped)
    return wrapped
  }
  const record = (event: RunEvent) => {
    events.append(event)
    index.note(event)
  }
  let pendingWrite: Promise<unknown> = Promise.resolve()
  const run: FolderRun = {
    ...shared(options),
    folder,
    configuration,
    teacher: options.teacher && admit(options.teacher),
    admit,
    get spending() {
      return purse.spending
    },
    record,
    sent: () => purse.sent(),
    latest: (stage) => loadLatest(run, stage),
    read: () => readRunFile(folder),
    write(members) {
      const writing = pendingWrite.then(async () => {
        await writeJson(configurationPath, { ...(await readRunFile(folder)), ...members })
        index.take(members)
      })
      pendingWrite = writing.catch(() => {})
      return writing
    },
  }
  const { teacher } = options
  makeSelfShowing(run, () =>
    describeRun(path, readEvents(folder), { spending: run.spending, maxUsd: options.maxUsd, teacher: teacher?.name }),
  )
  return run
}

/** A run that keeps nothing on disk but the teacher's answers, for stages called with their options inline. */
export function ephemeralRun(options: OpenRunOptions & StageInlineOptions = {}): Run {
  const purse = new Purse(options, [])
  const record = () => {}
  return {
    ...shared(options),
    teacher: options.teacher && wrapTeacher(options.teacher, responseCacheFolder(), purse),
    get spending() {
      return purse.spending
    },
    record,
    sent: () => purse.sent(),
  }
}

/**
 * run.json of a run folder.
 * @throws InputError `run.not-a-run`, `run.newer-format`
 */
export async function readRunFile(path: string): Promise<Record<string, unknown>> {
  let content: Record<string, unknown>
  try {
    content = JSON.parse(await readFile(join(path, configurationFile), "utf8"))
  } catch (error) {
    throw notARun(path, error)
  }
  if (typeof content !== "object" || content === null || typeof content.format !== "number") throw notARun(path)
  if (content.format > runFormat) {
    throw new InputError("run.newer-format", `${path} was written by a newer prompt2model: update this one, or choose another folder.`)
  }
  return content
}

function notARun(path: string, cause?: unknown): InputError {
  return new InputError(
    "run.not-a-run",
    `${path} is no run: it has no readable run.json. Choose a folder that a run made, or one that is empty or not there yet.`,
    {
      cause,
    },
  )
}

function shared(options: OpenRunOptions & StageInlineOptions) {
  const { maxUsd, maxTokens, maxSeconds } = options
  return {
    hub: options.hub,
    seed: options.seed ?? 1,
    engine: options.engine ?? ("auto" as const),
    limits: { maxUsd, maxTokens, maxSeconds } as Limits,
    reporter: options.reporter ?? defaultReporter,
    signal: options.signal,
  }
}

function configurationOf(options: OpenRunOptions): RunConfiguration {
  const { teacher, hub, seed = 1, engine = "auto" } = options
  return { teacher: teacher?.identity ?? teacher?.name, hub: hub?.identity, seed, engine }
}

function refuseOtherConfiguration(path: string, content: Record<string, unknown>, now: RunConfiguration): void {
  const before = content.configuration as RunConfiguration
  const differences = (["teacher", "hub", "seed", "engine"] as const)
    .filter((member) => before?.[member] !== now[member])
    .map((member) => `${member} ${before?.[member] ?? "none"}, not ${now[member] ?? "none"}`)
  if (differences.length > 0) {
    throw new InputError(
      "run.other-configuration",
      `${path} holds a run with ${differences.join("; ")}: go on with the same settings, or choose another folder with --out.`,
    )
  }
}

/** What an answer cost is on disk before the answer is, so that a process that goes on from it knows. */
function wrapTeacher(teacher: Teacher, folder: string, purse: Purse, events?: EventLog): Teacher {
  const metered = meterTeacher(teacher, purse, (event) => events?.gather(event))
  if (teacher.isRecorded) return metered
  return storeResponses(metered, folder, { onReused: () => purse.countReused(), beforeWriting: events && (() => events.flush()) })
}

/** Where answers are kept for stages that run without a run folder. */
function responseCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "prompt2model", "responses")
}

async function writeJson(path: string, content: unknown): Promise<void> {
  await writeFileAtomically(path, `${redactSecrets(JSON.stringify(content, null, 2))}\n`)
}

export type { SentRecord, Spending }
