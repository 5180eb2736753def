// Which runs a search finds, and runs in the order of a column.
import type { ListedRun } from "./find-runs"
import type { RunSort } from "./run-table"

/** Those that have nothing in the column stand last, whichever way it goes. */
export function sortRuns(runs: readonly ListedRun[], { column, isDescending }: RunSort): ListedRun[] {
  const sign = isDescending ? -1 : 1
  const keyed = runs.map((run, at) => ({ run, at, key: keyOf(run, column) }))
  keyed.sort((a, b) => {
    if (a.key === undefined || b.key === undefined) return a.key === b.key ? a.at - b.at : a.key === undefined ? 1 : -1
    return a.key === b.key ? a.at - b.at : sign * (a.key < b.key ? -1 : 1)
  })
  return keyed.map(({ run }) => run)
}

function keyOf(run: ListedRun, column: string): string | number | undefined {
  if (column.startsWith("score:")) return run.scores[column.slice(6)]?.value
  if (column === "usd") return run.usd
  if (column === "run" || column === "status") return run[column].toLowerCase()
  if (column === "at") return run.at === "" ? undefined : run.at
  const value = run.settings[column]
  return typeof value === "boolean" ? Number(value) : value
}

/** All words of the search stand somewhere in the run's name, its path or its settings. */
export function matchRuns(runs: readonly ListedRun[], search: string): readonly ListedRun[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return runs
  return runs.filter(({ path, status, settings }) => {
    const text = `${path} ${status} ${Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ")}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
