// Payloads as plain text: for consoles, scripts, and notebooks that show nothing else. Nothing in it acts on a terminal.
import {
  type CandidatesPayload,
  type DatasetPayload,
  type DemoPayload,
  type Payload,
  type PromptPayload,
  type ReportPayload,
  type TablePayload,
  type TrainingPayload,
  tableRows,
} from "./payloads"
import { onOneLine } from "./plain-text"
import { alignGroups, alignSystems } from "./text/scores"
import { alignTable, indent, usualWidth, wrapText } from "./text/table"
import { countOf, datasetSubtitle, demoCommand, describeRejected, formatCount, splitsToName } from "./wording"

/** One result as text, without control codes and no wider than a usual terminal. @param width of a table of results, in columns */
export function renderText(payload: Payload, width = usualWidth): string {
  const subtitle = payload.kind === "dataset" ? datasetSubtitle(payload) : payload.subtitle
  const heading = [payload.title, subtitle].filter(Boolean).map(onOneLine).join(": ")
  const next = payload.nextStep === undefined ? [] : [`Next: ${onOneLine(payload.nextStep)}`]
  return [heading, ...indent([...renderBody(payload, width), ...next])].join("\n")
}

function renderBody(payload: Payload, width: number): string[] {
  switch (payload.kind) {
    case "prompt":
      return renderPrompt(payload)
    case "dataset":
      return renderDataset(payload)
    case "candidates":
      return renderCandidates(payload)
    case "training":
      return renderTraining(payload)
    case "report":
      return renderReport(payload)
    case "table":
      return renderTable(payload, width)
    case "demo":
      return renderDemo(payload)
    case "progress":
      return []
  }
}

function renderPrompt({ instruction, demonstrations }: PromptPayload): string[] {
  const rows = demonstrations.slice(0, 10).map(({ input, output }) => [input, output])
  return [...wrapText(instruction), ...(rows.length === 0 ? [] : alignTable([{ name: "input" }, { name: "output" }], rows))]
}

function renderDataset(payload: DatasetPayload): string[] {
  const { sources, rejected, preview, lengths, numRows, file } = payload
  const splits = splitsToName(payload)
  const count = ({ name, rows }: { name: string; rows: number }) => `${formatCount(rows)} ${name}`
  const numRejected = rejected.reduce((sum, { rows }) => sum + rows, 0)
  const hasVotes = preview.some(({ votes }) => votes !== undefined)
  const columns = [
    { name: "row", isNumber: true },
    { name: "input" },
    { name: "output" },
    { name: "from" },
    ...(hasVotes ? [{ name: "votes" }] : []),
  ]
  const rows = preview.map((row) => [formatCount(row.row), row.input, row.output, row.from, row.votes ?? ""])
  return [
    ...(splits.length > 0 ? wrapText(`splits: ${splits.map(count).join(", ")}`) : []),
    ...(sources.length > 0 ? wrapText(`rows: ${sources.map(count).join(", ")}`) : []),
    ...(numRejected > 0 ? wrapText(`rejected: ${formatCount(numRejected)}, of them ${describeRejected(rejected)}`) : []),
    ...(lengths ? [`inputs: median ${formatCount(lengths.median)} ${onOneLine(lengths.unit)}, at most ${formatCount(lengths.max)}`] : []),
    ...(rows.length === 0 ? [] : alignTable(columns, rows)),
    ...(rows.length < numRows || file
      ? [`${formatCount(rows.length)} of ${countOf(numRows, "row")}${file ? `; all of them are in ${onOneLine(file)}` : ""}`]
      : []),
  ]
}

function renderCandidates({ what, columns, candidates }: CandidatesPayload): string[] {
  if (candidates.length === 0) return [`No ${what} fit.`]
  const rows = candidates
    .slice(0, 10)
    .map(({ name, cells, why, isChosen }, index) => [String(index), `${name}${isChosen ? " *" : ""}`, ...cells, why])
  return alignTable(
    [{ name: "", isNumber: true }, { name: what === "datasets" ? "dataset" : "model" }, ...columns, { name: "why it ranks here" }],
    rows,
  )
}

function renderTraining({ facts, train, validation, totalSteps }: TrainingPayload): string[] {
  const describe = (name: string, points: TrainingPayload["train"]) =>
    points.length === 0 ? [] : [`${name} ${points[0][1].toPrecision(3)} -> ${points.at(-1)![1].toPrecision(3)}`]
  const losses = [...describe("train", train), ...describe("validation", validation)]
  return [
    ...(facts.length > 0 ? wrapText(facts.map(({ label, value }) => `${value} ${label}`).join(" · ")) : []),
    losses.length === 0 ? "loss: no step yet" : `loss: ${losses.join(", ")}, over ${formatCount(totalSteps)} steps`,
  ]
}

function renderReport(payload: ReportPayload): string[] {
  const hasConfidence = payload.worst.some(({ confidence }) => confidence !== undefined)
  const columns = [
    { name: "row", isNumber: true },
    { name: "input" },
    { name: "expected" },
    { name: "answer" },
    ...(hasConfidence ? [{ name: "confidence", isNumber: true }] : []),
  ]
  const worst = payload.worst.slice(0, 10)
  const rows = worst.map(({ row, input, expected, answer, confidence }) => [
    formatCount(row),
    input,
    expected,
    answer || "(empty)",
    confidence?.toFixed(2) ?? "",
  ])
  return [
    ...alignSystems(payload),
    ...(payload.comparison ? wrapText(payload.comparison) : []),
    ...alignGroups(payload),
    ...(payload.slices ?? []).flatMap(({ by, slices }) => alignGroups({ ...payload, groups: slices }, undefined, by)),
    ...(rows.length === 0
      ? []
      : [
          `${worst.length} worst of ${formatCount(payload.numWrong)} wrong among ${countOf(payload.numRows, "row")}:`,
          ...alignTable(columns, rows),
        ]),
  ]
}

function renderTable({ columns, rows, notes }: TablePayload, width: number): string[] {
  const shown = rows.slice(0, tableRows)
  return [
    ...(shown.length === 0
      ? []
      : alignTable(
          columns,
          shown.map(({ cells }) => cells),
          width,
        )),
    ...(rows.length > shown.length ? [`${formatCount(shown.length)} of ${formatCount(rows.length)} rows`] : []),
    ...notes.flatMap((note) => wrapText(note)),
  ]
}

function renderDemo(payload: DemoPayload): string[] {
  return [
    onOneLine(payload.url),
    ...payload.examples.slice(0, 10).map((example) => `try: ${onOneLine(example)}`),
    onOneLine(demoCommand(payload)),
  ]
}
