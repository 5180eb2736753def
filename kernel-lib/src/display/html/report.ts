// An evaluation: systems with their scores and intervals, groups that are scored apart, and the worst rows with where they differ.
import { previewCharacters, type ReportPayload, type ReportSystem } from "../payloads"
import { drawIntervalStrip } from "../svg/interval-strip"
import { escapeMarkup, toImage } from "../svg/picture"
import { diffWords } from "../word-diff"
import { countOf, formatCount, formatScore } from "../wording"
import { type Column, dataText, foot, frame, nextStep, table, textColumn } from "./frame"

export function renderReportHtml(payload: ReportPayload): string {
  return frame(payload.title, payload.subtitle, [
    renderSystems(payload),
    foot([escapeMarkup(payload.comparison ?? "")]),
    renderGroups("rows scored apart", payload.groups, payload),
    ...(payload.slices ?? []).map(({ by, slices }) => renderGroups(by, slices, payload)),
    renderWorst(payload),
    foot([describeWorst(payload), nextStep(payload.nextStep)]),
  ])
}

function renderSystems({ metrics, systems }: ReportPayload): string {
  if (systems.length === 0) return ""
  const hasSize = systems.some(({ size }) => size !== undefined)
  const hasCost = systems.some(({ costPerThousand }) => costPerThousand !== undefined)
  const columns: Column[] = [
    { name: "system" },
    ...metrics.flatMap(({ name }, index) => [{ name, isNumber: true }, ...(index === 0 ? [{ name: "95% interval", isWhole: true }] : [])]),
    ...(hasSize ? [{ name: "size", isNumber: true }] : []),
    ...(hasCost ? [{ name: "per 1,000 answers", isNumber: true }] : []),
  ]
  const rows = systems.map((system) => [
    nameSystem(system),
    ...metrics.flatMap(({ scale }, index) => {
      const score = formatScore(system.scores[index]?.value, scale)
      return [system.isOurs && index === 0 ? `<b>${score}</b>` : score, ...(index === 0 ? [renderInterval(system, scale)] : [])]
    }),
    ...(hasSize ? [escapeMarkup(system.size ?? "-")] : []),
    ...(hasCost ? [escapeMarkup(system.costPerThousand ?? "-")] : []),
  ])
  return table(columns, rows)
}

function nameSystem({ name, note, isOurs }: ReportSystem): string {
  const shown = isOurs ? `<b>${escapeMarkup(name)}</b>` : escapeMarkup(name)
  return note === undefined || note === "" ? shown : `${shown} <span class="sub">(${escapeMarkup(note)})</span>`
}

/** The first metric's interval as a strip, with its numbers for those who do not see it. */
function renderInterval({ scores, isOurs }: ReportSystem, scale: number): string {
  const score = scores[0]
  if (score === undefined || !Number.isFinite(score.value)) return ""
  const { low, high } = score
  const numbers =
    low === undefined || high === undefined ? "" : `<span class="sub">${formatScore(low, scale)} to ${formatScore(high, scale)}</span>`
  return `<span class="strip">${toImage(drawIntervalStrip(score, scale, isOurs))}</span>${numbers}`
}

function renderGroups(title: string, groups: ReportPayload["groups"], { metrics }: ReportPayload): string {
  if (groups.length === 0) return ""
  return table(
    [{ name: title }, { name: "rows", isNumber: true }, ...metrics.map(({ name }) => ({ name, isNumber: true }))],
    groups.map(({ name, rows, scores }) => [
      escapeMarkup(name),
      formatCount(rows),
      ...metrics.map(({ scale }, index) => formatScore(scores[index], scale)),
    ]),
  )
}

function renderWorst({ worst }: ReportPayload): string {
  if (worst.length === 0) return ""
  const shown = worst.slice(0, 10)
  const hasConfidence = shown.some(({ confidence }) => confidence !== undefined)
  const hasNearest = shown.some(({ nearest }) => nearest !== undefined)
  const columns: Column[] = [
    { name: "row", isNumber: true, isText: true, isWhole: true },
    textColumn(
      "input",
      shown.map(({ input }) => input),
    ),
    textColumn(
      "expected",
      shown.map(({ expected }) => expected),
    ),
    textColumn(
      "answer",
      shown.map(({ answer }) => answer),
    ),
    ...(hasConfidence ? [{ name: "confidence", isNumber: true, isText: true, isWhole: true }] : []),
    ...(hasNearest
      ? [
          textColumn(
            "nearest training row",
            shown.map(({ nearest }) => nearest ?? ""),
          ),
        ]
      : []),
  ]
  const rows = worst
    .slice(0, 10)
    .map(({ row, input, expected, answer, confidence, nearest }) => [
      formatCount(row),
      dataText(input, previewCharacters),
      dataText(expected, previewCharacters),
      renderAnswer(answer, expected),
      ...(hasConfidence ? [confidence === undefined ? "" : confidence.toFixed(2)] : []),
      ...(hasNearest ? [nearest ? dataText(nearest, previewCharacters) : ""] : []),
    ])
  return table(columns, rows)
}

/** The answer with what should not be there struck and what is missing put in. */
function renderAnswer(answer: string, expected: string): string {
  if (answer === "") return '<span class="sub">(empty)</span>'
  const parts = diffWords(answer, expected)
  // With nothing in common, a diff would only be both texts once more.
  if (!parts.some(({ kind, text }) => kind === "same" && /[\p{L}\p{N}]/u.test(text))) return dataText(answer, previewCharacters)
  const tags = { same: ["", ""], removed: ["<del>", "</del>"], added: ["<ins>", "</ins>"] } as const
  return `<bdi>${parts.map(({ kind, text }) => `${tags[kind][0]}${escapeMarkup(text)}${tags[kind][1]}`).join("")}</bdi>`
}

function describeWorst({ worst, numWrong, numRows }: ReportPayload): string {
  if (numRows === 0) return "No rows were scored."
  if (numWrong === 0) return `All ${countOf(numRows, "row")} right.`
  const shown = Math.min(10, worst.length)
  return `${formatCount(shown)} worst of ${formatCount(numWrong)} wrong among ${countOf(numRows, "row")}.`
}
