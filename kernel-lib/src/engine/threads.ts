// How many threads a graph runs on when nobody says.
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"

const most = 8

/** One for each core that this process may use, at most 8. Two hardware threads of one core count as one: they share its arithmetic. */
export function defaultThreads(): number {
  const available = availableParallelism()
  return Math.max(1, Math.min(most, available > 2 && sharesCores() ? Math.ceil(available / 2) : available))
}

function sharesCores(): boolean {
  try {
    return readFileSync("/sys/devices/system/cpu/smt/active", "utf8").trim() === "1"
  } catch {
    return process.arch === "x64" && process.platform !== "linux"
  }
}
