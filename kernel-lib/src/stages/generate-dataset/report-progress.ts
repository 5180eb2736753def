// How far a generation is, what it cost so far, and what it will: told after each answer.
import type { Teacher } from "../../core/teacher"
import type { StageContext } from "../../store/define-stage"
import type { Collector } from "./collect-rows"
import { projectUsd } from "./generation-cost"
import { usualRows } from "./plan-request"

/** What a run had spent before the generation began, and when that was. */
export interface Beginning {
  readonly before: { readonly usd: number; readonly requestsSent: number; readonly requestsReused: number }
  readonly started: number
}

export function reportProgress(
  { accepted, asked, options: { target } }: Collector,
  teacher: Teacher,
  { progress, run: { spending } }: StageContext,
  { before, started }: Beginning,
): void {
  const isCountingAnswers = !Number.isFinite(target)
  const total = isCountingAnswers ? (teacher.totalRows ?? usualRows) : target
  const done = Math.min(total, isCountingAnswers ? asked : accepted)
  const sent = spending.requestsSent - before.requestsSent
  const shareSent = sent / Math.max(1, sent + spending.requestsReused - before.requestsReused)
  const spent = spending.usd - before.usd
  const projected = projectUsd(spent, done * shareSent, total - done)
  const seconds = (performance.now() - started) / 1000
  const counted = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} rows`
  progress({
    ...{ done, total, unit: "rows" },
    note: projected === undefined ? undefined : `${counted}, $${spent.toFixed(2)} of about $${projected.toFixed(2)}`,
    rate: done > 0 ? `${(done / seconds).toPrecision(2)} rows/s` : undefined,
    secondsLeft: done > 0 ? ((total - done) * seconds) / done : undefined,
  })
}
