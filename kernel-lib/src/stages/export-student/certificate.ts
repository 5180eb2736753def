// The certificate of an export: its answers on the test rows beside the student's own. What agrees, what both score, what a single answer
// takes, and every row on which they differ.
import type { Dataset } from "../../core/dataset"
import type { Prediction, Student } from "../../core/student"
import { summarizeSeconds } from "../../measures/answer-seconds"
import { bootstrapInterval } from "../../measures/bootstrap"
import { metricNamed } from "../../measures/metrics"
import type { TriedBundle } from "../../students/export"

/** What one of the two scores and takes. */
export interface CertifiedSystem {
  readonly scores: Readonly<Record<string, number>>
  /** 95% bootstrap intervals. */
  readonly intervals: Readonly<Record<string, { readonly low: number; readonly high: number }>>
  /** Median of single answers, as measured here. */
  readonly secondsPerAnswer: number
}

export interface Disagreement {
  /** Position in the test set. */
  readonly row: number
  readonly input: string
  readonly expected: string
  readonly student: string
  readonly export: string
}

export interface Certificate {
  /** What ran the export. */
  readonly runtime: string
  readonly rows: number
  /** Rows whose tokens are all the same. */
  readonly sameTokens: number
  /** Rows whose answers are the same text. */
  readonly sameTexts: number
  /** Between the two confidences of a row on which both agree. */
  readonly largestConfidenceDifference: number
  readonly metrics: readonly string[]
  readonly student: CertifiedSystem
  readonly export: CertifiedSystem
  readonly disagreements: readonly Disagreement[]
}

export interface CertifyOptions {
  readonly metrics: readonly string[]
  readonly seed: number
  readonly signal: AbortSignal
  onProgress(done: number): void
}

/** Rows that both answer alone and in turn, to take times by. */
const timedRows = 20

/** Runs both on `test`. */
export async function certify(student: Student, bundle: TriedBundle, test: Dataset, options: CertifyOptions): Promise<Certificate> {
  const { metrics, seed, signal, onProgress } = options
  const decoding = bundle.isGreedy ? ({ kind: "greedy" } as const) : undefined
  const ours = await student.predict(test.inputs, { decoding, signal })
  const theirs: Prediction[] = []
  const seconds = { student: [] as number[], export: [] as number[] }
  for (const [row, input] of test.inputs.entries()) {
    signal.throwIfAborted()
    if (row < timedRows) seconds.student.push(await takeTime(() => student.predict([input], { decoding, signal })))
    seconds.export.push(
      await takeTime(async () => {
        theirs.push(await bundle.answer(input))
      }),
    )
    onProgress(row + 1)
  }
  const score = (predictions: readonly Prediction[], times: readonly number[]): CertifiedSystem => ({
    ...scoreAnswers(
      predictions.map(({ output }) => output),
      test.outputs,
      metrics,
      seed,
    ),
    secondsPerAnswer: summarizeSeconds(times.slice(0, timedRows))?.median ?? 0,
  })
  return {
    runtime: bundle.runtime,
    rows: test.length,
    ...compareAnswers(ours, theirs, test),
    metrics: metrics.map((name) => metricNamed(name).name),
    student: score(ours, seconds.student),
    export: score(theirs, seconds.export),
  }
}

function compareAnswers(ours: readonly Prediction[], theirs: readonly Prediction[], test: Dataset) {
  const hasSameTokens = (row: number) => ours[row].tokens.join() === theirs[row].tokens.join() && ours[row].output === theirs[row].output
  const rows = ours.map((_, row) => row)
  const alike = rows.filter(hasSameTokens)
  const differences = alike.map((row) => Math.abs(ours[row].confidence - theirs[row].confidence))
  return {
    sameTokens: alike.length,
    sameTexts: rows.filter((row) => ours[row].output === theirs[row].output).length,
    largestConfidenceDifference: differences.reduce((most, one) => Math.max(most, one), 0),
    disagreements: rows
      .filter((row) => !hasSameTokens(row))
      .map((row) => ({
        row,
        input: test.inputs[row],
        expected: test.outputs[row],
        student: ours[row].output,
        export: theirs[row].output,
      })),
  }
}

function scoreAnswers(answers: readonly string[], expected: readonly string[], names: readonly string[], seed: number) {
  const scores: Record<string, number> = {}
  const intervals: Record<string, { low: number; high: number }> = {}
  for (const metric of names.map(metricNamed)) {
    const { value, low, high } = bootstrapInterval(metric.statistics(answers, expected), metric.score, { seed })
    scores[metric.name] = value
    intervals[metric.name] = { low, high }
  }
  return { scores, intervals }
}

async function takeTime(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
