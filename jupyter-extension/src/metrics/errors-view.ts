// What a run got wrong: a confusion matrix where answers are labels, kinds of errors elsewhere. Each number opens its rows in the dataset viewer.
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { countRows, trans } from "../settings/language"
import { createElement, createLink } from "../viewer/elements"
import { isFields, numberOf, textOf } from "./read-results"
import { createTable, renderDifference } from "./result-parts"

export interface AnsweredRow {
  readonly row: number
  readonly id: string
  readonly input: string
  readonly expected: string
  readonly answer: string
  readonly isRight: boolean
  readonly score: number
  readonly confidence: number | undefined
  readonly group: string | undefined
}

export interface Errors {
  readonly rows: readonly AnsweredRow[]
  readonly wrong: readonly AnsweredRow[]
  /** Where answers are few labels. */
  readonly labels: readonly string[] | undefined
  readonly kinds: readonly { readonly name: string; readonly rows: readonly AnsweredRow[] }[]
}

/** More labels than this are no table that anybody reads. */
const mostLabels = 24
const mostRows = 1_000_000
const mostKinds = 12

/** @throws Error in one sentence, where it is no report */
export function readErrors(report: unknown): Errors {
  if (!isFields(report) || !Array.isArray(report.rows)) throw new Error(trans.__("Its report.json holds no rows."))
  const rows = report.rows.slice(0, mostRows).flatMap((value: unknown): AnsweredRow[] => {
    if (!isFields(value)) return []
    const group = textOf(value.group)
    return [
      {
        ...{ row: numberOf(value.row) ?? 0, id: textOf(value.id), input: textOf(value.input), expected: textOf(value.expected) },
        ...{ answer: textOf(value.predicted), isRight: value.isRight === true, score: numberOf(value.score) ?? 0 },
        ...{ confidence: numberOf(value.confidence), group: group === "" ? undefined : group },
      },
    ]
  })
  const wrong = rows.filter(({ isRight }) => !isRight)
  const labels = labelsOf(rows)
  return { rows, wrong, labels, kinds: kindsOf(wrong, labels !== undefined) }
}

/** Texts that are expected so often that they are labels. */
function labelsOf(rows: readonly AnsweredRow[]): string[] | undefined {
  const counts = new Map<string, number>()
  for (const { expected } of rows) counts.set(expected, (counts.get(expected) ?? 0) + 1)
  if (counts.size < 2 || counts.size > mostLabels || rows.length < 3 * counts.size) return undefined
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([label]) => label)
}

const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "")
const digits = (text: string) => text.replace(/[^0-9]+/g, " ").trim()

/** The first that holds is a row's kind. */
const tests: readonly { name(): string; isOf(row: AnsweredRow): boolean }[] = [
  { name: () => trans.__("no answer"), isOf: ({ answer }) => answer.trim() === "" },
  {
    name: () => trans.__("only case, spaces or marks"),
    isOf: ({ answer, expected }) => bare(answer) === bare(expected) && bare(expected) !== "",
  },
  { name: () => trans.__("copies the input"), isOf: ({ answer, input }) => answer.trim() === input.trim() },
  { name: () => trans.__("too much"), isOf: ({ answer, expected }) => expected !== "" && answer.includes(expected) },
  { name: () => trans.__("too little"), isOf: ({ answer, expected }) => expected.includes(answer) },
  {
    name: () => trans.__("other numbers"),
    isOf: ({ answer, expected }) => digits(answer) !== digits(expected) && answer.replace(/[0-9]/g, "") === expected.replace(/[0-9]/g, ""),
  },
  { name: () => trans.__("another text"), isOf: () => true },
]

/** Of labels, which one was taken for which. */
function kindsOf(wrong: readonly AnsweredRow[], areLabels: boolean): Errors["kinds"] {
  const kinds = new Map<string, AnsweredRow[]>()
  for (const row of wrong) {
    const name = areLabels
      ? trans.__("%1 as %2", row.expected || trans.__("(empty)"), row.answer || trans.__("(no answer)"))
      : tests.find(({ isOf }) => isOf(row))!.name()
    kinds.set(name, [...(kinds.get(name) ?? []), row])
  }
  return [...kinds]
    .map(([name, rows]) => ({ name, rows }))
    .sort((a, b) => b.rows.length - a.rows.length)
    .slice(0, mostKinds)
}

export type OpenRows = (rows: readonly AnsweredRow[], what: string) => void

/** A short list, for the side. */
export function renderKinds({ kinds, wrong, rows }: Errors, open: OpenRows): HTMLElement {
  const list = createElement("dl", "p2m-pairs")
  if (wrong.length === 0)
    list.append(createElement("dd", "p2m-mute p2m-whole-line", trans.__("All rows are right: %1.", countRows(rows.length))))
  for (const { name, rows: own } of kinds) {
    const value = createElement("dd")
    value.append(createLink(countRows(own.length), () => open(own, name), trans.__("Opens these rows in the dataset viewer: %1", name)))
    list.append(createElement("dt", "", name), value)
  }
  return list
}

/** All of it, for the main part. */
export function renderErrors(errors: Errors, run: string, open: OpenRows): HTMLElement {
  const view = createElement("div", "p2m-errors")
  const { rows, wrong, labels } = errors
  view.append(createElement("h5", "", trans.__("%1: %2 of %3", run, countWrong(wrong.length), formatCount(rows.length))))
  if (labels) view.append(renderConfusion(rows, labels, open))
  else view.append(renderKinds(errors, open))
  if (wrong.length > 0) view.append(renderWorst(errors, open))
  return view
}

/** Rows what was expected, columns what was answered; the darker, the larger a share of its row. */
function renderConfusion(rows: readonly AnsweredRow[], labels: readonly string[], open: OpenRows): HTMLElement {
  const somethingElse = trans.__("(something else)")
  const others = rows.some(({ answer }) => !labels.includes(answer))
  const answers = [...labels, ...(others ? [somethingElse] : [])]
  const short = (label: string) => (label.length > 24 ? `${label.slice(0, 23)}\u2026` : label || trans.__("(empty)"))
  const table = createTable(trans.__("Confusion matrix: rows what was expected, columns what was answered"), [
    { name: trans.__("expected \u2193 answered \u2192") },
    ...answers.map((label) => ({ name: short(label), isNumber: true })),
    { name: trans.__("rows"), isNumber: true },
  ])
  table.classList.add("p2m-confusion")
  for (const expected of labels) {
    const own = rows.filter((row) => row.expected === expected)
    const line = table.tBodies[0].insertRow()
    line.append(Object.assign(createElement("th", "p2m-text", short(expected)), { scope: "row" }))
    for (const answer of answers) {
      const cell = line.insertCell()
      const here = own.filter((row) => (answer === somethingElse && others ? !labels.includes(row.answer) : row.answer === answer))
      cell.className = answer === expected ? "p2m-right" : "p2m-wrong"
      if (here.length === 0) {
        cell.append(createElement("span", "p2m-mute", "\u00b7"))
        continue
      }
      cell.style.setProperty("--p2m-share", String(Math.round(100 * Math.sqrt(here.length / own.length))))
      const what = trans.__("%1 answered as %2", expected, answer)
      cell.append(createLink(formatCount(here.length), () => open(here, what), trans.__("Opens %1: %2", countRows(here.length), what)))
    }
    line.append(createElement("td", "p2m-number p2m-mute", formatCount(own.length)))
  }
  const scroll = createElement("div", "p2m-rows")
  scroll.append(table)
  return scroll
}

const shownRows = 40

function renderWorst({ wrong, labels }: Errors, open: OpenRows): HTMLElement {
  const sorted = [...wrong].sort((a, b) => a.score - b.score || (b.confidence ?? 0) - (a.confidence ?? 0)).slice(0, shownRows)
  const table = createTable(trans.__("Wrong rows"), [
    { name: trans.__("row"), isNumber: true },
    { name: trans.__("input") },
    { name: trans.__("expected") },
    { name: trans.__("answer") },
    { name: trans.__("confidence"), isNumber: true },
  ])
  for (const row of sorted) {
    const line = table.tBodies[0].insertRow()
    const number = createElement("td", "p2m-number")
    number.append(
      createLink(formatCount(row.row), () => open([row], trans.__("row %1", row.row)), trans.__("Opens this row in the dataset viewer")),
    )
    const answer = createElement("td", "p2m-text")
    // A label is another one, whatever letters they share.
    answer.append(labels ? createElement("span", "", row.answer) : renderDifference(row.expected, row.answer))
    line.append(
      number,
      createElement("td", "p2m-text", row.input),
      createElement("td", "p2m-text", row.expected),
      answer,
      createElement("td", "p2m-number", row.confidence?.toFixed(2) ?? ""),
    )
  }
  const view = createElement("div", "p2m-rows")
  view.append(table)
  const words = wrong.length > shownRows ? `${trans.__("The %1 that it was surest of, of %2.", shownRows, countWrong(wrong.length))} ` : ""
  const foot = createElement("div", "p2m-foot", words)
  foot.append(createLink(trans.__("All wrong rows in the dataset viewer"), () => open(wrong, trans.__("wrong rows"))))
  view.append(foot)
  return view
}

function countWrong(count: number): string {
  return trans._n("%2 wrong row", "%2 wrong rows", count, formatCount(count))
}
