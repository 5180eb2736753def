// What a run shows of itself: its stages as its events tell of them, so that a notebook that was closed finds the state again.
import type { RunEvent, Spending } from "../core/run"
import { payloadVersion, type TablePayload } from "../display/payloads"
import { countOf, formatCount, formatSeconds, formatUsd } from "../display/wording"

interface StageLine {
  readonly stage: string
  state: string
  result: string
  seconds?: number
}

/** The name of each type of event that tells how far a stage is. */
const signs = ["training.step", "training.validation", "teacher.response"]

/** @param title what the run is called: its folder, as people wrote it */
export function describeRun(
  title: string,
  events: readonly RunEvent[],
  { spending, maxUsd, teacher }: { readonly spending: Spending; readonly maxUsd?: number; readonly teacher?: string },
): TablePayload {
  const lines = gatherStages(events)
  const paid = maxUsd === undefined ? formatUsd(spending.usd) : `${formatUsd(spending.usd)} of ${formatUsd(maxUsd)}`
  const asked = teacher ? `, ${countOf(spending.requestsSent, "request")} to ${teacher}, ${paid}` : ""
  return {
    kind: "table",
    version: payloadVersion,
    title: "Run",
    subtitle: `${title}: ${countOf(lines.length, "stage")}${asked}`,
    columns: [{ name: "stage" }, { name: "state" }, { name: "result" }, { name: "time", isNumber: true }],
    rows: lines.map(({ stage, state, result, seconds }) => ({
      cells: [stage, state, result, seconds === undefined ? "" : formatSeconds(seconds)],
    })),
    notes: lines.length === 0 ? ["No stage has run in it yet."] : [],
    nextStep: 'await run.latest("fineTune")',
  }
}

/** The stages in the order in which they were first asked for, each as it was last. */
function gatherStages(events: readonly RunEvent[]): StageLine[] {
  const lines = new Map<string, StageLine>()
  let current: StageLine | undefined
  for (const event of events) {
    const { type, stage } = event
    if (typeof stage !== "string") continue
    const key = `${stage} ${String(event.fingerprint)}`
    if (type === "stage.started") {
      current = { stage, state: "begun, not ended", result: "" }
      lines.set(key, current)
    } else if (type === "stage.ended") {
      const { status, summary, seconds } = event
      lines.set(key, { stage, state: status === "partial" ? "partial" : "done", result: textOf(summary), seconds: numberOf(seconds) })
    } else if (type === "stage.failed") {
      lines.set(key, { stage, state: textOf(event.code), result: textOf(event.message) })
    } else if (signs.includes(type) && current?.stage === stage) current.result = describeSign(event) ?? current.result
  }
  return [...lines.values()]
}

/** How far a stage is that has not ended. */
function describeSign({ type, step, loss, epoch }: RunEvent): string | undefined {
  if (type === "training.step" && typeof step === "number" && typeof loss === "number")
    return `step ${formatCount(step)}, epoch ${numberOf(epoch)?.toFixed(1) ?? "?"}, loss ${loss.toFixed(3)}`
  return type === "teacher.response" ? "asking the teacher" : undefined
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : ""
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined
}
