// The panel over run folders: curves of the chosen runs above, all runs in a table below, what differs beside them.
import type { Message } from "@lumino/messaging"
import { Widget } from "@lumino/widgets"
import type { Filter } from "../protocol"
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import { type Curve, type CurveGroup, curvesOf, groupCurves, knownDifferences } from "./compare-runs"
import type { AnsweredRow } from "./errors-view"
import { type FoundRuns, type ListedRun, RunFinder } from "./find-runs"
import { FocusedRun } from "./focused-run"
import { FollowedRuns } from "./followed-runs"
import { MainView } from "./main-view"
import { colourOfRun, mostColours, type RunColour } from "./palette"
import { type PanelState, usualState } from "./panel-state"
import type { RunFiles } from "./run-files"
import { RunTable } from "./run-table"
import { RunsBar } from "./runs-bar"
import { SidePanel } from "./side-panel"
import { matchRuns, sortRuns } from "./sort-runs"
import { watchTheme } from "./theme"

export interface RunsPanelOptions {
  readonly folder: string
  readonly files: RunFiles
  readonly state?: PanelState
  onStateChanged(state: PanelState): void
  /** Opens the rows of a file that pass these filters in the dataset viewer. */
  openRows(path: string, filters: readonly Filter[]): void
  openFolder(path: string): void
}

const mostSettingColumns = 4

export class RunsPanel extends Widget {
  private readonly bar: RunsBar
  private readonly trouble = createElement("div", "p2m-trouble")
  private readonly main: MainView
  private readonly side = new SidePanel()
  private readonly table: RunTable
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
    this.addClass("jp-Prompt2Model")
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
    this.focused = new FocusedRun(options.files, { tell: () => this.later(), openRows: (rows) => this.openRows(rows) })
    this.trouble.setAttribute("role", "alert")
    this.trouble.hidden = true
    this.forgetTheme = watchTheme(() => this.redraw())
    this.finder = new RunFinder(options.files, options.folder, (found) => this.take(found))
    this.followed = new FollowedRuns(
      options.files,
      () => this.later(),
      (signal) => this.finder.refresh(signal),
      () => this.isVisible && !document.hidden,
    )
    this.main = new MainView(this.followed, this.focused, {
      choose: (path) => this.choose(path, false),
      readOut: (readout) => this.side.showReadout(readout),
    })
    const left = createElement("div", "p2m-left")
    left.append(this.main.node, this.table.node)
    const body = createElement("div", "p2m-main")
    body.append(left, this.side.node)
    this.node.append(this.bar.node, this.trouble, body)
    void this.search()
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.abort.abort()
    this.followed.dispose()
    this.forgetTheme()
    cancelAnimationFrame(this.frame)
    for (const part of [this.bar, this.table, this.main, this.focused]) part.dispose()
    super.dispose()
  }

  focusSearch(): void {
    this.bar.focusSearch()
  }

  /** Chooses this run alone, as soon as it is found. */
  showRun(path: string): void {
    this.choose(path, true)
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
      await this.finder.search(this.abort.signal, this.state.isIndexed)
    } catch (error) {
      this.showTrouble(trans.__("The folder %1 cannot be looked into: %2", this.options.folder || "/", (error as Error).message))
    }
    if (this.isDisposed) return
    this.isSearching = false
    if (this.finder.hasIndex !== this.state.isIndexed) this.change({ isIndexed: this.finder.hasIndex })
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
    for (const { path } of chosen) if (this.followed.isLive(path)) live.set(path, trans.__("running"))
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
    const { state, isSearching, notes, runs, shown, groups, colours } = this
    this.node.dataset.view = state.view
    this.main.show({ folder: this.options.folder, state, isSearching, notes, runs, shown, chosen, focus, groups, colours })
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
    if (rowsFile !== undefined) this.options.openRows(rowsFile, [{ kind: "values", column: "id", values: ids }])
    else this.showTrouble(trans.__("The rows of this report stand in no file: evaluate again, and they are kept."))
  }

  private showTrouble(sentence: string): void {
    this.trouble.textContent = sentence
    this.trouble.hidden = false
  }

  private redraw(): void {
    this.main.draw()
    this.focused.draw()
  }
}
