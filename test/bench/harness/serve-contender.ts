// The contender's side of the line, in TypeScript: answers questions until its parent closes the line.
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import type { MemoryUse } from "./contender"

type Question = Readonly<Record<string, unknown>>
/** biome-ignore lint/suspicious/noExplicitAny: each question has details of its own, which its handler names. */
export type Handlers = Readonly<Record<string, (details: any) => unknown>>

/** Answers each question by the handler of that name; one who measures its memory otherwise than by the process has a handler `memory`. Nothing else may write to standard output: what does is sent to standard error. */
export async function serveContender(handlers: Handlers): Promise<void> {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write
  for await (const line of createInterface({ input: process.stdin })) {
    const { ask, ...details } = JSON.parse(line) as Question & { ask: string }
    try {
      const handler = handlers[ask] ?? (ask === "memory" ? measureMemory : undefined)
      if (!handler) throw new Error(`nobody taught it ${ask}`)
      write(`${JSON.stringify({ answer: (await handler(details)) ?? null })}\n`)
    } catch (error) {
      write(`${JSON.stringify({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })}\n`)
    }
  }
}

export function measureMemory(): MemoryUse {
  const current = process.memoryUsage().rss / 1e6
  return { peak: readPeak() ?? process.resourceUsage().maxRSS / 1e3, current }
}

/** Where the system tells it of this very program: resource usage also counts what its parent had when it started it. */
function readPeak(): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]
    return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6
  } catch {
    return undefined
  }
}
