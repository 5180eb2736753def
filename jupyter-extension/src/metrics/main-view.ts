// What is above the table of runs: curves, cost against quality, or what the run in focus got wrong and its ablation; or the sentence that says why
// there is nothing to be seen.
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import type { CurveGroup } from "./compare-runs"
import { CurvesView, type Readout } from "./curves-view"
import type { ListedRun } from "./find-runs"
import type { FocusedRun } from "./focused-run"
import type { FollowedRuns } from "./followed-runs"
import type { RunColour } from "./palette"
import type { PanelState } from "./panel-state"
import { type CostPoint, PointsChart } from "./points-chart"
import { labelOf } from "./run-table"

/** Points of runs that are not chosen. */
const unchosen = "rgba(138,147,155,0.55)"

export interface MainViewState {
  readonly folder: string
  readonly state: PanelState
  readonly isSearching: boolean
  readonly notes: readonly string[]
  readonly runs: readonly ListedRun[]
  /** Those that the search finds. */
  readonly shown: readonly ListedRun[]
  readonly chosen: readonly ListedRun[]
  readonly focus: ListedRun | undefined
  readonly groups: readonly CurveGroup[]
  readonly colours: ReadonlyMap<string, RunColour>
}

export class MainView {
  readonly node = createElement("div", "p2m-view")
  private readonly curves: CurvesView
  private readonly cost: PointsChart

  constructor(
    private readonly followed: FollowedRuns,
    private readonly focused: FocusedRun,
    actions: { choose(path: string): void; readOut(readout: Readout | undefined): void },
  ) {
    this.curves = new CurvesView((readout) => actions.readOut(readout))
    this.cost = new PointsChart((path) => actions.choose(path))
  }

  show(seen: MainViewState): void {
    const shown = seen.runs.length === 0 ? sayNoRuns(seen) : this.viewOf(seen)
    if (typeof shown !== "string") {
      if (this.node.firstChild !== shown) this.node.replaceChildren(shown)
    } else if (this.node.textContent !== shown) this.node.replaceChildren(createElement("p", "p2m-mute p2m-sentence", shown))
  }

  /** In the colours that the page has now. */
  draw(): void {
    this.curves.draw()
    this.cost.draw()
  }

  dispose(): void {
    this.curves.dispose()
    this.cost.dispose()
  }

  private viewOf(seen: MainViewState): HTMLElement | string {
    const { view } = seen.state
    if (view === "curves") return this.viewCurves(seen)
    if (view === "cost") return this.viewCost(seen)
    if (!seen.focus) return trans.__("Choose a run in the table.")
    const { errors, errorsView, ablationView } = this.focused
    if (view === "errors") return errorsView ?? (typeof errors === "string" ? errors : trans.__("Reading its report ..."))
    return ablationView
  }

  private viewCurves({ groups, state, chosen }: MainViewState): HTMLElement | string {
    if (groups.length > 0) {
      this.curves.show(groups, state)
      return this.curves.node
    }
    if (chosen.length === 0) return trans.__("Choose runs in the table below to see their curves.")
    const troubled = chosen.find(({ path }) => this.followed.trouble(path) !== undefined)
    if (troubled) return `${troubled.run}: ${this.followed.trouble(troubled.path)}`
    const areRead = chosen.every(({ path }) => this.followed.events(path) !== undefined)
    return areRead
      ? trans.__("The chosen runs have trained nothing yet: what they log appears here by itself.")
      : trans.__("Reading events ...")
  }

  private viewCost({ runs, shown, colours }: MainViewState): HTMLElement | string {
    const metric = Object.keys(runs.find(({ scores }) => Object.keys(scores).length > 0)?.scores ?? {})[0]
    const scored = metric === undefined ? [] : shown.filter(({ scores }) => scores[metric] !== undefined)
    if (metric === undefined || scored.length === 0) return trans.__("No run here has scores yet: evaluate() gives a run its scores.")
    const isInDollars = new Set(scored.map(({ usd }) => usd)).size > 1
    const points = scored.map(({ path, run, usd, seconds = 0, scores }): CostPoint => {
      const { value: y, low, high } = scores[metric]
      const colour = colours.get(path)?.colour
      const place = { x: isInDollars ? usd : seconds, y, low, high }
      return { key: path, name: run, ...place, colour: colour ?? unchosen, isNamed: colour !== undefined }
    })
    const title = trans.__("%1 against cost; green: best for their cost. A click chooses a run.", labelOf(metric))
    const xName = isInDollars ? trans.__("dollars for the teacher") : trans.__("seconds")
    this.cost.show({ title, points, isLogX: false, xName, yName: labelOf(metric), prefix: isInDollars ? "$" : "" })
    return this.cost.node
  }
}

function sayNoRuns({ folder, isSearching, notes }: MainViewState): string {
  if (isSearching) return trans.__("Looking for runs ...")
  const code = 'const run = await openRun("runs/first", { teacher, hub })'
  const none =
    folder === ""
      ? trans.__("There are no runs in these folders yet. In a cell: %1", code)
      : trans.__("There are no runs in %1 yet. In a cell: %2", folder, code)
  return [none, ...notes].join(". ")
}
