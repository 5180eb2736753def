// A contender is a child process that stays alive for the whole measurement, so that each is warm and has a memory of its own. It answers
// JSON lines: `{"ask": NAME, ...}` in, `{"answer": ...}` or `{"error": TEXT}` out. Every contender knows `memory`, and what it was written for.
// Its side of the line is serve-contender.ts in TypeScript and contender.py in Python.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { root } from "./results"

export interface ContenderCommand {
  /** As tables name it: `PyTorch stock`. */
  readonly name: string
  readonly command: string
  readonly parameters: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Megabytes of 1e6 bytes. */
export interface MemoryUse {
  readonly peak: number
  readonly current: number
}

/** A contender written in TypeScript: `file` lies in test/bench. In a packed benchmark (accelerators/pack.ts) it was built beforehand. */
export function typeScriptContender(name: string, file: string, parameters: readonly string[] = []): ContenderCommand {
  const built = join(root, "test/bench", file.replace(/\.ts$/, ".mjs"))
  if (existsSync(built)) return { name, command: process.execPath, parameters: [built, ...parameters] }
  const unrun = join(root, "node_modules/unrun/dist/cli.mjs")
  return { name, command: process.execPath, parameters: [unrun, join(root, "test/bench", file), ...parameters] }
}

/** A contender written in Python: `file` lies in test/bench. */
export function pythonContender(
  name: string,
  python: string,
  file: string,
  options: { readonly parameters?: readonly string[]; readonly environment?: Readonly<Record<string, string>> } = {},
): ContenderCommand {
  const environment = { PYTHONPATH: join(root, "test/bench/harness"), PYTHONDONTWRITEBYTECODE: "1", ...options.environment }
  return { name, command: python, parameters: [join(root, "test/bench", file), ...(options.parameters ?? [])], environment }
}

export class Contender {
  readonly name: string
  private readonly child: ChildProcessWithoutNullStreams
  private pending?: { resolve(answer: unknown): void; reject(error: Error): void }
  private lastWords = ""

  constructor({ name, command, parameters, environment = {} }: ContenderCommand) {
    this.name = name
    this.child = spawn(command, parameters, { cwd: root, env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] })
    createInterface({ input: this.child.stdout }).on("line", (line) => this.receive(line))
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-4000)
    })
    this.child.stdin.on("error", () => {})
    this.child.on("error", (error) => this.fail(error.message))
    this.child.on("close", (code, signal) => this.fail(`ended with ${signal ?? code}: ${this.lastWords.trim()}`))
  }

  /** One question at a time. @throws Error with the contender's own words when it fails or ends */
  ask<Answer>(ask: string, details: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    if (this.pending) throw new Error(`${this.name} was asked ${ask} before it answered.`)
    return new Promise<unknown>((resolve, reject) => {
      this.pending = { resolve, reject }
      if (this.child.exitCode !== null || this.child.signalCode !== null) this.fail(`has ended: ${this.lastWords.trim()}`)
      else this.child.stdin.write(`${JSON.stringify({ ask, ...details })}\n`)
    }) as Promise<Answer>
  }

  memory(): Promise<MemoryUse> {
    return this.ask<MemoryUse>("memory")
  }

  /** Ends the process, and waits for its end, so that its memory is free. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once("close", resolve))
    this.child.kill("SIGKILL")
    await ended
  }

  private receive(line: string): void {
    const { pending } = this
    if (!pending) return
    this.pending = undefined
    const { answer, error } = JSON.parse(line) as { answer?: unknown; error?: string }
    if (error === undefined) pending.resolve(answer)
    else pending.reject(new Error(`${this.name} failed: ${error}`))
  }

  private fail(reason: string): void {
    this.pending?.reject(new Error(`${this.name} ${reason}`))
    this.pending = undefined
  }
}

/** Starts all, hands them to `body`, and ends them whatever happens. */
export async function withContenders<Result>(
  commands: readonly ContenderCommand[],
  body: (contenders: readonly Contender[]) => Promise<Result>,
): Promise<Result> {
  const contenders = commands.map((command) => new Contender(command))
  try {
    return await body(contenders)
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()))
  }
}
