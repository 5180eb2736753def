// Trains cells in processes of their own, a few at once. Teacher and hub stay in this process, and so does the cap on money; a child is told
// where rows and base model lie, and leaves its results in the run's folder, where the same stage call finds them.
import { fork } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { EngineError, InputError, InterruptedError } from "../../core/errors"
import type { EngineName } from "../../core/run"
import { exists, writeFileAtomically } from "../../store/atomic"
import { packageFolder } from "../../store/package-folder"
import type { FolderRun } from "../../store/run"
import { writeDataset } from "../../store/tables"
import { fingerprintWork, type TrainingWork } from "./train-cell"

/** What a child is told, as a file. */
export interface CellJob {
  /** The run's. */
  readonly folder: string
  readonly seed: number
  readonly engine: EngineName
  readonly maxSeconds?: number
  readonly spec: { readonly instruction: string; readonly demonstrations: readonly { readonly input: string; readonly output: string }[] }
  /** Folders and files. */
  readonly base: string
  readonly train: string
  readonly validation: string
  readonly test: string
  readonly training: TrainingWork["training"]
  readonly metrics: readonly string[]
}

/** What a child answers. */
export type CellMessage = { readonly type: "done" } | { readonly type: "failed"; readonly code: string; readonly message: string }

/** Jobs of one ablation: at most `most` children at once, and no work twice. */
export class CellProcesses {
  private readonly folder: string
  private readonly running = new Map<string, Promise<void>>()
  private readonly waiting: (() => void)[] = []
  private free: number

  constructor(
    private readonly run: FolderRun,
    private readonly most: number,
    private readonly signal: AbortSignal,
  ) {
    this.folder = join(run.folder, "jobs")
    this.free = most
    if (!existsSync(programPath()))
      throw new InputError(
        "ablate.not-built",
        "Cells in processes of their own need the built package: run npm run build, or leave parallel out.",
      )
  }

  /**
   * Resolves when all that the training needs is on disk, and the base model may be freed; `training` when the results are in the run's folder.
   * @throws InputError `ablate.distill-parallel`
   */
  async submit(work: TrainingWork, seed: number): Promise<{ readonly training: Promise<void> }> {
    if (work.training.distillFrom)
      throw new InputError("ablate.distill-parallel", "A student to learn from stays in this process: leave parallel or distillFrom out.")
    const key = fingerprintWork(work, { seed, engine: this.run.engine })
    const known = this.running.get(key)
    if (known) return { training: known }
    const path = await this.writeJob(work, seed, key)
    const training = this.takeTurn(() => this.start(path))
    this.running.set(key, training)
    training.catch(() => {})
    return { training }
  }

  /** Removes what the children were told. */
  async clean(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  private async writeJob(
    { base, spec, train, validation, test, training, metrics }: TrainingWork,
    seed: number,
    key: string,
  ): Promise<string> {
    const at = join(this.folder, key.slice(0, 12))
    await mkdir(at, { recursive: true })
    const basePath = join(this.folder, `base-${base.fingerprint.slice(0, 12)}`, base.name)
    if (!(await exists(join(basePath, "config.json")))) await base.save(basePath)
    const files = { train: join(at, "train.parquet"), validation: join(at, "validation.parquet"), test: join(at, "test.parquet") }
    for (const [name, rows] of Object.entries({ train, validation, test })) await writeDataset(rows, files[name as keyof typeof files])
    const { instruction, demonstrations } = spec
    const { folder, engine, limits } = this.run
    const job: CellJob = {
      folder,
      seed,
      engine,
      maxSeconds: limits.maxSeconds,
      spec: { instruction, demonstrations },
      base: basePath,
      ...files,
      training,
      metrics,
    }
    const path = join(at, "job.json")
    await writeFileAtomically(path, JSON.stringify(job))
    return path
  }

  private async takeTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free--
    else await new Promise<void>((resolve) => this.waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.free++
    }
  }

  private start(path: string): Promise<void> {
    if (this.signal.aborted) return Promise.reject(new InterruptedError())
    const threads = Math.max(1, Math.floor(availableParallelism() / this.most))
    const child = fork(programPath(), [path], {
      execArgv: [],
      env: { ...process.env, PROMPT2MODEL_THREADS: process.env.PROMPT2MODEL_THREADS ?? String(threads) },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    })
    return new Promise((resolve, reject) => {
      let answer: CellMessage | undefined
      let said = ""
      const interrupt = () => child.kill("SIGINT")
      this.signal.addEventListener("abort", interrupt, { once: true })
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said = `${said}${text}`.slice(-2000)
      })
      child.on("message", (message) => {
        answer = message as CellMessage
      })
      child.on("error", reject)
      child.on("close", (code, killedBy) => {
        this.signal.removeEventListener("abort", interrupt)
        if (answer?.type === "done") resolve()
        else if (this.signal.aborted || answer?.code === "run.interrupted") reject(new InterruptedError())
        else if (answer) reject(new CellFailure(answer.code, answer.message))
        else
          reject(
            new EngineError(
              "ablate.process-died",
              `The process of a cell ended with ${killedBy ?? code}: run the same call again to go on.`,
              {
                cause: said,
              },
            ),
          )
      })
    })
  }
}

/** An error of a child, with its code and sentence. */
class CellFailure extends InputError {}

/** The child's program, in the built package. */
function programPath(): string {
  return join(packageFolder(), "dist", "cell-process.mjs")
}
