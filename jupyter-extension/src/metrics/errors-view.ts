// What a run got wrong: a confusion matrix where answers are labels, kinds of errors elsewhere. Each number opens its rows in the dataset viewer.
import { countOf, formatCount } from "../../../kernel-lib/src/display/wording"
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
  if (!isFields(report) || !Array.isArray(report.rows)) throw new Error("Its report.json holds no rows.")
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
const tests: readonly { readonly name: string; isOf(row: AnsweredRow): boolean }[] = [
  { name: "no answer", isOf: ({ answer }) => answer.trim() === "" },
  { name: "only case, spaces or marks", isOf: ({ answer, expected }) => bare(answer) === bare(expected) && bare(expected) !== "" },
  { name: "copies the input", isOf: ({ answer, input }) => answer.trim() === input.trim() },
  { name: "too much", isOf: ({ answer, expected }) => expected !== "" && answer.includes(expected) },
  { name: "too little", isOf: ({ answer, expected }) => expected.includes(answer) },
  {
    name: "other numbers",
    isOf: ({ answer, expected }) => digits(answer) !== digits(expected) && answer.replace(/[0-9]/g, "") === expected.replace(/[0-9]/g, ""),
  },
  { name: "another text", isOf: () => true },
]

/** Of labels, which one was taken for which. */
function kindsOf(wrong: readonly AnsweredRow[], areLabels: boolean): Errors["kinds"] {
  const kinds = new Map<string, AnsweredRow[]>()
  for (const row of wrong) {
    const name = areLabels ? `${row.expected || "(empty)"} as ${row.answer || "(no answer)"}` : tests.find(({ isOf }) => isOf(row))!.name
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
  if (wrong.length === 0) list.append(createElement("dd", "p2m-mute p2m-whole-line", `All ${countOf(rows.length, "row")} are right.`))
  for (const { name, rows: own } of kinds) {
    const value = createElement("dd")
    value.append(createLink(countOf(own.length, "row"), () => open(own, name), `Opens these rows in the dataset viewer: ${name}`))
    list.append(createElement("dt", "", name), value)
  }
  return list
}

/** All of it, for the main part. */
export function renderErrors(errors: Errors, run: string, open: OpenRows): HTMLElement {
  const view = createElement("div", "p2m-errors")
  const { rows, wrong, labels } = errors
  view.append(createElement("h5", "", `${run}: ${countOf(wrong.length, "wrong row")} of ${formatCount(rows.length)}`))
  if (labels) view.append(renderConfusion(rows, labels, open))
  else view.append(renderKinds(errors, open))
  if (wrong.length > 0) view.append(renderWorst(errors, open))
  return view
}

/** Rows what was expected, columns what was answered; the darker, the larger a share of its row. */
function renderConfusion(rows: readonly AnsweredRow[], labels: readonly string[], open: OpenRows): HTMLElement {
  const others = rows.some(({ answer }) => !labels.includes(answer))
  const answers = [...labels, ...(others ? ["(something else)"] : [])]
  const short = (label: string) => (label.length > 24 ? `${label.slice(0, 23)}\u2026` : label || "(empty)")
  const table = createTable("Confusion matrix: rows what was expected, columns what was answered", [
    { name: "expected \u2193 answered \u2192" },
    ...answers.map((label) => ({ name: short(label), isNumber: true })),
    { name: "rows", isNumber: true },
  ])
  table.classList.add("p2m-confusion")
  for (const expected of labels) {
    const own = rows.filter((row) => row.expected === expected)
    const line = table.tBodies[0].insertRow()
    line.append(Object.assign(createElement("th", "p2m-text", short(expected)), { scope: "row" }))
    for (const answer of answers) {
      const cell = line.insertCell()
      const here = own.filter((row) => (answer === "(something else)" && others ? !labels.includes(row.answer) : row.answer === answer))
      cell.className = answer === expected ? "p2m-right" : "p2m-wrong"
      if (here.length === 0) {
        cell.append(createElement("span", "p2m-mute", "\u00b7"))
        continue
      }
      cell.style.setProperty("--p2m-share", String(Math.round(100 * Math.sqrt(here.length / own.length))))
      const what = `${expected} answered as ${answer}`
      cell.append(createLink(formatCount(here.length), () => open(here, what), `Opens ${countOf(here.length, "row")}: ${what}`))
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
  const table = createTable("Wrong rows", [
    { name: "row", isNumber: true },
    { name: "input" },
    { name: "expected" },
    { name: "answer" },
    { name: "confidence", isNumber: true },
  ])
  for (const row of sorted) {
    const line = table.tBodies[0].insertRow()
    const number = createElement("td", "p2m-number")
    number.append(createLink(formatCount(row.row), () => open([row], `row ${row.row}`), "Opens this row in the dataset viewer"))
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
  const words = wrong.length > shownRows ? `The ${shownRows} that it was surest of, of ${countOf(wrong.length, "wrong row")}. ` : ""
  const foot = createElement("div", "p2m-foot", words)
  foot.append(createLink("All wrong rows in the dataset viewer", () => open(wrong, "wrong rows")))
  view.append(foot)
  return view
}
