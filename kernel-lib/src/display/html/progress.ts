// A stage that runs, or one that is over: one line.
import type { ProgressPayload } from "../payloads"
import { escapeMarkup } from "../svg/picture"
import { frame } from "./frame"

export function renderProgressHtml({ title, subtitle, done, total, isRunning }: ProgressPayload): string {
  if (!isRunning || total === undefined || !(total > 0)) return frame(title, subtitle, [])
  const percent = Math.round(100 * Math.min(1, Math.max(0, done / total)))
  const bar = `<span class="bar" role="progressbar" aria-label="${escapeMarkup(title)}" aria-valuenow="${percent}" aria-valuemin="0" aria-valuemax="100"><i style="width:${percent}%"></i></span>`
  return frame(title, "", [`<p>${bar}<span class="sub">${percent}% · ${escapeMarkup(subtitle)}</span></p>`])
}
