// The chosen row beside the grid: its text unabridged, how it came into the set, and where it differs from another row.
import { diffWords } from "../../../kernel-lib/src/display/word-diff"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { alikeColumn, type Cell, type ColumnInfo, type FullRow } from "../protocol"
import { trans } from "../settings/language"
import { createElement, createLink, shortName } from "./elements"
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
const told = new Set(["input", "output", "id", "group", "reason", "detail", alikeColumn])

export function renderDetail(
  row: FullRow,
  columns: readonly ColumnInfo[],
  others: readonly OtherRow[],
  actions: PanelActions,
): DocumentFragment {
  const view = document.createDocumentFragment()
  const values = new Map(row.cells.map(({ name, value }) => [name, value]))
  const heading = createElement("h5", "", trans.__("Row %1", formatCount(row.row)))
  heading.append(
    createLink(trans.__("copy link"), () => actions.copyLink(row.row), trans.__("Copies an address that opens this file at this row")),
  )
  view.append(heading)
  const isExample = values.has("input") && values.has("output")
  if (isExample) view.append(renderExample(values))
  const steps = provenanceOf(row, values)
  if (steps.length > 0) view.append(createElement("h5", "", trans.__("How it came here")), renderPath(steps))
  const rest = row.cells.filter(({ name }) => !(isExample && told.has(name)) && !name.startsWith("from."))
  if (rest.length > 0) view.append(renderRest(rest, columns))
  if (row.numColumns > row.cells.length) view.append(createElement("p", "p2m-mute", describeFurther(row.numColumns - row.cells.length)))
  for (const other of others) view.append(...renderDifference(other, row, actions))
  return view
}

function renderExample(values: ReadonlyMap<string, Cell>): HTMLElement {
  const [input, output] = [textOf(values.get("input")), textOf(values.get("output"))]
  const example = createElement("div", "p2m-example")
  example.append(createElement("div", "p2m-text", input || trans.__("(empty)")))
  const answer = createElement("div", "p2m-text")
  answer.append(createElement("span", "p2m-mute", "-> "), createElement("span", "", output || trans.__("(empty)")))
  const lengths = createElement(
    "div",
    "p2m-mute p2m-lengths",
    trans.__("%1 + %2 characters", formatCount([...input].length), formatCount([...output].length)),
  )
  example.append(answer, lengths)
  void addTokens(lengths, input, output)
  return example
}

/** The table of tokens is large: it is loaded when a row is first looked at. */
async function addTokens(lengths: HTMLElement, input: string, output: string): Promise<void> {
  const { countTokens } = await import("./count-tokens")
  const counts = [input, output].map((text) => formatCount(countTokens(text)))
  lengths.append(` \u00b7 ${trans.__("%1 + %2 tokens", ...counts)}`)
  lengths.title = trans.__("As GPT-4o counts them (o200k); a student has a vocabulary of its own.")
}

function describeFurther(count: number): string {
  return trans._n("and %2 more column", "and %2 more columns", count, formatCount(count))
}

interface Step {
  readonly name: string
  readonly words: string
  readonly isBad?: boolean
}

/** A row's way into the set, from its source to the filters. */
function provenanceOf({ row, from = {} }: FullRow, values: ReadonlyMap<string, Cell>): Step[] {
  const get = (name: string) => textOf(values.get(name))
  const of = (name: string) => (typeof from[name] === "string" || typeof from[name] === "number" ? String(from[name]) : "")
  const count = (name: string) => formatCount(Number(of(name)))
  const steps: Step[] = []
  if (from.kind === "generated") {
    const teacher = from.isSimulated === true ? trans.__("%1, simulated", of("teacher")) : of("teacher")
    const temperature = of("temperature") === "" ? "" : `, T ${of("temperature")}`
    steps.push({ name: trans.__("call %1", count("call")), words: `${teacher}${temperature}` })
    if (of("response") !== "")
      steps.push({ name: trans.__("response"), words: trans.__("number %1 of its call", formatCount(Number(of("response")) + 1)) })
    if (of("votes") !== "") steps.push({ name: trans.__("votes"), words: trans.__("%1 of %2 responses agreed", of("votes"), of("voters")) })
  } else if (from.kind === "retrieved") {
    const place = [of("dataset"), of("configuration"), of("split")].filter((part) => part !== "").join(", ")
    steps.push({ name: trans.__("retrieved"), words: place })
    if (of("row") !== "") steps.push({ name: trans.__("source row"), words: count("row") })
    if (of("transformedBy") !== "") steps.push({ name: trans.__("transformed"), words: trans.__("by %1", of("transformedBy")) })
  } else if (from.kind === "annotated") {
    steps.push({ name: trans.__("annotated"), words: `${of("source")}${of("row") === "" ? "" : `, ${trans.__("row %1", count("row"))}`}` })
  } else if (of("kind") !== "") steps.push({ name: of("kind"), words: of("source") || of("dataset") || of("teacher") })
  if (get("reason") !== "")
    steps.push({ name: trans.__("rejected"), words: `${get("reason")}${get("detail") === "" ? "" : `: ${get("detail")}`}`, isBad: true })
  else if (steps.length > 0) steps.push({ name: trans.__("filters"), words: trans.__("all passed") })
  if (get("group") !== "") steps.push({ name: trans.__("group"), words: get("group") })
  const alike = get(alikeColumn)
  if (alike === `row ${row}`) steps.push({ name: trans.__("alike"), words: trans.__("others say the same, or nearly"), isBad: true })
  else if (alike !== "") steps.push({ name: trans.__("alike"), words: trans.__("says the same as %1, or nearly", alike), isBad: true })
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
    if (isCut) text.append(createElement("span", "p2m-mute", ` ... ${trans.__("(cut: the file has more)")}`))
    list.append(createElement("dt", "", shortName(name)), text)
  }
  return list
}

/** Texts of both rows, word by word; columns that are equal are left out. */
function* renderDifference({ row: other, why }: OtherRow, row: FullRow, actions: PanelActions): Generator<HTMLElement> {
  const heading = createElement("h5", "", `${trans.__("Against")} `)
  heading.append(
    createLink(trans.__("row %1", formatCount(other.row)), () => actions.goTo(other.row), trans.__("Goes to that row")),
    createElement("span", "p2m-mute", `, ${why}`),
  )
  yield heading
  const before = new Map(other.cells.map(({ name, value }) => [name, value]))
  let isSame = true
  for (const { name, value } of row.cells) {
    if (name === "id" || name === alikeColumn || name.startsWith("from.")) continue
    const [first, second] = [textOf(before.get(name)), textOf(value)]
    if (first === second && name !== "input" && name !== "output") continue
    if (first !== second) isSame = false
    const line = createElement("div", "p2m-text")
    for (const { kind, text } of diffWords(first.slice(0, 6000), second.slice(0, 6000)))
      line.append(createElement(kind === "same" ? "span" : kind === "added" ? "ins" : "del", "", text))
    yield line
  }
  if (isSame) yield createElement("div", "p2m-mute", trans.__("Their texts are the same."))
}

function textOf(value: Cell | undefined): string {
  return value === null || value === undefined ? "" : String(value)
}
