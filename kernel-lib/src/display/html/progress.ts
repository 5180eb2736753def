// A stage that runs, or one that is over: one quiet line, since the result itself follows it.
import type { ProgressPayload } from "../payloads"
import { escapeMarkup } from "../svg/picture"
import { frameLine } from "./frame"

export function renderProgressHtml({ title, subtitle, done, total, isRunning }: ProgressPayload): string {
  const name = `<b>${escapeMarkup(title)}</b>`
  if (!isRunning || total === undefined || !(total > 0)) return frameLine(`${name} ${escapeMarkup(subtitle)}`)
  return frameLine(`${name} ${renderBar(title, done / total)} · ${escapeMarkup(subtitle)}`)
}

/** A bar of what is done, and its percentage. `share` is in [0, 1]. */
export function renderBar(title: string, share: number): string {
  const percent = Math.round(100 * Math.min(1, Math.max(0, share)))
  const attributes = `role="progressbar" aria-label="${escapeMarkup(title)}" aria-valuenow="${percent}" aria-valuemin="0" aria-valuemax="100"`
  return `<span class="bar" ${attributes}><i style="width:${percent}%"></i></span>${percent}%`
}
