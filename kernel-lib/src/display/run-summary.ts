// A run in one line, from what its run.json says: for the index of runs, and for those that list runs. No Node in here.
import { payloadVersion, type RunIndexEntry } from "./payloads"

type Fields = Readonly<Record<string, unknown>>

/** Members of run.json whose own members were chosen before the run. */
const groupsOfSettings = ["configuration", "training", "rows", "student"] as const
/** What came out, not what was chosen. */
const outcomes = new Set(["training.steps", "training.tokensPerSecond", "training.seconds", "student.bytes", "rows.asked", "rows.failed"])
const mostSettings = 60
const mostCharacters = 120

/** @param content what run.json holds; members of other kinds than expected are left out. @param at ISO 8601 */
export function summarizeRun(run: string, content: Fields, at: string): RunIndexEntry {
  const spending = fieldsOf(content.spending)
  return {
    version: payloadVersion,
    run,
    at,
    status: typeof content.status === "string" ? content.status.slice(0, 20) : "started",
    settings: settingsOf(content),
    scores: scoresOf(content),
    usd: isNumber(spending.usd) ? spending.usd : 0,
    ...(isNumber(content.seconds) && { seconds: content.seconds }),
  }
}

function settingsOf(content: Fields): RunIndexEntry["settings"] {
  const settings: Record<string, string | number | boolean> = {}
  const add = (name: string, value: unknown) => {
    if (outcomes.has(name) || Object.keys(settings).length >= mostSettings) return
    if (typeof value === "string") settings[name] = value.slice(0, mostCharacters)
    else if (isNumber(value) || typeof value === "boolean") settings[name] = value
  }
  if (typeof content.prompt === "string") add("prompt", content.prompt.trim().split("\n", 1)[0])
  for (const group of groupsOfSettings) {
    for (const [name, value] of Object.entries(fieldsOf(content[group]))) add(group === "configuration" ? name : `${group}.${name}`, value)
  }
  return settings
}

function scoresOf({ scores, intervals }: Fields): RunIndexEntry["scores"] {
  const ranges = fieldsOf(intervals)
  return Object.fromEntries(
    Object.entries(fieldsOf(scores))
      .slice(0, 12)
      .flatMap(([metric, value]) => {
        const { low, high } = fieldsOf(ranges[metric])
        return isNumber(value) ? [[metric, { value, ...(isNumber(low) && isNumber(high) && { low, high }) }]] : []
      }),
  )
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value)
}
