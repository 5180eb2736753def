// What of the panel is the same again after a reload.
import { arrayOf, isFields, numberOf } from "./read-results"
import type { AxisName } from "./run-events"
import type { RunSort } from "./run-table"

export const views = ["curves", "cost", "errors", "ablation"] as const
export type ViewName = (typeof views)[number]
export const axes: readonly AxisName[] = ["step", "tokens", "time"]

export interface PanelState {
  readonly chosen: readonly string[]
  readonly focus: string | undefined
  readonly search: string
  readonly sort: RunSort
  readonly axis: AxisName
  readonly smoothing: number
  readonly isLogX: boolean
  readonly isLogY: boolean
  readonly areSeedsOne: boolean
  readonly view: ViewName
  /** Whether the folder had an index when it was looked into last. */
  readonly isIndexed: boolean
}

export const usualState: PanelState = {
  ...{ chosen: [], focus: undefined, search: "", sort: { column: "at", isDescending: true }, axis: "step", smoothing: 0.6 },
  ...{ isLogX: false, isLogY: false, areSeedsOne: true, view: "curves", isIndexed: false },
}

/** What was kept, as far as it is what was expected. */
export function readState(value: unknown): PanelState | undefined {
  if (!isFields(value)) return undefined
  const sort = isFields(value.sort) ? value.sort : {}
  const oneOf = <Value extends string>(values: readonly Value[], given: unknown, usual: Value) =>
    values.includes(given as Value) ? (given as Value) : usual
  return {
    chosen: arrayOf(value.chosen).filter((path): path is string => typeof path === "string"),
    focus: typeof value.focus === "string" ? value.focus : undefined,
    search: typeof value.search === "string" ? value.search : "",
    sort: typeof sort.column === "string" ? { column: sort.column, isDescending: sort.isDescending === true } : usualState.sort,
    axis: oneOf(axes, value.axis, usualState.axis),
    smoothing: Math.min(0.99, Math.max(0, numberOf(value.smoothing) ?? usualState.smoothing)),
    isLogX: value.isLogX === true,
    isLogY: value.isLogY === true,
    areSeedsOne: value.areSeedsOne !== false,
    view: oneOf(views, value.view, usualState.view),
    isIndexed: value.isIndexed === true,
  }
}
