// A figure: Plotly's JSON for front ends that draw it, and beside it a static picture for those that do not.
import { frame } from "./html/frame"
import { type Picture, toImage } from "./svg/picture"

/** What Plotly draws: `data` and `layout` are plain JSON. `Plotly.newPlot(element, figure.data, figure.layout)`. */
export interface Figure {
  readonly data: readonly Readonly<Record<string, unknown>>[]
  readonly layout: Readonly<Record<string, unknown>>
}

/** A figure that shows itself: by Plotly where the front end has it, else as the picture. */
export function makeFigure(title: string, figure: Figure, picture: Picture): Figure {
  const made: Figure = { data: figure.data, layout: { title: { text: title }, ...figure.layout } }
  const bundle = () => ({
    "application/vnd.plotly.v1+json": made,
    "text/html": frame(title, "", [toImage(picture)]),
    "text/plain": `${title}: ${picture.label}`,
  })
  Object.defineProperty(made, Symbol.for("Jupyter.display"), { value: bundle })
  Object.defineProperty(made, Symbol.for("nodejs.util.inspect.custom"), { value: () => bundle()["text/plain"] })
  return Object.freeze(made)
}
