// The systems of a reproduction: our student at each point, the base as it was, the teacher, the paper's numbers, and what costs nothing.
import { bootstrapInterval, type Interval, type Metric, metricNamed, type PairedDifference } from "../../measures"
import { compareSeeds, type SeedAnswers, scoreSeeds } from "../ablate/compare-cells"
import { type Artifacts, readPredictions } from "../reproduce-table/artifacts"
import { mainTable, type PublishedScore } from "../reproduce-table/published"
import { metricsOf, nameStudent } from "../reproduce-table/score-stored"
import type { AnsweredPoint, TrainingRows, Trainings } from "./train-points"
import { rowsOfStudent, type TrainingTask } from "./training-tasks"

/** A score with its 95% interval: over seeds (Student's t) where there are several, else over test rows (bootstrap). */
export type SystemScore = Interval & { readonly perSeed?: readonly number[] }

export interface ReproducedSystem {
  readonly kind: "student" | "base" | "teacher" | "paper" | "stored" | "baseline"
  /** As people read it. */
  readonly system: string
  /** Rows that it was trained on, and passes over them. */
  readonly rows?: number
  readonly epochs?: number
  /** By metric; empty where there are no answers. */
  readonly scores: Readonly<Record<string, SystemScore>>
  /** In the paper, by the task's metric. */
  readonly published?: number
}

/** The main student against another system, on the same rows. */
export interface ReproducedComparison extends PairedDifference {
  readonly system: string
  readonly kind: ReproducedSystem["kind"]
  readonly metric: string
}

/** From one point of a curve to the next. */
export interface CurveStep extends PairedDifference {
  readonly over: "rows" | "epochs"
  readonly from: number
  readonly to: number
}

export interface ComparedWithPaper {
  readonly student: ReproducedSystem
  readonly others: readonly ReproducedSystem[]
  /** By rising rows; the student last. */
  readonly byRows: readonly ReproducedSystem[]
  /** By rising epochs; the student last. */
  readonly byEpochs: readonly ReproducedSystem[]
  readonly comparisons: readonly ReproducedComparison[]
  /** The last step of each curve, by the task's metric. */
  readonly lastSteps: readonly CurveStep[]
}

const teacherName = "gpt-3.5-turbo"
/** An answer that fewer test rows expect is no majority of anything. */
const commonShare = 0.01

export async function compareWithPaper(
  task: TrainingTask,
  artifacts: Artifacts,
  rows: TrainingRows,
  trainings: Trainings,
): Promise<ComparedWithPaper> {
  const metrics = metricsOf(task.task).map(metricNamed)
  const expected = rows.test.outputs
  const { main, byRows, byEpochs, baseAnswers } = trainings
  const describe = (point: AnsweredPoint): ReproducedSystem => ({
    ...{ kind: "student", system: "student", rows: point.rows, epochs: point.epochs },
    scores: scoresOf(metrics, (metric) => scoreSeeds(point.runs, expected, metric, 1)),
  })
  const answered = [
    ...(baseAnswers ? [{ kind: "base" as const, system: "base model, unchanged", answers: baseAnswers }] : []),
    ...(await readTeacher(task, artifacts)),
    ...listBaselines(rows),
    ...(await readStored(task, artifacts, rows)),
  ]
  const compared = answered.filter(({ answers }) => answers.length === expected.length)
  const published = mainTable[task.task] as readonly PublishedScore[]
  const others = compared.map(
    ({ kind, system, answers }): ReproducedSystem => ({
      ...{ kind, system, scores: scoresOf(metrics, (metric) => intervalOf(metric, answers, expected)) },
      published: kind === "teacher" ? published.find((row) => row.system === teacherName)?.score : undefined,
    }),
  )
  const inPaper = published
    .filter(({ system }) => !others.some((other) => other.kind === "teacher" && system === teacherName))
    .map(({ system, score }): ReproducedSystem => ({ kind: "paper", system: `${system}, in the paper`, scores: {}, published: score }))
  const against = (system: string, kind: ReproducedSystem["kind"], answers: readonly string[], metric: Metric): ReproducedComparison[] => {
    const difference = compareSeeds(main.runs, atEachSeed(answers, main.runs), expected, metric, 1)
    return difference ? [{ system, kind, metric: metric.name, ...difference }] : []
  }
  return {
    student: describe(main),
    others: [...others, ...inPaper],
    ...{ byRows: byRows.map(describe), byEpochs: byEpochs.map(describe) },
    comparisons: compared.flatMap(({ system, kind, answers }) => metrics.flatMap((metric) => against(system, kind, answers, metric))),
    lastSteps: [...stepOf("rows", byRows, expected, metrics[0]), ...stepOf("epochs", byEpochs, expected, metrics[0])],
  }
}

interface AnsweredSystem {
  readonly kind: ReproducedSystem["kind"]
  readonly system: string
  readonly answers: readonly string[]
}

async function readTeacher({ task }: TrainingTask, artifacts: Artifacts): Promise<AnsweredSystem[]> {
  const folder = await artifacts.teacherFolder(task)
  return folder === undefined
    ? []
    : [{ kind: "teacher", system: `teacher, ${teacherName}`, answers: (await readPredictions(folder)).answers }]
}

/** The authors' students that were trained on the same rows. */
async function readStored({ task }: TrainingTask, artifacts: Artifacts, { name }: TrainingRows): Promise<AnsweredSystem[]> {
  const students = artifacts.students.filter(
    (student) => student.task === task && student.test === "real" && rowsOfStudent(student) === name,
  )
  return Promise.all(
    students.map(async (student) => ({
      ...{ kind: "stored" as const, system: `the authors' ${nameStudent(student)}` },
      answers: (await readPredictions(student.folder)).answers,
    })),
  )
}

function listBaselines({ test, train }: TrainingRows): AnsweredSystem[] {
  const always = (label: string, answer: string): AnsweredSystem => ({
    ...{ kind: "baseline", system: `always ${quote(answer)} (${label})` },
    answers: test.outputs.map(() => answer),
  })
  const [inTest, inTraining] = [mostFrequent(test.outputs), mostFrequent(train.outputs)]
  const isCommon = test.outputs.filter((output) => output === inTest).length >= commonShare * test.length
  return [
    { kind: "baseline", system: "copy the input", answers: test.inputs },
    ...(isCommon ? [always("most frequent in the test", inTest)] : []),
    ...(isCommon && inTraining === inTest ? [] : [always("most frequent in training", inTraining)]),
  ]
}

function scoresOf(metrics: readonly Metric[], score: (metric: Metric) => SystemScore): Readonly<Record<string, SystemScore>> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, score(metric)]))
}

function intervalOf(metric: Metric, answers: readonly string[], expected: readonly string[]): Interval {
  const { value, low, high } = bootstrapInterval(metric.statistics(answers, expected), metric.score)
  return { value, low, high }
}

function stepOf(over: CurveStep["over"], points: readonly AnsweredPoint[], expected: readonly string[], metric: Metric): CurveStep[] {
  const [before, last] = points.slice(-2)
  const difference = last && compareSeeds(last.runs, before.runs, expected, metric, 1)
  return difference ? [{ over, from: before[over], to: last[over], ...difference }] : []
}

/** Answers that depend on no seed, beside those that do. */
function atEachSeed(answers: readonly string[], runs: readonly SeedAnswers[]): SeedAnswers[] {
  return runs.map(({ seed }) => ({ seed, answers }))
}

function mostFrequent(outputs: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const output of outputs) counts.set(output, (counts.get(output) ?? 0) + 1)
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

function quote(text: string): string {
  const line = text.replace(/\s+/g, " ")
  return `"${line.length > 24 ? `${line.slice(0, 23)}…` : line}"`
}
