// Plotly with the traces that our charts and the library's figures are made of, as a part of its own: it comes when the first chart is shown.
import bar from "plotly.js/lib/bar"
import core from "plotly.js/lib/core"
import heatmap from "plotly.js/lib/heatmap"
import parcoords from "plotly.js/lib/parcoords"
import type { Plotly } from "./load-plotly"

core.register([bar, heatmap, parcoords])

export const plotly = core as unknown as Plotly
