// How long the inputs are: a small histogram with its median and maximum beside it.
import { colours } from "../colours"
import { formatCount } from "../wording"
import { drawPicture, element, guideLine, label, type Picture } from "./picture"

const barWidth = 14
const step = 16
const baseline = 44
const tallest = 40

export function drawLengthHistogram(lengths: {
  readonly unit: string
  readonly bins: readonly number[]
  readonly median: number
  readonly max: number
}): Picture {
  const most = Math.max(1, ...lengths.bins)
  const bars = lengths.bins.map((rows, index) => {
    // A bin with a single row is still seen.
    const height = rows <= 0 ? 0 : Math.max(1.5, (tallest * rows) / most)
    return element("rect", { x: index * step, y: baseline - height, width: barWidth, height, fill: colours.blue })
  })
  const right = lengths.bins.length * step
  const summary = `median ${formatCount(lengths.median)}, max ${formatCount(lengths.max)}`
  return drawPicture(right + 136, 52, `length of inputs in ${lengths.unit}: ${summary}`, [
    ...bars,
    guideLine(0, baseline + 0.5, right - 2, baseline + 0.5),
    label(right + 6, 20, `input ${lengths.unit}`),
    label(right + 6, 34, summary),
  ])
}
