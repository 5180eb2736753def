// The loss of a training run on a log scale: each step faint, their running mean strong, validation with its points, labels at the lines' ends.
import { colours, textColours } from "../colours"
import { formatCount } from "../wording"
import { drawPicture, element, guideLine, label, type Picture } from "./picture"

type Point = readonly [step: number, loss: number]

const width = 640
const height = 190
const left = 40
const right = 560
const top = 20
const bottom = 155

/** `train` and `validation` are [step, loss]; losses that are not positive numbers are left out. */
export function drawLossCurve(train: readonly Point[], validation: readonly Point[], totalSteps: number): Picture {
  const trainPoints = train.filter(isDrawable)
  const validationPoints = validation.filter(isDrawable)
  const all = [...trainPoints, ...validationPoints]
  if (all.length === 0) return drawPicture(width, 40, "loss: no step yet", [label(left, 24, "no step yet")])
  const lastStep = Math.max(1, totalSteps, ...all.map(([step]) => step))
  const ticks = chooseTicks(Math.min(...all.map(([, loss]) => loss)), Math.max(...all.map(([, loss]) => loss)))
  const [low, high] = [Math.log(ticks[0]), Math.log(ticks[ticks.length - 1])]
  const place = ([step, loss]: Point): Point => [
    left + ((right - left) * step) / lastStep,
    bottom - ((bottom - top) * (Math.log(loss) - low)) / (high - low),
  ]
  const scale = ticks.flatMap((tick) => {
    const y = place([0, tick])[1]
    return [guideLine(left, y, right, y), label(left - 6, y + 4, formatLoss(tick), { "text-anchor": "end" })]
  })
  return drawPicture(width, height, describeCurves(trainPoints, validationPoints, lastStep), [
    ...scale,
    label(left, 10, "loss, log scale"),
    label(left, bottom + 20, "0"),
    label(right, bottom + 20, `${formatCount(lastStep)} steps`, { "text-anchor": "end" }),
    ...drawTrain(trainPoints, place),
    ...drawValidation(validationPoints, place),
    ...drawNames(trainPoints, validationPoints, place),
  ])
}

function isDrawable([step, loss]: Point): boolean {
  return Number.isFinite(step) && Number.isFinite(loss) && loss > 0
}

/** 1, 3, 10 ... around the data; 1, 2, 5 where that gives too few, and every power of ten where it gives too many. */
function chooseTicks(lowest: number, highest: number): number[] {
  let ticks: number[] = []
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const all: number[] = []
    for (let power = Math.floor(Math.log10(lowest)) - 1; power <= Math.ceil(Math.log10(highest)) + 1; power++) {
      all.push(...steps.map((step) => Number((step * 10 ** power).toPrecision(1))))
    }
    const first = all.findLastIndex((tick) => tick <= lowest)
    const last = all.findIndex((tick) => tick >= highest)
    ticks = all.slice(first, Math.max(last, first + 1) + 1)
    if (ticks.length <= 5) return ticks
  }
  const every = Math.ceil(ticks.length / 6)
  return ticks.filter((_, index) => index % every === 0 || index === ticks.length - 1)
}

function drawTrain(points: readonly Point[], place: (point: Point) => Point): string[] {
  if (points.length === 0) return []
  const smooth = smoothLosses(points)
  const strong = drawLine(smooth.map(place), { stroke: colours.blue, "stroke-width": 2 })
  if (points.length === 1) return [drawDot(place(points[0]), colours.blue)]
  return smooth === points ? [strong] : [drawLine(points.map(place), { stroke: colours.blue, "stroke-opacity": 0.25 }), strong]
}

function drawValidation(points: readonly Point[], place: (point: Point) => Point): string[] {
  const placed = points.map(place)
  const line = placed.length > 1 ? [drawLine(placed, { stroke: colours.orange, "stroke-width": 2 })] : []
  return [...line, ...(placed.length <= 60 ? placed.map((point) => drawDot(point, colours.orange)) : [])]
}

/** Names at the lines' ends, apart from each other. */
function drawNames(train: readonly Point[], validation: readonly Point[], place: (point: Point) => Point): string[] {
  const names = [
    ...(train.length > 0 ? [{ text: "train", colour: textColours.blue, end: place(smoothLosses(train).at(-1)!) }] : []),
    ...(validation.length > 0 ? [{ text: "validation", colour: textColours.orange, end: place(validation.at(-1)!) }] : []),
  ].sort((a, b) => a.end[1] - b.end[1])
  const heights = names.map(({ end }) => end[1] + 4)
  // Beside each other they need no room between them.
  if (names.length === 2 && Math.abs(names[0].end[0] - names[1].end[0]) < 70 && heights[1] - heights[0] < 13) {
    const middle = (heights[0] + heights[1]) / 2
    heights[0] = middle - 6.5
    heights[1] = middle + 6.5
  }
  return names.map(({ text, colour, end }, index) => label(end[0] + 8, heights[index], text, { fill: colour }))
}

/** Running mean of the logarithms over a twentieth of the points; the same array where there are few. */
function smoothLosses(points: readonly Point[]): readonly Point[] {
  const reach = Math.floor(points.length / 40)
  if (reach < 1) return points
  return points.map(([step], index) => {
    const around = points.slice(Math.max(0, index - reach), index + reach + 1)
    return [step, Math.exp(around.reduce((sum, [, loss]) => sum + Math.log(loss), 0) / around.length)] as const
  })
}

function drawLine(points: readonly Point[], attributes: Readonly<Record<string, string | number>>): string {
  return element("polyline", {
    fill: "none",
    "stroke-linejoin": "round",
    points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
    ...attributes,
  })
}

function drawDot([cx, cy]: Point, fill: string): string {
  return element("circle", { cx, cy, r: 3, fill })
}

function formatLoss(loss: number): string {
  return loss >= 0.001 && loss < 10000 ? String(Number(loss.toPrecision(3))) : loss.toExponential(0)
}

function describeCurves(train: readonly Point[], validation: readonly Point[], lastStep: number): string {
  const describe = (name: string, points: readonly Point[]) =>
    points.length === 0 ? [] : [`${name} loss from ${formatLoss(points[0][1])} to ${formatLoss(points.at(-1)![1])}`]
  return `${[...describe("train", train), ...describe("validation", validation)].join(", ")}, over ${formatCount(lastStep)} steps`
}
