// Figures and sentences as all renderings write them.
import type { DatasetPayload, DemoPayload } from "./payloads"
import { onOneLine } from "./plain-text"

/** 12000 as `12,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en")
}

/** A count with its noun: `1 row`, `2,000 rows`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`
}

/** A score as people read it: three decimals for shares, one for scores up to 100. */
export function formatScore(value: number | undefined, scale: number): string {
  return value === undefined || !Number.isFinite(value) ? "-" : value.toFixed(scale === 1 ? 3 : 1)
}

/** Seconds as `0.4 s`, `34 s`, `3 min 12 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "-"
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`
}

/** Dollars as `$0`, `$0.0004`, `$0.42`, `$12.50`. */
export function formatUsd(usd: number): string {
  if (usd === 0) return "$0"
  return usd < 0.01 ? `$${usd.toPrecision(1)}` : `$${usd.toFixed(2)}`
}

/** Rejected rows as a sentence: `31 duplicate, 22 near-duplicate`. At most `most` reasons; the others are summed up. */
export function describeRejected(rejected: readonly { readonly reason: string; readonly rows: number }[], most = 6): string {
  const named = rejected.slice(0, most).map(({ reason, rows }) => `${formatCount(rows)} ${onOneLine(reason)}`)
  const others = rejected.slice(most).reduce((sum, { rows }) => sum + rows, 0)
  return [...named, ...(others > 0 ? [`${formatCount(others)} for other reasons`] : [])].join(", ")
}

/** The sentence of a dataset; a simulated teacher is called so. */
export function datasetSubtitle({ subtitle, isSimulated }: DatasetPayload): string {
  return isSimulated && !/simulated/i.test(subtitle) ? `${subtitle}, simulated teacher` : subtitle
}

/** The splits that the subtitle does not name already. */
export function splitsToName({ splits = [], subtitle }: DatasetPayload): NonNullable<DatasetPayload["splits"]> {
  return splits.filter(({ name, rows }) => !subtitle.includes(`${formatCount(rows)} ${name}`))
}

/** How a program calls it. */
export function demoCommand({ url, examples }: DemoPayload): string {
  const body = JSON.stringify({ inputs: [examples[0] ?? "..."] }).replaceAll("'", "'\\''")
  return `curl -s ${url.replace(/\/$/, "")}/predict -H 'content-type: application/json' -d '${body}'`
}
