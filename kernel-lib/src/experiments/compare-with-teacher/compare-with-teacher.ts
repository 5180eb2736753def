// compareWithTeacher: a student, its teacher and unseen rows in, the table that decides between them out.
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { StageInlineOptions } from "../../core/run"
import type { Decoding, Student } from "../../core/student"
import type { Teacher } from "../../core/teacher"
import { summarizeSeconds } from "../../measures/answer-seconds"
import { type BertScoreSettings, evaluate, type Report, type TaskPrompt } from "../../stages/evaluate/evaluate"
import { ephemeralRun } from "../../store/run"
import { type ComparedSystem, type ComparedTeacher, TeacherComparison } from "./teacher-comparison"

/** `teacher`: the one to compare with. Default: the run's. */
export interface CompareWithTeacherOptions extends StageInlineOptions {
  /** The prompt: the teacher reads its instruction and its demonstrations. Default: what `processDatasets` split these test rows by. */
  readonly spec?: TaskPrompt
  /** Default exactMatch and chrF++. */
  readonly metrics?: readonly string[]
  /** The encoder for `"BERTScore"` among the metrics. */
  readonly bertScore?: BertScoreSettings
  readonly decoding?: Decoding
  readonly maxNewTokens?: number
  /** How many weights the teacher has, where its maker has told: sizes are compared by it. Default: not known. */
  readonly teacherParameters?: number
}

/** Rows that the student answers one at a time, to take times by. */
const timedRows = 50

/**
 * Sets a student beside its teacher on rows that the student has not seen: scores with intervals and what they differ by, size, the time of one
 * answer, the price of a thousand, and what leaves the machine. The teacher is asked behind the run's response store and its caps, so that
 * the same cell costs nothing a second time; where a cap ends it, the result is partial and says so. What nobody knows, it does not tell: a
 * hosted teacher's size, a price that is in no table, the time of answers that were recorded or come from a simulated teacher.
 *
 * @throws InputError `compare.no-teacher`; the errors of `evaluate`
 * @example
 * const student = await loadModel("bundled/byte-t5-tiny", { hub })
 * const comparison = await compareWithTeacher(student, own, { teacher: simulatedTeacher(), spec })
 * comparison.toLatex()
 */
export async function compareWithTeacher(
  student: Student,
  test: Dataset,
  options: CompareWithTeacherOptions = {},
): Promise<TeacherComparison> {
  const run = options.run ?? ephemeralRun(options)
  const teacher = options.run ? (options.teacher ?? run.teacher) : run.teacher
  if (!teacher)
    throw new InputError(
      "compare.no-teacher",
      'There is no teacher to compare with: open the run with one, or give teacher: openaiTeacher("gpt-6-luna").',
    )
  const { spec, metrics, bertScore, decoding, maxNewTokens, signal, teacherParameters } = options
  const report = await evaluate(student, test, {
    ...{ spec, metrics, bertScore, decoding, maxNewTokens, signal, run },
    baselines: { teacher, majority: false, copyInput: false },
  })
  return new TeacherComparison({
    metrics: report.metrics,
    rows: report.mainRows.length,
    student: {
      ...describeScores(report, "student"),
      ...{ name: student.name, parameters: student.parameters, bytes: student.bytes, usdPerThousand: 0 },
      answerSeconds: await timeAnswers(student, test.inputs.slice(0, timedRows), options),
    },
    teacher: report.baselines.teacher && describeTeacher(report, teacher, teacherParameters),
    teacherName: teacher.name,
    differences: report.baselines.teacher
      ? report.metrics.map((metric) => report.compare("student", "teacher", { metric, seed: run.seed }))
      : [],
    sent: run.sent(),
    spentUsd: run.spending.usd,
    notes: report.notes,
  })
}

function describeScores(report: Report, name: "student" | "teacher"): Pick<ComparedSystem, "scores" | "intervals"> {
  const { scores, intervals } = report.systems.find((system) => system.name === name)!
  return { scores, intervals }
}

function describeTeacher(report: Report, teacher: Teacher, parameters: number | undefined): ComparedTeacher {
  const { usdPerThousand, answerSeconds, failures } = report.baselines.teacher!
  const isSimulated = teacher.isSimulated === true
  return {
    ...describeScores(report, "teacher"),
    ...{ name: teacher.name, parameters, sendsTo: teacher.sendsTo, isSimulated, numFailures: failures.length },
    // What a program does in a model's place says nothing about a model's price and pace.
    ...(isSimulated ? {} : { usdPerThousand, answerSeconds }),
  }
}

/** Each input alone, as a user would send it; the first one twice, since it may compile. */
async function timeAnswers(
  student: Student,
  inputs: readonly string[],
  { decoding, maxNewTokens, signal }: CompareWithTeacherOptions,
): Promise<ComparedSystem["answerSeconds"]> {
  await student.predict(inputs.slice(0, 1), { decoding, maxNewTokens, signal })
  const seconds: number[] = []
  for (const input of inputs) {
    const started = performance.now()
    await student.predict([input], { decoding, maxNewTokens, signal })
    seconds.push((performance.now() - started) / 1000)
  }
  return summarizeSeconds(seconds)
}
