// SVG pictures as images. An image cannot know the theme, so its lines are grey with opacity and its text mid-grey.
import { textColours } from "../colours"
import { makeVisible } from "../plain-text"

/** A finished picture: its source, its size in pixels, and what it shows in words. */
export interface Picture {
  readonly svg: string
  readonly width: number
  readonly height: number
  /** What it shows, for those who do not see it. */
  readonly label: string
}

export type Attributes = Readonly<Record<string, string | number>>

/** `text` for XML and HTML, in text and in quoted attributes; nothing in it acts. */
export function escapeMarkup(text: string): string {
  return makeVisible(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** One element. `content` is markup already. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeMarkup(typeof value === "number" ? roundPixels(value) : value)}"`,
  )
  return content === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${content}</${name}>`
}

/** A piece of text; mid-grey unless `attributes` say otherwise. */
export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element("text", { x, y, fill: textColours.grey, ...attributes }, escapeMarkup(text))
}

/** A line for the eye to follow, seen on white and on black. */
export function guideLine(x1: number, y1: number, x2: number, y2: number): string {
  return element("line", { x1, y1, x2, y2, stroke: "#8a939b", "stroke-opacity": 0.3 })
}

export function drawPicture(width: number, height: number, words: string, content: readonly string[]): Picture {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": words,
  }
  const style = { "font-family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "font-size": 11 }
  return { svg: element("svg", { ...attributes, ...style }, content.join("")), width, height, label: words }
}

/** The picture as an HTML image without a script and without a request. */
export function toImage({ svg, width, height, label }: Picture): string {
  const source = `data:image/svg+xml;base64,${Buffer.from(svg, "utf8").toString("base64")}`
  return `<img src="${source}" width="${width}" height="${height}" alt="${escapeMarkup(label)}" aria-label="${escapeMarkup(label)}">`
}

function roundPixels(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : "0"
}

/** Columns that `text` takes at this picture's font size, in pixels; a bit too wide rather than too narrow. */
export function estimateWidth(text: string): number {
  return text.length * 6.1
}
