// The line above the runs: how many there are, the search, and how their curves are drawn.
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import type { PanelState, ViewName } from "./panel-state"
import type { AxisName } from "./run-events"
import { type Control, createChoice, createSlider, createSwitch } from "./switches"

export class RunsBar {
  readonly node = createElement("div", "p2m-bar")
  private readonly facts = createElement("span", "p2m-mute")
  private readonly input = createElement("input", "p2m-search")
  private readonly view: Control<ViewName>
  private typing: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly folder: string,
    state: PanelState,
    change: (part: Partial<PanelState>) => void,
    focusTable: () => void,
  ) {
    const title = createElement("span", "p2m-title", trans.__("Runs"))
    this.facts.setAttribute("role", "status")
    this.input.type = "search"
    this.input.placeholder = trans.__("search runs and settings")
    this.input.value = state.search
    this.input.setAttribute("aria-label", trans.__("Search runs and settings"))
    this.input.addEventListener("input", () => {
      clearTimeout(this.typing)
      this.typing = setTimeout(() => change({ search: this.input.value }), 120)
    })
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape" && event.key !== "ArrowDown") return
      if (event.key === "Escape") this.input.value = ""
      clearTimeout(this.typing)
      change({ search: this.input.value })
      focusTable()
      event.preventDefault()
      event.stopPropagation()
    })
    this.view = createChoice(trans.__("show"), wordsOfViews(), state.view, (view) => change({ view }))
    const slider = createSlider(trans.__("smooth"), { value: state.smoothing, most: 0.98, step: 0.02 }, (smoothing) =>
      change({ smoothing }),
    )
    const tools = createElement("span", "p2m-tools")
    const ofCurves = createElement("span", "p2m-tools p2m-of-curves")
    const areOne = trans.__("Runs that differ in their seed alone are one line")
    ofCurves.append(
      createChoice(trans.__("x:"), wordsOfAxes(), state.axis, (axis) => change({ axis })).node,
      slider.node,
      createSwitch(trans.__("log x"), state.isLogX, (isLogX) => change({ isLogX }), trans.__("A logarithmic x axis")).node,
      createSwitch(trans.__("log y"), state.isLogY, (isLogY) => change({ isLogY }), trans.__("A logarithmic y axis")).node,
      createSwitch(trans.__("mean over seeds"), state.areSeedsOne, (areSeedsOne) => change({ areSeedsOne }), areOne).node,
    )
    tools.append(this.view.node, ofCurves)
    this.node.append(title, this.facts, this.input, tools)
  }

  showFacts(numChosen: number, numShown: number, numRuns: number, numLive: number): void {
    const parts = [
      ...(this.folder === "" ? [] : [trans.__("in %1", this.folder)]),
      trans.__("%1 of %2 chosen", formatCount(numChosen), formatCount(numRuns)),
      ...(numShown < numRuns ? [trans._n("%2 matches", "%2 match", numShown, formatCount(numShown))] : []),
      ...(numLive > 0 ? [trans.__("%1 running", formatCount(numLive))] : []),
    ]
    const text = parts.join(" \u00b7 ")
    if (this.facts.textContent !== text) this.facts.textContent = text
  }

  focusSearch(): void {
    this.input.focus()
    this.input.select()
  }

  setView(view: ViewName): void {
    this.view.set(view)
  }

  dispose(): void {
    clearTimeout(this.typing)
  }
}

function wordsOfViews(): Readonly<Record<ViewName, string>> {
  return { curves: trans.__("curves"), cost: trans.__("cost"), errors: trans.__("errors"), ablation: trans.__("ablation") }
}

function wordsOfAxes(): Readonly<Record<AxisName, string>> {
  return { step: trans.__("step"), tokens: trans.__("tokens"), time: trans.__("time") }
}
