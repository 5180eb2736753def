// Trainings, reports and tables as they come out of a notebook file: anybody may have written it, so every part is looked at before it is used.
import {
  type Payload,
  payloadVersion,
  type ReportPayload,
  type ReportSystem,
  type TablePayload,
  type TrainingPayload,
} from "../../../kernel-lib/src/display/payloads"
import { trans } from "../settings/language"

export type ResultPayload = TrainingPayload | ReportPayload | TablePayload

type Fields = Readonly<Record<string, unknown>>

const mostCharacters = 2000
const mostRows = 500
const mostPoints = 20_000

/** @throws Error with the sentence that is shown instead */
export function readResultPayload(value: unknown): ResultPayload {
  if (!isFields(value)) throw new Error(trans.__("This output holds no result: run its cell again."))
  if (typeof value.version !== "number" || value.version > payloadVersion)
    throw new Error(trans.__("This output was made by a newer Prompt2Model than this extension knows: update jupyterlab-prompt2model."))
  const read = readers[value.kind as ResultPayload["kind"]]
  if (!Object.hasOwn(readers, String(value.kind)) || !read)
    throw new Error(trans.__("This output is no result that this viewer knows: run its cell again."))
  return read(value)
}

const readers: { readonly [Kind in ResultPayload["kind"]]: (value: Fields) => Extract<ResultPayload, { kind: Kind }> } = {
  training: (value) => ({
    ...readBase("training", value),
    facts: listOf(value.facts, (item) => ({ label: textOf(item.label), value: textOf(item.value) }), 40),
    train: pointsOf(value.train),
    validation: pointsOf(value.validation),
    totalSteps: Math.max(0, numberOf(value.totalSteps) ?? 0),
    isRunning: value.isRunning === true,
    run: optionalText(value.run),
  }),
  report: readReport,
  table: readTable,
}

function readReport(value: Fields): ReportPayload {
  const metrics = listOf(value.metrics, (item) => ({ name: textOf(item.name), scale: scaleOf(item.scale) }), 20)
  const numRows = countOf(value.numRows)
  return {
    ...readBase("report", value),
    metrics,
    systems: listOf(value.systems, (item) => readSystem(item, metrics.length), 60),
    groups: readGroups(value.groups, metrics.length),
    slices: listOf(value.slices, (item) => ({ by: textOf(item.by), slices: readGroups(item.slices, metrics.length) }), 8),
    comparison: optionalText(value.comparison),
    worst: listOf(value.worst, (item) => ({
      row: countOf(item.row),
      input: textOf(item.input),
      expected: textOf(item.expected),
      answer: textOf(item.answer),
      confidence: numberOf(item.confidence),
      nearest: optionalText(item.nearest),
    })),
    // More wrong rows than rows is a lie.
    numWrong: Math.min(numRows, countOf(value.numWrong)),
    numRows,
    file: optionalText(value.file),
  }
}

function readGroups(value: unknown, numMetrics: number): ReportPayload["groups"] {
  return listOf(value, (item) => ({
    name: textOf(item.name),
    rows: countOf(item.rows),
    scores: arrayOf(item.scores).slice(0, numMetrics).map(numberOf),
  }))
}

function readSystem(item: Fields, numMetrics: number): ReportSystem {
  return {
    name: textOf(item.name),
    note: optionalText(item.note),
    isOurs: item.isOurs === true,
    scores: arrayOf(item.scores).slice(0, numMetrics).map(readScore),
    size: optionalText(item.size),
    costPerThousand: optionalText(item.costPerThousand),
  }
}

function readTable(value: Fields): TablePayload {
  const columns = listOf(
    value.columns,
    (item) => ({ name: textOf(item.name), isNumber: item.isNumber === true, isText: item.isText === true }),
    60,
  )
  return {
    ...readBase("table", value),
    columns,
    rows: listOf(value.rows, (item) => ({
      cells: columns.map((_column, at) => textOf(arrayOf(item.cells)[at])),
      isOurs: item.isOurs === true,
    })),
    notes: arrayOf(value.notes).slice(0, 60).map(textOf).filter(Boolean),
    intervals: readIntervals(value.intervals),
  }
}

function readIntervals(value: unknown): TablePayload["intervals"] {
  if (!isFields(value)) return undefined
  const rows = arrayOf(value.rows)
    .slice(0, mostRows)
    .map((item) => {
      const { value: mean, low, high } = readScore(item) ?? {}
      return mean === undefined || low === undefined || high === undefined ? undefined : { value: mean, low, high }
    })
  return { name: textOf(value.name), scale: scaleOf(value.scale), rows }
}

function readScore(item: unknown): { value: number; low?: number; high?: number } | undefined {
  const { value, low, high } = isFields(item) ? item : {}
  const mean = numberOf(value)
  if (mean === undefined) return undefined
  const [least, most] = [numberOf(low), numberOf(high)]
  return least !== undefined && most !== undefined && least <= most ? { value: mean, low: least, high: most } : { value: mean }
}

function readBase<Kind extends Payload["kind"]>(kind: Kind, value: Fields) {
  return {
    kind,
    version: payloadVersion,
    title: textOf(value.title),
    subtitle: textOf(value.subtitle),
    nextStep: optionalText(value.nextStep),
  } as const
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function listOf<T>(value: unknown, read: (item: Fields) => T, most = mostRows): T[] {
  return arrayOf(value).slice(0, most).filter(isFields).map(read)
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, mostCharacters) : ""
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? textOf(value) : undefined
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

function countOf(value: unknown): number {
  return Math.max(0, Math.floor(numberOf(value) ?? 0))
}

function scaleOf(value: unknown): number {
  const scale = numberOf(value)
  return scale !== undefined && scale > 0 ? scale : 1
}

/** Pairs of numbers, in the order of their steps. */
function pointsOf(value: unknown): [number, number][] {
  return arrayOf(value)
    .slice(0, mostPoints)
    .flatMap((item) => {
      const [step, loss] = arrayOf(item).map(numberOf)
      return step === undefined || loss === undefined ? [] : [[step, loss] as [number, number]]
    })
    .sort(([a], [b]) => a - b)
}
