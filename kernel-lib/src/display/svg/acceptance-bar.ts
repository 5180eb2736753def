// How much of what was asked for got in: one bar, accepted and rejected by reason, with the reasons written under it.
import { type ColourName, colourOfReason, colours, textColours } from "../colours"
import { onOneLine } from "../plain-text"
import { countOf, formatCount } from "../wording"
import { drawPicture, element, escapeMarkup, estimateWidth, label, type Picture } from "./picture"

const width = 560
const barTop = 16
const barHeight = 12
/** A reason with one row of a million is still seen. */
const thinnest = 3
const gap = 1.5
/** Kept free for the sum of what has no room. */
const roomForOthers = 80

interface Share {
  readonly colour: ColourName
  readonly rows: number
}

/** Accepted against rejected rows; `rejected` has most first. */
export function drawAcceptanceBar(accepted: number, rejected: readonly { readonly reason: string; readonly rows: number }[]): Picture {
  const numRejected = rejected.reduce((sum, { rows }) => sum + rows, 0)
  const shares: Share[] = [
    { colour: "green", rows: accepted },
    ...rejected.map(({ reason, rows }) => ({ colour: colourOfReason(reason), rows })),
  ]
  const words = `${countOf(accepted, "row")} accepted, ${formatCount(numRejected)} rejected${numRejected > 0 ? `: ${rejected.map(({ reason, rows }) => `${rows} ${reason}`).join(", ")}` : ""}`
  return drawPicture(width, 46, onOneLine(words), [
    ...drawShares(shares),
    label(0, 10, `${formatCount(accepted)} accepted`),
    label(width, 10, `${formatCount(numRejected)} rejected`, { "text-anchor": "end" }),
    drawReasons(rejected),
  ])
}

function drawShares(shares: readonly Share[]): string[] {
  const shown = shares.filter(({ rows }) => rows > 0)
  const total = shown.reduce((sum, { rows }) => sum + rows, 0)
  if (total === 0) return [element("rect", { x: 0, y: barTop, width, height: barHeight, rx: 2, fill: colours.grey, "fill-opacity": 0.3 })]
  const room = width - gap * (shown.length - 1) - thinnest * shown.length
  let x = 0
  return shown.map(({ colour, rows }) => {
    const rectangle = {
      x,
      y: barTop,
      width: thinnest + Math.max(0, (room * rows) / total),
      height: barHeight,
      rx: 1,
      fill: colours[colour],
    }
    x += rectangle.width + gap
    return element("rect", rectangle)
  })
}

/** How many of the reasons have room in the line under the bar. */
export function countNamedReasons(rejected: readonly { readonly reason: string; readonly rows: number }[]): number {
  let used = 0
  const first = rejected.findIndex((share) => {
    used += estimateWidth(`${describeReason(share)} · `)
    return used > width - roomForOthers
  })
  return first < 0 ? rejected.length : first
}

/** As many reasons as one line holds, each in its colour; the others summed up. */
function drawReasons(rejected: readonly { readonly reason: string; readonly rows: number }[]): string {
  const named = countNamedReasons(rejected)
  const others = rejected.slice(named).reduce((sum, { rows }) => sum + rows, 0)
  const pieces = rejected
    .slice(0, named)
    .map((share) => element("tspan", { fill: textColours[colourOfReason(share.reason)] }, escapeMarkup(describeReason(share))))
  if (others > 0) pieces.push(`${formatCount(others)} ${named === 0 ? "rejected" : "others"}`)
  return element("text", { x: width, y: 42, "text-anchor": "end", fill: textColours.grey }, pieces.join(" · ") || " ")
}

function describeReason({ reason, rows }: { readonly reason: string; readonly rows: number }): string {
  return `${formatCount(rows)} ${onOneLine(reason)}`
}
