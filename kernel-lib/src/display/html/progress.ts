// A stage that runs, or one that is over: one quiet line, since the result itself follows it.
import type { ProgressPayload } from "../payloads"
import { escapeMarkup } from "../svg/picture"
import { frameLine } from "./frame"

export function renderProgressHtml({ title, subtitle, done, total, isRunning }: ProgressPayload): string {
  const name = `<b>${escapeMarkup(title)}</b>`
  if (!isRunning || total === undefined || !(total > 0)) return frameLine(`${name} ${escapeMarkup(subtitle)}`)
  const percent = Math.round(100 * Math.min(1, Math.max(0, done / total)))
  const attributes = `role="progressbar" aria-label="${escapeMarkup(title)}" aria-valuenow="${percent}" aria-valuemin="0" aria-valuemax="100"`
  return frameLine(
    `${name} <span class="bar" ${attributes}><i style="width:${percent}%"></i></span>${percent}% · ${escapeMarkup(subtitle)}`,
  )
}
