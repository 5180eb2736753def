// Lines over two linear scales, each with its name at its end: one panel of a picture.
import type { ColourName } from "../colours"
import { colours, textColours } from "../colours"
import { element, guideLine, label } from "./picture"

export interface LineChart {
  /** What is drawn, over the panel: `rejected by temperature`. */
  readonly title: string
  readonly x: { readonly low: number; readonly high: number; readonly name: string; readonly format: (value: number) => string }
  readonly y: { readonly low: number; readonly high: number; readonly format: (value: number) => string }
  readonly lines: readonly {
    readonly name: string
    readonly colour: ColourName
    readonly points: readonly (readonly [number, number])[]
  }[]
}

/** Where a panel is, in pixels, without the room for labels around it. */
export interface Panel {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const ticks = 4

/** The panel's elements. Names need some 90 pixels to the right of it. */
export function drawLineChart({ title, x, y, lines }: LineChart, { left, top, width, height }: Panel): string[] {
  const placeX = (value: number) => left + (width * (value - x.low)) / (x.high - x.low || 1)
  const placeY = (value: number) => top + height - (height * (value - y.low)) / (y.high - y.low || 1)
  const scale = Array.from({ length: ticks + 1 }, (_, index) => y.low + ((y.high - y.low) * index) / ticks).flatMap((value) => [
    guideLine(left, placeY(value), left + width, placeY(value)),
    label(left - 6, placeY(value) + 4, y.format(value), { "text-anchor": "end" }),
  ])
  const drawn = lines.flatMap(({ colour, points }) =>
    points.length === 1
      ? [element("circle", { cx: placeX(points[0][0]), cy: placeY(points[0][1]), r: 3, fill: colours[colour] })]
      : [
          element("polyline", {
            fill: "none",
            stroke: colours[colour],
            "stroke-width": 2,
            "stroke-linejoin": "round",
            points: points.map(([at, value]) => `${placeX(at).toFixed(1)},${placeY(value).toFixed(1)}`).join(" "),
          }),
        ],
  )
  return [
    label(left, top - 12, title),
    ...scale,
    label(left, top + height + 16, x.format(x.low)),
    label(left + width, top + height + 16, x.format(x.high), { "text-anchor": "end" }),
    label(left + width / 2, top + height + 16, x.name, { "text-anchor": "middle" }),
    ...drawn,
    ...drawNames(lines, (points) => placeY(points.at(-1)![1]), left + width + 8),
  ]
}

/** Names beside the lines' ends, from the top down, none over another. */
function drawNames(lines: LineChart["lines"], heightOf: (points: LineChart["lines"][number]["points"]) => number, left: number): string[] {
  let above = Number.NEGATIVE_INFINITY
  return lines
    .filter(({ points, name }) => points.length > 0 && name !== "")
    .map((line) => ({ ...line, y: heightOf(line.points) + 4 }))
    .sort((a, b) => a.y - b.y)
    .map(({ name, colour, y }) => {
      above = Math.max(y, above + 13)
      return label(left, above, name, { fill: textColours[colour] })
    })
}
