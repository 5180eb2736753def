// The table of runs: a thousand of them scroll, since only the rows in sight are elements. A click chooses, a second one lets go.
import { formatScore, formatUsd } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import { wordsOf } from "./compare-runs"
import type { ListedRun } from "./find-runs"
import type { RunColour } from "./palette"
import { createTable, renderTrack } from "./result-parts"

export interface RunSort {
  readonly column: string
  readonly isDescending: boolean
}

export interface TableState {
  /** In the order in which they are shown. */
  readonly runs: readonly ListedRun[]
  readonly sort: RunSort
  /** Settings with a column of their own. */
  readonly settings: readonly string[]
  readonly metrics: readonly string[]
  readonly chosen: ReadonlyMap<string, RunColour>
  readonly focus: string | undefined
  readonly live: ReadonlyMap<string, string>
}

export interface TableActions {
  /** `isOnly` lets go of all others. */
  choose(path: string, isOnly: boolean): void
  focus(path: string): void
  sort(column: string): void
  open(path: string): void
  focusSearch(): void
}

const rowHeight = 27
const beyond = 8

interface Column {
  readonly key: string
  readonly name: string
  readonly isNumber?: boolean
  fill(cell: HTMLTableCellElement, run: ListedRun): void
}

export class RunTable {
  readonly node = createElement("div", "p2m-runs")
  private state: TableState | undefined
  private first = -1
  private frame = 0

  constructor(private readonly actions: TableActions) {
    this.node.tabIndex = 0
    this.node.setAttribute("role", "region")
    this.node.dataset.lmSuppressShortcuts = "true"
    this.node.setAttribute("aria-label", trans.__("Runs. Arrow keys move, space chooses, Enter chooses only this one."))
    this.node.addEventListener("scroll", () => this.later())
    this.node.addEventListener("keydown", (event) => this.press(event))
  }

  show(state: TableState): void {
    this.state = state
    this.first = -1
    this.draw()
  }

  dispose(): void {
    cancelAnimationFrame(this.frame)
  }

  /** Puts the run's row into sight. */
  reveal(path: string): void {
    const at = this.state?.runs.findIndex((run) => run.path === path) ?? -1
    if (at < 0) return
    const top = at * rowHeight
    const inSight = this.node.clientHeight - 2 * rowHeight
    if (top < this.node.scrollTop) this.node.scrollTop = top
    else if (top > this.node.scrollTop + inSight) this.node.scrollTop = top - inSight
  }

  private later(): void {
    if (this.frame === 0)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0
        this.draw()
      })
  }

  private draw(): void {
    if (!this.state) return
    const { runs } = this.state
    const first = Math.max(0, Math.floor(this.node.scrollTop / rowHeight) - beyond)
    if (first === this.first) return
    this.first = first
    const last = Math.min(runs.length, first + Math.ceil((this.node.clientHeight || 400) / rowHeight) + 2 * beyond)
    const columns = this.columns(this.state)
    const table = createTable(trans.__("Runs"), [])
    table.classList.add("p2m-run-table")
    table.setAttribute("aria-rowcount", String(runs.length + 1))
    table.tHead!.rows[0].append(...columns.map((column) => this.head(column)))
    const body = table.tBodies[0]
    if (first > 0) body.append(spacer(first, columns.length))
    for (let at = first; at < last; at++) body.append(this.row(runs[at], at, columns))
    if (last < runs.length) body.append(spacer(runs.length - last, columns.length))
    const { scrollTop } = this.node
    this.node.replaceChildren(table)
    this.node.scrollTop = scrollTop
  }

  private head({ key, name, isNumber }: Column): HTMLElement {
    const { sort } = this.state!
    const cell = createElement("th", isNumber ? "p2m-number" : "")
    cell.scope = "col"
    if (sort.column === key) cell.ariaSort = sort.isDescending ? "descending" : "ascending"
    if (name === "") {
      cell.ariaLabel = trans.__("95% interval")
      return cell
    }
    const button = createElement("button", "p2m-sort", name)
    button.type = "button"
    button.tabIndex = -1
    button.addEventListener("click", () => this.actions.sort(key))
    cell.append(button)
    return cell
  }

  private row(run: ListedRun, at: number, columns: readonly Column[]): HTMLElement {
    const { chosen, focus } = this.state!
    const row = createElement("tr")
    row.setAttribute("aria-rowindex", String(at + 2))
    row.setAttribute("aria-selected", String(chosen.has(run.path)))
    row.dataset.path = run.path
    if (run.path === focus) row.classList.add("p2m-focus")
    for (const column of columns) {
      const cell = row.insertCell()
      if (column.isNumber) cell.className = "p2m-number"
      column.fill(cell, run)
    }
    row.addEventListener("click", (event) => {
      this.node.focus({ preventScroll: true })
      this.actions.choose(run.path, !(event.ctrlKey || event.metaKey || event.shiftKey) && event.detail > 1)
    })
    return row
  }

  private columns({ settings, metrics, chosen, live }: TableState): Column[] {
    const text = (key: string, name: string, say: (run: ListedRun) => string, isNumber = false): Column => ({
      ...{ key, name, isNumber },
      fill: (cell, run) => cell.append(createElement("span", "", say(run))),
    })
    const [first, ...others] = metrics
    return [
      {
        key: "run",
        name: trans.__("run"),
        fill: (cell, run) => cell.append(markOf(chosen.get(run.path)), createElement("span", "p2m-run-name", run.run)),
      },
      {
        ...{ key: "status", name: trans.__("status") },
        fill: (cell, run) => {
          const words = live.get(run.path) ?? statusOf(run)
          cell.append(
            createElement(
              "span",
              run.status === "failed" && !live.has(run.path) ? "p2m-bad" : live.has(run.path) ? "p2m-live" : "p2m-mute",
              words,
            ),
          )
        },
      },
      ...settings.map((name) => text(name, wordsOf(name), ({ settings: own }) => sayShort(own[name]), false)),
      ...(first === undefined ? [] : [scoreColumn(first), trackColumn(first, chosen)]),
      ...others.map(scoreColumn),
      text("usd", trans.__("cost"), ({ usd }) => formatUsd(usd), true),
      { key: "at", name: trans.__("when"), fill: (cell, { at }) => cell.append(createElement("span", "p2m-mute", sayTime(at))) },
    ]
  }

  private press(event: KeyboardEvent): void {
    if (!this.state || event.ctrlKey || event.metaKey || event.altKey) return
    const { runs, focus } = this.state
    const at = runs.findIndex(({ path }) => path === focus)
    const page = Math.max(1, Math.floor(this.node.clientHeight / rowHeight) - 2)
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page }
    const ends: Readonly<Record<string, number>> = { Home: 0, g: 0, End: runs.length - 1, G: runs.length - 1 }
    if (event.key in steps || event.key in ends) {
      const next = event.key in ends ? ends[event.key] : Math.min(runs.length - 1, Math.max(0, at + steps[event.key]))
      if (runs[next]) this.actions.focus(runs[next].path)
    } else if (event.key === " " && focus !== undefined) this.actions.choose(focus, false)
    else if (event.key === "Enter" && focus !== undefined) this.actions.choose(focus, true)
    else if (event.key === "/") this.actions.focusSearch()
    else if (event.key === "o" && focus !== undefined) this.actions.open(focus)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
}

export function scaleOf(metric: string, value: number): number {
  return /chrf|bleu/i.test(metric) || value > 1 ? 100 : 1
}

function scoreColumn(metric: string): Column {
  return {
    ...{ key: `score:${metric}`, name: labelOf(metric), isNumber: true },
    fill(cell, { scores }) {
      const score = scores[metric]
      cell.append(createElement("span", score ? "" : "p2m-mute", score ? formatScore(score.value, scaleOf(metric, score.value)) : ""))
    },
  }
}

function trackColumn(metric: string, chosen: ReadonlyMap<string, RunColour>): Column {
  return {
    ...{ key: `track:${metric}`, name: "" },
    fill(cell, { scores, path }) {
      cell.className = "p2m-track-cell"
      const score = scores[metric]
      if (score) cell.append(renderTrack(score, scaleOf(metric, score.value), chosen.get(path)?.colour ?? "#8a939b"))
    },
  }
}

/** `exactMatch` as `exact match`; `chrF++` stays. */
export function labelOf(metric: string): string {
  return /^[a-z]+([A-Z][a-z]+)+$/.test(metric) ? wordsOf(metric) : metric
}

function markOf(colour: RunColour | undefined): HTMLElement {
  const mark = createElement("span", colour ? `p2m-mark p2m-mark-${colour.dash}` : "p2m-mark p2m-mark-none")
  if (colour) mark.style.color = colour.colour
  return mark
}

function statusOf({ status }: ListedRun): string {
  if (status === "done") return trans.__("done")
  if (status === "failed") return trans.__("failed")
  if (status === "partial") return trans.__("ended early")
  return status === "started" || status === "running" ? trans.__("not ended") : status
}

function sayShort(value: string | number | boolean | undefined): string {
  if (value === undefined) return ""
  if (typeof value === "boolean") return value ? trans.__("yes") : trans.__("no")
  return String(value)
}

/** Today the hour, else the day. */
function sayTime(at: string): string {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return ""
  const isToday = time.toDateString() === new Date().toDateString()
  return isToday
    ? time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })
    : time.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })
}

function spacer(rows: number, columns: number): HTMLElement {
  const row = createElement("tr", "p2m-spacer")
  row.setAttribute("aria-hidden", "true")
  const cell = row.insertCell()
  cell.colSpan = columns
  cell.style.height = `${rows * rowHeight}px`
  return row
}
