// What the main job prints at its end, and what a stranger sees first: the scores beside the baselines, rows right and wrong, where rows came
// from, what it cost, where the files are, and what to try next.
import type { ReportPayload } from "./payloads"
import { fitTo, onOneLine, padTo, widthOf } from "./plain-text"
import { createPaint, type Paint } from "./terminal-paint"
import { alignGroups, alignSystems } from "./text/scores"
import { alignTable, indent, wrapText } from "./text/table"
import { countOf, describeRejected, formatCount, formatSeconds, formatUsd } from "./wording"

export interface EndOfRun {
  /** What was made: `dates as people write them -> ISO 8601`. */
  readonly title: string
  readonly status: "done" | "partial"
  /** Why it ended early. */
  readonly reason?: string
  /** Scores of all systems, groups scored apart, the sentence of the comparison. */
  readonly report: Pick<ReportPayload, "metrics" | "systems" | "groups" | "comparison" | "numRows" | "numWrong">
  /** A few answers that were right; three are shown. */
  readonly right: readonly { readonly input: string; readonly answer: string }[]
  /** A few that were wrong; three are shown. */
  readonly wrong: readonly { readonly input: string; readonly answer: string; readonly expected: string }[]
  readonly rows: {
    /** Rows that the student learned from, by where they came from. */
    readonly sources: readonly { readonly name: string; readonly rows: number }[]
    readonly splits: readonly { readonly name: string; readonly rows: number }[]
    /** Over all stages, most first. */
    readonly rejected: readonly { readonly reason: string; readonly rows: number }[]
  }
  readonly cost: {
    readonly seconds: number
    readonly usd: number
    /** The cap, where there was one. */
    readonly maxUsd?: number
    readonly inputTokens: number
    readonly outputTokens: number
    readonly requestsSent: number
    readonly requestsReused: number
    /** Most resident memory, in bytes. */
    readonly peakBytes?: number
  }
  readonly isTeacherSimulated: boolean
  /** The run folder first. */
  readonly files: readonly { readonly path: string; readonly what: string }[]
  /** Three of them. */
  readonly nextCommands: readonly { readonly command: string; readonly what: string }[]
}

export interface EndOfRunStyle {
  /** Columns of the window. Default: 100. */
  readonly width?: number
  readonly isColoured?: boolean
}

/** The text, ending in a line break. Nothing from data acts on the terminal. */
export function renderEndOfRun(facts: EndOfRun, { width = 100, isColoured = false }: EndOfRunStyle = {}): string {
  const paint = createPaint(isColoured)
  const room = Math.min(110, Math.max(40, width)) - 3
  const blocks = [
    renderStatus(facts, room, paint),
    renderScores(facts, room, paint),
    renderAnswers(facts, room, paint),
    renderRows(facts, room, paint),
    renderCost(facts, room, paint),
    renderPairs(
      "Files",
      facts.files.map(({ path, what }) => [path, what]),
      room,
      paint,
    ),
    renderPairs(
      "Try next",
      facts.nextCommands.map(({ command, what }) => [command, what]),
      room,
      paint,
    ),
  ]
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`
}

function renderStatus({ title, status, reason }: EndOfRun, room: number, paint: Paint): string[] {
  const heading = `${paint.bold("Prompt2Model")}   ${paint.grey(fitTo(onOneLine(title), room - 15))}`
  if (status === "done") return [heading]
  return [heading, ...indent(wrapText(`Ended early${reason ? `: ${reason}` : "."}`, room).map((line) => paint.orange(line)))]
}

function renderScores({ report, isTeacherSimulated }: EndOfRun, room: number, paint: Paint): string[] {
  if (report.systems.length === 0) return []
  const [names, ...systems] = alignSystems(report, room)
  const [groupNames, ...groups] = alignGroups(report, room)
  const note = isTeacherSimulated
    ? ["The teacher is simulated: a seeded program, not a language model. Its figures say nothing about a real one."]
    : []
  return [
    heading("Scores", `${countOf(report.numRows, "unseen row")}, ${formatCount(report.numWrong)} wrong`, paint),
    ...indent([paint.grey(names), ...systems.map((line, index) => (report.systems[index].isOurs ? paint.bold(line) : line))]),
    ...(report.comparison ? indent(wrapText(report.comparison, room)) : []),
    ...(groups.length > 0 ? ["", ...indent([paint.grey(groupNames), ...groups])] : []),
    ...(note.length > 0 ? [""] : []),
    ...indent(note.flatMap((sentence) => wrapText(sentence, room)).map((line) => paint.grey(line))),
  ]
}

function renderAnswers({ right, wrong }: EndOfRun, room: number, paint: Paint): string[] {
  const rows = [
    ...right.slice(0, 3).map(({ input, answer }) => ["right", input, answer, ""]),
    ...wrong.slice(0, 3).map(({ input, answer, expected }) => ["wrong", input, answer || "(empty)", `expected ${expected}`]),
  ]
  if (rows.length === 0) return []
  const [, ...lines] = alignTable([{ name: "" }, { name: "input" }, { name: "answer" }, { name: "" }], rows, room)
  const colour = (line: string) => (line.startsWith("right") ? paint.green("right") : paint.red("wrong")) + line.slice(5)
  const none = wrong.length === 0 ? "none wrong" : ""
  return [heading("Answers", none, paint), ...indent(lines.map(colour))]
}

function renderRows({ rows }: EndOfRun, room: number, paint: Paint): string[] {
  const list = (counts: readonly { readonly name: string; readonly rows: number }[]) =>
    counts.map(({ name, rows: count }) => `${formatCount(count)} ${name}`).join(", ")
  const numRejected = rows.rejected.reduce((sum, { rows: count }) => sum + count, 0)
  const lines: [string, string][] = [
    ...(rows.sources.length > 0 ? ([["learned from", list(rows.sources)]] as [string, string][]) : []),
    ...(rows.splits.length > 0 ? ([["split into", list(rows.splits)]] as [string, string][]) : []),
    ["rejected", numRejected === 0 ? "none" : `${formatCount(numRejected)}: ${describeRejected(rows.rejected, 8)}`],
  ]
  return [heading("Rows", "", paint), ...renderList(lines, room, paint)]
}

function renderCost({ cost, isTeacherSimulated }: EndOfRun, room: number, paint: Paint): string[] {
  const tokens = cost.inputTokens + cost.outputTokens
  const money = `${formatUsd(cost.usd)}${cost.maxUsd === undefined ? "" : ` of ${formatUsd(cost.maxUsd)}`}`
  const sent = `${countOf(cost.requestsSent, "request")} to the ${isTeacherSimulated ? "simulated " : ""}teacher`
  const reused = cost.requestsReused > 0 ? `, ${formatCount(cost.requestsReused)} answered from the run` : ""
  const memory = cost.peakBytes === undefined ? "" : `, ${formatCount(Math.round(cost.peakBytes / 1e6))} MB at most`
  return [
    heading("Cost", "", paint),
    ...indent(wrapText(`${money}, ${sent}${reused}, ${formatCount(tokens)} tokens, ${formatSeconds(cost.seconds)}${memory}`, room)),
  ]
}

function heading(name: string, sentence: string, paint: Paint): string {
  return `${paint.bold(name)}${sentence === "" ? "" : `   ${paint.grey(sentence)}`}`
}

/** A short name and its words, the words wrapped in their own column. */
function renderList(lines: readonly (readonly [string, string])[], room: number, paint: Paint): string[] {
  const nameColumns = Math.max(...lines.map(([name]) => widthOf(name))) + 2
  return indent(
    lines.flatMap(([name, words]) =>
      wrapText(words, room - nameColumns).map((line, index) => paint.grey(padTo(index === 0 ? name : "", nameColumns)) + line),
    ),
  )
}

/** Paths and commands are to be copied: they are never cut, and what they are stands behind them where all of them have room. */
function renderPairs(name: string, pairs: readonly (readonly [string, string])[], room: number, paint: Paint): string[] {
  if (pairs.length === 0) return []
  const shown = pairs.map(([left, right]) => [onOneLine(left), onOneLine(right)] as const)
  const columns = Math.max(...shown.map(([left]) => widthOf(left))) + 3
  const hasRoom = shown.every(([, right]) => columns + widthOf(right) <= room)
  const lines = shown.flatMap(([left, right]) =>
    hasRoom ? [padTo(left, columns) + paint.grey(right)] : [left, ...wrapText(right, room - 4).map((line) => `    ${paint.grey(line)}`)],
  )
  return [heading(name, "", paint), ...indent(lines)]
}
