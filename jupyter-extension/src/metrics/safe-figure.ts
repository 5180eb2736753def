// Plotly figures out of notebooks that nobody trusts: only what draws, nothing that loads, links or acts.
import { type PlainObject, traceTypes } from "./load-plotly"

/** Members that load pictures, or change the figure when something is clicked. */
const refused = new Set(["images", "updatemenus", "sliders", "frames", "geo", "map", "mapbox", "source", "templateitemname"])
const mostValues = 2_000_000
const mostDepth = 12

export interface SafeFigure {
  readonly data: readonly PlainObject[]
  readonly layout: PlainObject
}

/** @throws Error in one sentence, where it cannot be drawn */
export function readFigure(value: unknown): SafeFigure {
  if (!isPlain(value) || !Array.isArray(value.data)) throw new Error("This output says that it is a Plotly figure, but it has no data.")
  const budget = { left: mostValues }
  const data = value.data.slice(0, 400).map((trace) => {
    const type = isPlain(trace) ? (trace.type ?? "scatter") : undefined
    if (!traceTypes.includes(type as never))
      throw new Error(
        `This figure has a trace of type ${String(type).slice(0, 40)}, which is not drawn here: install plotly's own extension.`,
      )
    return clean(trace, budget, 0) as PlainObject
  })
  return { data, layout: isPlain(value.layout) ? (clean(value.layout, budget, 0) as PlainObject) : {} }
}

function clean(value: unknown, budget: { left: number }, depth: number): unknown {
  if (--budget.left < 0 || depth > mostDepth) throw new Error("This figure is too large to be drawn.")
  if (typeof value === "string") return cleanText(value)
  if (Array.isArray(value)) return value.map((item) => clean(item, budget, depth + 1))
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !refused.has(name) && name !== "__proto__" && name !== "constructor")
      .map(([name, member]) => [name, clean(member, budget, depth + 1)]),
  )
}

/** Plotly knows a few tags in texts; links and styles among them could fetch something. */
function cleanText(text: string): string {
  return text.includes("<") ? text.replace(/<(?!\/?(?:b|i|br|sub|sup)\s*\/?>)/gi, "\u2039") : text
}

function isPlain(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
