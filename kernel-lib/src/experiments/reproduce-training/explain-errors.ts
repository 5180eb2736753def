// Why a student scores what it scores: what of it is in the rows that it learned from, what in the test, and how its errors divide.
import type { Dataset } from "../../core/dataset"
import { countOf, formatCount, formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"

/** A kind of error, of all wrong rows. */
export interface ErrorKind {
  readonly kind: string
  readonly rows: number
}

export interface ErrorDiagnosis {
  /** On rows of the teacher's that were kept from training: whether it has learned what it was taught. By metric. */
  readonly heldOut?: { readonly rows: number; readonly scores: Readonly<Record<string, number>> }
  /** The test's most frequent answer, and the share of rows with it: in the test, in training, among the student's answers. */
  readonly commonAnswer: { readonly answer: string; readonly inTest: number; readonly inTraining: number; readonly given: number }
  /** Test rows whose expected answer has a form that no training row's has, with the score on them and on the others. */
  readonly unseenForms: { readonly rows: number; readonly ofRows: number; readonly score?: number; readonly elsewhere?: number }
  /** Wrong rows, the most frequent kind first; together all of them. */
  readonly errors: readonly ErrorKind[]
}

export interface ExplainOptions {
  readonly train: Dataset
  readonly test: Dataset
  readonly answers: readonly string[]
  /** The metric of the task. */
  readonly metric: string
  readonly heldOut?: ErrorDiagnosis["heldOut"]
}

/** An answer that as many test rows expect counts as a kind of its own. */
const commonShare = 0.1

export function explainErrors({ train, test, answers, metric: name, heldOut }: ExplainOptions): ErrorDiagnosis {
  const metric = metricNamed(name)
  const expected = test.outputs
  const common = mostFrequent(expected)
  const shareOf = (outputs: readonly string[]) => outputs.filter((output) => output.trim() === common).length / Math.max(1, outputs.length)
  const known = new Set(train.outputs.map(shapeOf))
  const isUnseen = expected.map((output) => !known.has(shapeOf(output)))
  const scoreWhere = (isWanted: (row: number) => boolean) => {
    const rows = [...expected.keys()].filter(isWanted)
    return rows.length === 0
      ? undefined
      : metric.corpus(
          rows.map((row) => answers[row]),
          rows.map((row) => expected[row]),
        )
  }
  return {
    heldOut,
    commonAnswer: { answer: common, inTest: shareOf(expected), inTraining: shareOf(train.outputs), given: shareOf(answers) },
    unseenForms: {
      rows: isUnseen.filter(Boolean).length,
      ofRows: expected.length,
      score: scoreWhere((row) => isUnseen[row]),
      elsewhere: scoreWhere((row) => !isUnseen[row]),
    },
    errors: divideErrors(answers, expected, shareOf(expected) >= commonShare ? common : undefined),
  }
}

function divideErrors(answers: readonly string[], expected: readonly string[], common: string | undefined): ErrorKind[] {
  const counts = new Map<string, number>()
  for (const [row, answer] of answers.entries()) {
    if (answer === expected[row]) continue
    const kind = kindOfError(answer.trim(), expected[row].trim(), common)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].map(([kind, rows]) => ({ kind, rows })).sort((a, b) => b.rows - a.rows || (a.kind < b.kind ? -1 : 1))
}

function kindOfError(answer: string, expected: string, common: string | undefined): string {
  if (answer === "") return "have no answer"
  if (answer === expected) return "differ in white space alone"
  if (common !== undefined && expected === common) return `answer where ${quote(common)} is expected`
  if (common !== undefined && answer === common) return `have ${quote(common)} where an answer is expected`
  return shapeOf(answer) === shapeOf(expected) ? "have the expected form and another content" : "have another form than is expected"
}

/** The form of an answer: words as one sign, runs of digits by their length, all else as it is. */
export function shapeOf(text: string): string {
  return text
    .trim()
    .replace(/\p{N}+/gu, (digits) => `<${digits.length}>`)
    .replace(/\p{L}[\p{L}\p{M}]*(?:[\s'’-]+\p{L}[\p{L}\p{M}]*)*/gu, "a")
    .replace(/\s+/g, " ")
}

/** What the diagnosis says, a sentence each. */
export function describeDiagnosis({ heldOut, commonAnswer, unseenForms, errors }: ErrorDiagnosis, metric: string): string[] {
  const { label, scale } = metricNamed(metric)
  const share = (value: number) => `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)}%`
  const numErrors = errors.reduce((sum, { rows }) => sum + rows, 0)
  const { answer, inTest, inTraining, given } = commonAnswer
  const { rows, ofRows, score, elsewhere } = unseenForms
  const there = rows === 0 ? "" : `; ${label} is ${formatScore(score, scale)} on them and ${formatScore(elsewhere, scale)} on the others`
  return [
    ...(heldOut
      ? [
          `On ${countOf(heldOut.rows, "row")} of the teacher's that were kept from training the student has ${formatScore(heldOut.scores[metric], scale)} ${label} and exact match ${formatScore(heldOut.scores.exactMatch, 1)}.`,
        ]
      : []),
    ...(inTest >= commonShare
      ? [
          `${share(inTest)} of the test rows expect ${quote(answer)}, as ${share(inTraining)} of the training rows do; the student gives it in ${share(given)} of its answers.`,
        ]
      : []),
    `${share(rows / ofRows)} of the test rows (${formatCount(rows)}) expect an answer of a form that no training row has${there}.`,
    ...(numErrors > 0
      ? [
          `Of ${countOf(numErrors, "wrong answer")}: ${errors.map((error) => `${formatCount(error.rows)} (${share(error.rows / numErrors)}) ${error.kind}`).join("; ")}.`,
        ]
      : []),
  ]
}

function mostFrequent(outputs: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const output of outputs) counts.set(output.trim(), (counts.get(output.trim()) ?? 0) + 1)
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

function quote(text: string): string {
  const line = text.replace(/\s+/g, " ")
  return `"${line.length > 30 ? `${line.slice(0, 29)}…` : line}"`
}
