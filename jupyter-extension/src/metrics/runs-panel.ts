// The panel over run folders: curves of the chosen runs above, all runs in a table below, what differs beside them.
import type { Message } from "@lumino/messaging"
import { Widget } from "@lumino/widgets"
import { createElement } from "../viewer/elements"
import { type Curve, type CurveGroup, curvesOf, groupCurves, knownDifferences } from "./compare-runs"
import { CurvesView } from "./curves-view"
import type { AnsweredRow } from "./errors-view"
import { type FoundRuns, type ListedRun, RunFinder } from "./find-runs"
import { FocusedRun } from "./focused-run"
import { FollowedRuns } from "./followed-runs"
import { colourOfRun, mostColours, type RunColour } from "./palette"
import { type PanelState, usualState, type ViewName } from "./panel-state"
import { type CostPoint, PointsChart } from "./points-chart"
import type { RunFiles } from "./run-files"
import { labelOf, RunTable } from "./run-table"
import { RunsBar } from "./runs-bar"
import { SidePanel } from "./side-panel"
import { matchRuns, sortRuns } from "./sort-runs"
import { watchTheme } from "./theme"

export interface RunsPanelOptions {
  readonly folder: string
  readonly files: RunFiles
  readonly state?: PanelState
  onStateChanged(state: PanelState): void
  /** Opens these rows of a file in the dataset viewer. */
  openRows(path: string, column: string, values: readonly string[]): void
  openFolder(path: string): void
}

const mostSettingColumns = 4
/** Points of runs that are not chosen. */
const unchosen = "rgba(138,147,155,0.55)"

export class RunsPanel extends Widget {
  private readonly bar: RunsBar
  private readonly trouble = createElement("div", "p2m-trouble")
  private readonly main = createElement("div", "p2m-view")
  private readonly side = new SidePanel()
  private readonly table: RunTable
  private readonly curves: CurvesView
  private readonly cost: PointsChart
  private readonly finder: RunFinder
  private readonly followed: FollowedRuns
  private readonly abort = new AbortController()
  private readonly forgetTheme: () => void
  private readonly focused: FocusedRun
  private runs: readonly ListedRun[] = []
  private shown: readonly ListedRun[] = []
  private notes: readonly string[] = []
  private state: PanelState
  private groups: readonly CurveGroup[] = []
  private colours: ReadonlyMap<string, RunColour> = new Map()
  private isSearching = true
  private frame = 0

  constructor(private readonly options: RunsPanelOptions) {
    super()
    this.addClass("jp-Prompt2ModelRuns")
    this.state = options.state ?? usualState
    this.bar = new RunsBar(
      options.folder,
      this.state,
      (part) => this.change(part),
      () => this.table.node.focus(),
    )
    this.table = new RunTable({
      choose: (path, isOnly) => this.choose(path, isOnly),
      focus: (path) => this.focusOn(path),
      sort: (column) => this.sortBy(column),
      open: (path) => options.openFolder(path),
      focusSearch: () => this.bar.focusSearch(),
    })
    this.curves = new CurvesView((readout) => this.side.showReadout(readout))
    this.cost = new PointsChart((path) => this.choose(path, false))
    this.focused = new FocusedRun(options.files, { tell: () => this.later(), openRows: (rows) => this.openRows(rows) })
    this.trouble.setAttribute("role", "alert")
    this.trouble.hidden = true
    const left = createElement("div", "p2m-left")
    left.append(this.main, this.table.node)
    const body = createElement("div", "p2m-main")
    body.append(left, this.side.node)
    this.node.append(this.bar.node, this.trouble, body)
    this.forgetTheme = watchTheme(() => this.redraw())
    this.finder = new RunFinder(options.files, options.folder, (found) => this.take(found))
    this.followed = new FollowedRuns(
      options.files,
      () => this.later(),
      (signal) => this.finder.refresh(signal),
      () => this.isVisible && !document.hidden,
    )
    void this.search()
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.abort.abort()
    this.followed.dispose()
    this.forgetTheme()
    cancelAnimationFrame(this.frame)
    for (const part of [this.bar, this.table, this.curves, this.cost, this.focused]) part.dispose()
    super.dispose()
  }

  focusSearch(): void {
    this.bar.focusSearch()
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message)
    this.table.node.focus()
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message)
    this.followed.soon()
    this.later()
  }

  protected override onResize(message: Widget.ResizeMessage): void {
    super.onResize(message)
    this.later()
  }

  private async search(): Promise<void> {
    try {
      await this.finder.search(this.abort.signal)
    } catch (error) {
      this.showTrouble(`The folder ${this.options.folder || "of the server"} cannot be looked into: ${(error as Error).message}`)
    }
    if (this.isDisposed) return
    this.isSearching = false
    this.node.dataset.state = "found"
    this.later()
  }

  private take({ runs, notes }: FoundRuns): void {
    if (this.isDisposed) return
    this.runs = runs
    this.notes = notes
    // Who opens the panel for the first time sees the newest run.
    if (this.state.chosen.length === 0 && this.state.focus === undefined && runs.length > 0) {
      const [newest] = sortRuns(runs, usualState.sort)
      this.state = { ...this.state, chosen: [newest.path], focus: newest.path }
    }
    this.later()
  }

  private change(part: Partial<PanelState>): void {
    this.state = { ...this.state, ...part }
    this.options.onStateChanged(this.state)
    this.later()
  }

  private choose(path: string, isOnly: boolean): void {
    const { chosen } = this.state
    const others = chosen.filter((other) => other !== path)
    const next = isOnly ? [path] : chosen.includes(path) ? others : [...others, path].slice(-mostColours)
    this.change({ chosen: next, focus: path })
    this.table.reveal(path)
  }

  private focusOn(path: string): void {
    this.change({ focus: path })
    this.table.reveal(path)
  }

  private sortBy(column: string): void {
    const { sort } = this.state
    this.change({ sort: { column, isDescending: sort.column === column ? !sort.isDescending : true } })
  }

  /** Once a frame, however much has come. */
  private later(): void {
    if (this.frame !== 0 || this.isDisposed) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      if (!this.isDisposed) this.showAll()
    })
  }

  private showAll(): void {
    const { state } = this
    const known = new Map(this.runs.map((run) => [run.path, run]))
    const chosen = state.chosen.flatMap((path) => known.get(path) ?? [])
    this.followed.follow(chosen.map(({ path }) => path))
    const curves: Curve[] = chosen.flatMap((run) => {
      const events = this.followed.events(run.path)
      return events ? curvesOf(run, events, this.followed.isLive(run.path)) : []
    })
    this.groups = groupCurves(curves, state.areSeedsOne)
    this.colours = this.colourRuns(chosen)
    this.shown = sortRuns(matchRuns(this.runs, state.search), state.sort)
    this.showTable(chosen)
    this.side.showDifferences(this.groups, chosen)
    const focus = known.get(state.focus ?? "")
    this.focused.focus(focus)
    this.showMain(chosen, focus)
    this.showFocus(focus)
  }

  /** As their lines have them; a run without a line has the next one. */
  private colourRuns(chosen: readonly ListedRun[]): Map<string, RunColour> {
    const colours = new Map<string, RunColour>()
    for (const group of this.groups) for (const { run } of group.curves) if (!colours.has(run.path)) colours.set(run.path, group)
    let next = this.groups.length
    for (const { path } of chosen) if (!colours.has(path)) colours.set(path, colourOfRun(next++))
    return colours
  }

  private showTable(chosen: readonly ListedRun[]): void {
    const live = new Map<string, string>()
    for (const { path } of chosen) if (this.followed.isLive(path)) live.set(path, "running")
    const differing = knownDifferences(chosen.map(({ settings }) => settings))
    const counts = new Map<string, number>()
    for (const { scores } of this.runs) for (const name of Object.keys(scores)) counts.set(name, (counts.get(name) ?? 0) + 1)
    const metrics = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name)
    const { state, colours: chosenColours } = this
    this.table.show({
      ...{ runs: this.shown, sort: state.sort, focus: state.focus, live, metrics: metrics.slice(0, 3), chosen: chosenColours },
      settings: (differing.length > 0 ? differing : ["seed"]).filter((name) => name !== "prompt").slice(0, mostSettingColumns),
    })
    this.bar.showFacts(chosen.length, this.shown.length, this.runs.length, live.size)
  }

  private showMain(chosen: readonly ListedRun[], focus: ListedRun | undefined): void {
    const { view } = this.state
    this.node.dataset.view = view
    const shown = this.runs.length === 0 ? this.sayNoRuns() : this.viewOf(view, chosen, focus)
    if (typeof shown !== "string") {
      if (this.main.firstChild !== shown) this.main.replaceChildren(shown)
    } else if (this.main.textContent !== shown) this.main.replaceChildren(createElement("p", "p2m-mute p2m-sentence", shown))
  }

  /** What is to be seen, or the sentence that says why there is nothing. */
  private viewOf(view: ViewName, chosen: readonly ListedRun[], focus: ListedRun | undefined): HTMLElement | string {
    if (view === "curves") return this.viewCurves(chosen)
    if (view === "cost") return this.viewCost()
    if (!focus) return "Choose a run in the table."
    const { errors, errorsView, ablationView } = this.focused
    if (view === "errors") return errorsView ?? (typeof errors === "string" ? errors : "Reading its report ...")
    return ablationView
  }

  private sayNoRuns(): string {
    const { folder } = this.options
    const none = `There are no runs in ${folder === "" ? "these folders" : folder} yet. In a cell: const run = await openRun("runs/first", { teacher, hub })`
    return this.isSearching ? "Looking for runs ..." : [none, ...this.notes].join(". ")
  }

  private viewCurves(chosen: readonly ListedRun[]): HTMLElement | string {
    if (this.groups.length > 0) {
      this.curves.show(this.groups, this.state)
      return this.curves.node
    }
    if (chosen.length === 0) return "Choose runs in the table below to see their curves."
    const troubled = chosen.find(({ path }) => this.followed.trouble(path) !== undefined)
    if (troubled) return `${troubled.run}: ${this.followed.trouble(troubled.path)}`
    const areRead = chosen.every(({ path }) => this.followed.events(path) !== undefined)
    return areRead ? "The chosen runs have trained nothing yet: what they log appears here by itself." : "Reading events ..."
  }

  private viewCost(): HTMLElement | string {
    const metric = Object.keys(this.runs.find(({ scores }) => Object.keys(scores).length > 0)?.scores ?? {})[0]
    const scored = metric === undefined ? [] : this.shown.filter(({ scores }) => scores[metric] !== undefined)
    if (metric === undefined || scored.length === 0) return "No run here has scores yet: evaluate() gives a run its scores."
    const isInDollars = new Set(scored.map(({ usd }) => usd)).size > 1
    const points = scored.map(({ path, run, usd, seconds = 0, scores }): CostPoint => {
      const { value: y, low, high } = scores[metric]
      const colour = this.colours.get(path)?.colour
      return {
        key: path,
        name: run,
        x: isInDollars ? usd : seconds,
        y,
        low,
        high,
        colour: colour ?? unchosen,
        isNamed: colour !== undefined,
      }
    })
    this.cost.show({
      ...{ title: `${labelOf(metric)} against cost; green: best for their cost. A click chooses a run.`, points, isLogX: false },
      ...{ xName: isInDollars ? "dollars for the teacher" : "seconds", yName: labelOf(metric), prefix: isInDollars ? "$" : "" },
    })
    return this.cost.node
  }

  private showFocus(run: ListedRun | undefined): void {
    this.side.showFocus(run, this.focused.errors, {
      open: () => run && this.options.openFolder(run.path),
      openRows: (rows) => this.openRows(rows),
    })
  }

  private openRows(rows: readonly AnsweredRow[]): void {
    const { rowsFile } = this.focused
    const ids = rows.map(({ id }) => id)
    if (rowsFile !== undefined) this.options.openRows(rowsFile, "id", ids)
    else this.showTrouble("The rows of this report stand in no file: evaluate again, and they are kept.")
  }

  private showTrouble(sentence: string): void {
    this.trouble.textContent = sentence
    this.trouble.hidden = false
  }

  private redraw(): void {
    this.curves.draw()
    this.cost.draw()
    this.focused.draw()
  }
}
