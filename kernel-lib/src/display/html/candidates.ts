// Candidates: datasets or models in the order in which they were ranked, each with why it stands there.
import type { CandidatesPayload } from "../payloads"
import { escapeMarkup } from "../svg/picture"
import { areShort, foot, frame, nextStep, table } from "./frame"

export function renderCandidatesHtml(payload: CandidatesPayload): string {
  const shown = payload.candidates.slice(0, 10)
  const columns = [
    { name: "", isNumber: true },
    { name: payload.what === "datasets" ? "dataset" : "model", isWhole: areShort(shown.map(({ name }) => name)) },
    ...payload.columns.map((column, index) => ({ ...column, isWhole: areShort(shown.map(({ cells }) => cells[index] ?? "")) })),
    { name: "why it ranks here" },
  ]
  const rows = shown.map(({ name, cells, why, isChosen }, index) => [
    String(index),
    isChosen ? `<b>${escapeMarkup(name)}</b>` : escapeMarkup(name),
    ...payload.columns.map((_, column) => escapeMarkup(cells[column] ?? "")),
    escapeMarkup(why),
  ])
  return frame(payload.title, payload.subtitle, [
    rows.length === 0 ? "" : table(columns, rows),
    foot([
      rows.length === 0 ? `No ${payload.what} fit.` : "",
      payload.candidates.length > shown.length ? `${shown.length} of ${payload.candidates.length} candidates.` : "",
      nextStep(payload.nextStep),
    ]),
  ])
}
