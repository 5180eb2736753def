// Submitters and workers as processes of their own, as people start them.
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class RunningProcess {
  readonly ended: Promise<Ended>
  private readonly child: ChildProcess
  /** All that it wrote, on both ways. */
  said = ""

  /** @param mostBlocks of 1024 bytes, that a file of it may have: what stands for a disk that is full */
  constructor(words: readonly string[], environment: Readonly<Record<string, string>> = {}, mostBlocks?: number) {
    // One thread everywhere, so that sums are in one order.
    const env: NodeJS.ProcessEnv = { ...process.env, PROMPT2MODEL_THREADS: "1", ...environment }
    const command = [process.execPath, ...words]
    const limited = ["bash", "-c", `ulimit -f ${mostBlocks}; exec "$@"`, "bash", ...command]
    const [program, ...rest] = mostBlocks === undefined ? command : limited
    this.child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.said += text
      })
    }
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => resolve({ code, signal })))
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

export interface WorkerChoices {
  readonly environment?: Readonly<Record<string, string>>
  /** Another installation's than the checkout's. */
  readonly program?: string
  readonly mostBlocks?: number
}

export function startWorker(
  words: readonly string[],
  { environment, program = join(__dirname, "../../kernel-lib/bin/prompt2model.mjs"), mostBlocks }: WorkerChoices = {},
): RunningProcess {
  return new RunningProcess([program, "worker", ...words], environment, mostBlocks)
}

export function startSubmitter(word: object): RunningProcess {
  return new RunningProcess([join(__dirname, "ablate-digits.mjs"), JSON.stringify(word)])
}

/** Looks until it is so. @throws Error with `describe()` where it is not so in two minutes */
export async function until(isSo: () => boolean, describe: () => string = () => ""): Promise<void> {
  const end = Date.now() + 120_000
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`It did not come to pass: ${isSo}\n${describe()}`)
    await wait(10)
  }
}
