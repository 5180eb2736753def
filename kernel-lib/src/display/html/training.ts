// A training run, while it runs or after: its figures and its loss.
import type { TrainingPayload } from "../payloads"
import { drawLossCurve } from "../svg/loss-curve"
import { escapeMarkup, toImage } from "../svg/picture"
import { facts, foot, frame, nextStep } from "./frame"

export function renderTrainingHtml(payload: TrainingPayload): string {
  const picture = drawLossCurve(payload.train, payload.validation, payload.totalSteps)
  return frame(payload.title, payload.subtitle, [
    facts(payload.facts.map(({ label, value }) => `<b>${escapeMarkup(value)}</b> ${escapeMarkup(label)}`)),
    toImage(picture),
    foot([nextStep(payload.nextStep)]),
  ])
}
