// The chosen row beside the grid: its text unabridged, how it came into the set, and where it differs from another row.
import { diffWords } from "../../../kernel-lib/src/display/word-diff"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import type { Cell, ColumnInfo, FullRow } from "../protocol"
import { createElement, createLink } from "./elements"
import { showCell } from "./renderers"

export interface OtherRow {
  readonly row: FullRow
  /** `marked`, or how alike it is. */
  readonly why: string
}

export interface PanelActions {
  copyLink(row: number): void
  goTo(row: number): void
}

/** Columns that the panel tells in its own way. */
const told = new Set(["input", "output", "id", "group", "reason", "detail"])

export function renderDetail(
  row: FullRow,
  columns: readonly ColumnInfo[],
  others: readonly OtherRow[],
  actions: PanelActions,
): DocumentFragment {
  const view = document.createDocumentFragment()
  const values = new Map(row.cells.map(({ name, value }) => [name, value]))
  const heading = createElement("h5", "", `Row ${formatCount(row.row)}`)
  heading.append(createLink("copy link", () => actions.copyLink(row.row), "Copies an address that opens this file at this row"))
  view.append(heading)
  const isExample = values.has("input") && values.has("output")
  if (isExample) view.append(renderExample(values))
  const steps = provenanceOf(values)
  if (steps.length > 0) view.append(createElement("h5", "", "How it came here"), renderPath(steps))
  const rest = row.cells.filter(({ name }) => !(isExample && told.has(name)) && !name.startsWith("from."))
  if (rest.length > 0) view.append(renderRest(rest, columns))
  if (row.numColumns > row.cells.length)
    view.append(createElement("p", "p2m-mute", `and ${formatCount(row.numColumns - row.cells.length)} more columns`))
  for (const other of others) view.append(...renderDifference(other, row, actions))
  return view
}

function renderExample(values: ReadonlyMap<string, Cell>): HTMLElement {
  const [input, output] = [textOf(values.get("input")), textOf(values.get("output"))]
  const example = createElement("div", "p2m-example")
  example.append(createElement("div", "p2m-text", input || "(empty)"))
  const answer = createElement("div", "p2m-text")
  answer.append(createElement("span", "p2m-mute", "-> "), createElement("span", "", output || "(empty)"))
  example.append(
    answer,
    createElement("div", "p2m-mute", `${formatCount([...input].length)} + ${formatCount([...output].length)} characters`),
  )
  return example
}

interface Step {
  readonly name: string
  readonly words: string
  readonly isBad?: boolean
}

function provenanceOf(values: ReadonlyMap<string, Cell>): Step[] {
  const steps: Step[] = []
  const get = (name: string) => textOf(values.get(name))
  const kind = get("from.kind")
  if (kind === "generated") {
    const temperature = get("from.temperature")
    steps.push({
      name: `call ${formatCount(Number(get("from.call")))}`,
      words: `${get("from.origin")}${temperature === "" ? "" : `, T ${temperature}`}`,
    })
    if (get("from.votes") !== "") steps.push({ name: "votes", words: `${get("from.votes")} responses agreed` })
  } else if (kind !== "") steps.push({ name: kind, words: `from ${get("from.origin")}` })
  if (get("group") !== "") steps.push({ name: "group", words: get("group") })
  if (get("reason") !== "")
    steps.push({ name: "rejected", words: `${get("reason")}${get("detail") === "" ? "" : `: ${get("detail")}`}`, isBad: true })
  if (steps.length > 0 && get("id") !== "") steps.push({ name: "id", words: get("id") })
  return steps
}

function renderPath(steps: readonly Step[]): HTMLElement {
  const path = createElement("ul", "p2m-path")
  for (const { name, words, isBad } of steps) {
    const step = createElement("li", isBad ? "p2m-bad" : "")
    step.append(createElement("b", "", name), " ", createElement("span", "", words))
    path.append(step)
  }
  return path
}

function renderRest(cells: FullRow["cells"], columns: readonly ColumnInfo[]): HTMLElement {
  const list = createElement("dl", "p2m-cells")
  const kinds = new Map(columns.map(({ name, kind }) => [name, kind]))
  for (const { name, value, isCut } of cells) {
    const text = createElement("dd", value === null || value === "" ? "p2m-mute" : "p2m-text")
    text.textContent = ""
    text.append(createElement("span", "", typeof value === "string" && value !== "" ? value : showCell(value, kinds.get(name))))
    if (isCut) text.append(createElement("span", "p2m-mute", " ... (cut: the file has more)"))
    list.append(createElement("dt", "", name), text)
  }
  return list
}

/** Texts of both rows, word by word; columns that are equal are left out. */
function* renderDifference({ row: other, why }: OtherRow, row: FullRow, actions: PanelActions): Generator<HTMLElement> {
  const heading = createElement("h5", "", "Against ")
  heading.append(
    createLink(`row ${formatCount(other.row)}`, () => actions.goTo(other.row), "Goes to that row"),
    createElement("span", "p2m-mute", `, ${why}`),
  )
  yield heading
  const before = new Map(other.cells.map(({ name, value }) => [name, value]))
  let isSame = true
  for (const { name, value } of row.cells) {
    if (name === "id" || name.startsWith("from.")) continue
    const [first, second] = [textOf(before.get(name)), textOf(value)]
    if (first === second && name !== "input" && name !== "output") continue
    if (first !== second) isSame = false
    const line = createElement("div", "p2m-text")
    for (const { kind, text } of diffWords(first.slice(0, 6000), second.slice(0, 6000)))
      line.append(createElement(kind === "same" ? "span" : kind === "added" ? "ins" : "del", "", text))
    yield line
  }
  if (isSame) yield createElement("div", "p2m-mute", "Their texts are the same.")
}

function textOf(value: Cell | undefined): string {
  return value === null || value === undefined ? "" : String(value)
}
