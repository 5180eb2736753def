// Runs the command line as people do: a real process, real files.
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(__dirname, "../..")
export const program = join(root, "kernel-lib/bin/prompt2model.mjs")

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Most resident memory, in megabytes, where the system tells. */
  readonly peakMegabytes: number
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Called with the process and all its stderr so far, each time it writes some. */
  readonly onStderr?: (child: ChildProcess, text: string) => void
}

/** Runs `prompt2model` with these words to its end. */
export function runCommand(words: readonly string[], { env = {}, cwd = root, onStderr }: CommandOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let stdout = ""
    let stderr = ""
    let peakMegabytes = 0
    const watch = setInterval(() => {
      peakMegabytes = Math.max(peakMegabytes, readPeak(child.pid))
    }, 200)
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text
      onStderr?.(child, stderr)
    })
    child.on("error", reject)
    child.on("close", (code) => {
      clearInterval(watch)
      resolve({ code, stdout, stderr, peakMegabytes })
    })
  })
}

/** The kernel's own high-water mark; 0 where there is no /proc. */
function readPeak(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** A file that the tests read freely: what is not there fails where it is looked at. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into files whose shape is what they test
export function readJson(path: string): Record<string, any> {
  return JSON.parse(readFileSync(path, "utf8"))
}
