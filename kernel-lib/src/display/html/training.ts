// A training run, while it runs or after: its figures and its loss.
import type { TrainingPayload } from "../payloads"
import { drawLossCurve } from "../svg/loss-curve"
import { escapeMarkup, toImage } from "../svg/picture"
import { facts, foot, frame, nextStep } from "./frame"
import { renderBar } from "./progress"

export function renderTrainingHtml(payload: TrainingPayload): string {
  const picture = drawLossCurve(payload.train, payload.validation, payload.totalSteps)
  const reached = payload.train.at(-1)?.[0] ?? 0
  const isUnderWay = payload.isRunning && payload.totalSteps > 0
  return frame(payload.title, payload.subtitle, [
    isUnderWay ? `<p class="sub">${renderBar(payload.title, reached / payload.totalSteps)}</p>` : "",
    facts(payload.facts.map(({ label, value }) => `<b>${escapeMarkup(value)}</b> ${escapeMarkup(label)}`)),
    toImage(picture),
    foot([nextStep(payload.nextStep)]),
  ])
}
