// Gives an encoder the head that its training rows ask for: a classifier of their outputs, or one that finds them in the text.
import { InputError } from "../core/errors"
import type { NamedParameters } from "../engine"
import { nameClassifier } from "../networks/bert-names"
import { listBertWeights } from "../networks/bert-weights"
import { drawInitialWeight, type InitialWeight } from "../networks/initial-weights"
import type { FitOptions, FitRow } from "./architecture"
import { type BertConfiguration, changeHead } from "./bert-configuration"
import { readSpanInput } from "./span-text"

/** Rows are a classifier's when a label has at least this many on average, or when there are few labels anyway. */
const rowsALabel = 5
const fewLabels = 20

/**
 * The encoder with a head that fits `rows`. A head that fits already stays; of a classifier with other labels, those that stay keep their
 * weights; all else is drawn.
 * @throws InputError `train.no-head` for rows that are neither a classifier's nor found in their inputs
 */
export function fitHead(
  configuration: BertConfiguration,
  { rows, weights, stream, task }: FitOptions,
): { readonly configuration: BertConfiguration; readonly weights: NamedParameters } {
  const { head } = configuration.shape
  const wanted = task ?? (head.kind === "span" ? "span" : guessTask(rows))
  if (wanted === "span") {
    return head.kind === "span"
      ? { configuration, weights }
      : rebuild(configuration, changeHead(configuration, { kind: "span" }), weights, stream)
  }
  const labels = listOutputs(rows)
  if (head.kind === "labels" && labels.every((label) => configuration.labels.includes(label))) return { configuration, weights }
  if (labels.length < 2)
    throw new InputError("train.no-head", "All training rows have the same output: a classifier needs two labels or more.")
  return rebuild(configuration, changeHead(configuration, { kind: "labels", labels }), weights, stream)
}

function listOutputs(rows: readonly FitRow[]): string[] {
  return [...new Set(rows.map(({ output }) => output))].sort()
}

function guessTask(rows: readonly FitRow[]): "labels" | "span" {
  const numLabels = listOutputs(rows).length
  const found = rows.filter(({ input, output }) => output.trim() !== "" && readSpanInput(input).context.includes(output.trim())).length
  const isAllSpans = found > rows.length * 0.9 && numLabels > rows.length / 2
  if (!isAllSpans && numLabels <= Math.max(fewLabels, rows.length / rowsALabel)) return "labels"
  if (found >= rows.length / 2) return "span"
  throw new InputError(
    "train.no-head",
    `The ${rows.length} training rows have ${numLabels} different outputs, most of which do not stand in their inputs: an encoder gives labels or parts of its input, so choose a model that writes text (T5, GPT-2, Llama).`,
  )
}

function rebuild(
  old: BertConfiguration,
  configuration: BertConfiguration,
  weights: NamedParameters,
  stream: FitOptions["stream"],
): { readonly configuration: BertConfiguration; readonly weights: NamedParameters } {
  const { naming, prefix } = old.shape
  const [, outer] = nameClassifier(naming, prefix)
  const make = (spec: InitialWeight): Float32Array => {
    const there = weights[spec.name]
    if (!spec.name.startsWith(`${outer}.`)) return there?.data ?? drawInitialWeight(spec, stream(spec.name))
    return mixRows(drawInitialWeight(spec, stream(spec.name)), there?.data, old.labels, configuration.labels)
  }
  const specs = listBertWeights(configuration.shape, configuration.initializerRange)
  return { configuration, weights: Object.fromEntries(specs.map((spec) => [spec.name, { shape: spec.shape, data: make(spec) }])) }
}

/** The rows of labels that stay, from before; the others as drawn. */
function mixRows(drawn: Float32Array, before: Float32Array | undefined, old: readonly string[], labels: readonly string[]): Float32Array {
  if (!before || old.length === 0) return drawn
  const width = before.length / old.length
  labels.forEach((label, at) => {
    const from = old.indexOf(label)
    if (from >= 0) drawn.set(before.subarray(from * width, (from + 1) * width), at * width)
  })
  return drawn
}
