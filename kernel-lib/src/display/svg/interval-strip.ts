// A score with its interval on a line from 0 to the metric's best.
import { colours } from "../colours"
import { formatScore } from "../wording"
import { drawPicture, element, guideLine, type Picture } from "./picture"

const width = 180
const height = 14
/** The dot of a score of 0 or 1 is whole. */
const margin = 5

export function drawIntervalStrip(
  score: { readonly value: number; readonly low?: number; readonly high?: number },
  scale: number,
  isOurs: boolean,
): Picture {
  const colour = isOurs ? colours.blue : colours.grey
  const place = (value: number) => margin + (width - 2 * margin) * Math.min(1, Math.max(0, value / scale))
  const hasInterval = score.low !== undefined && score.high !== undefined
  const interval = hasInterval
    ? [
        element("line", {
          x1: place(score.low!),
          y1: 7,
          x2: place(score.high!),
          y2: 7,
          stroke: colour,
          "stroke-width": 4,
          "stroke-opacity": 0.55,
        }),
      ]
    : []
  const words = `${formatScore(score.value, scale)}${hasInterval ? `, 95% interval ${formatScore(score.low, scale)} to ${formatScore(score.high, scale)}` : ""}`
  return drawPicture(width, height, words, [
    guideLine(margin, 7, width - margin, 7),
    ...interval,
    element("circle", { cx: place(score.value), cy: 7, r: 3, fill: colour }),
  ])
}
