// Plotly, asked for when the first chart is shown.
import { trans } from "../settings/language"

export type PlainObject = Readonly<Record<string, unknown>>

/** What is used of Plotly. */
export interface Plotly {
  react(node: HTMLElement, data: readonly PlainObject[], layout: PlainObject, config: PlainObject): Promise<unknown>
  purge(node: HTMLElement): void
}

/** The traces that the bundle holds. */
export const traceTypes = ["scatter", "bar", "heatmap", "parcoords"] as const

/** No bar of buttons, no logo, nothing that is sent to anybody. */
export const plotlyConfig: PlainObject = {
  displayModeBar: false,
  displaylogo: false,
  showTips: false,
  responsive: false,
  doubleClick: "reset",
}

let loading: Promise<Plotly> | undefined

/** @throws Error in one sentence, where the server does not send it */
export function loadPlotly(): Promise<Plotly> {
  loading ??= import("./plotly-bundle").then(
    ({ plotly }) => plotly,
    () => {
      loading = undefined
      throw new Error(trans.__("The charts' program did not come from the server: reload the page."))
    },
  )
  return loading
}
