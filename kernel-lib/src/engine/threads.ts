// How many threads a graph runs on when nobody says.
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"

const most = 8

/** What a machine says of its processors. */
export interface Processors {
  /** Hardware threads that this process may use. */
  readonly available: number
  /** Whether two of them share a core, and so its arithmetic. */
  readonly shareCores: boolean
  /** The share of processor time that a container may use: `cpu.max` of control groups, e.g. `150000 100000`. */
  readonly quota?: string
  /** `PROMPT2MODEL_THREADS`: what this process is told to make do with, where several share the machine. */
  readonly allowed?: string
}

/** One for each core that this process may use, at most 8. */
export function defaultThreads(processors: Processors = askMachine()): number {
  const { available, shareCores, quota, allowed } = processors
  const cores = available > 2 && shareCores ? Math.ceil(available / 2) : available
  return Math.max(1, Math.min(most, cores, readQuota(quota), Number(allowed) || most))
}

/** Whole processors; a container that has one and a half works best with two threads. */
function readQuota(quota: string | undefined): number {
  const [time, period] = (quota ?? "").split(/\s+/).map(Number)
  return time > 0 && period > 0 ? Math.ceil(time / period) : most
}

function askMachine(): Processors {
  const siblings = readText("/sys/devices/system/cpu/smt/active")
  return {
    available: availableParallelism(),
    shareCores: siblings === undefined ? process.arch === "x64" : siblings === "1",
    quota: readText("/sys/fs/cgroup/cpu.max"),
    allowed: process.env.PROMPT2MODEL_THREADS,
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    return undefined
  }
}
