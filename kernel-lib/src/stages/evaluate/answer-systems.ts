// What each system answers to the test rows: the student, the teacher, the model before training, and two that need no model.
import type { Dataset } from "../../core/dataset"
import { messageOf } from "../../core/errors"
import type { Decoding, Prediction, Student } from "../../core/student"
import { canAnswer, type Teacher } from "../../core/teacher"
import { summarizeSeconds } from "../../measures/answer-seconds"
import type { Answer } from "../../measures/metric"
import type { StageContext } from "../../store/define-stage"
import type { FolderRun } from "../../store/run"
import { askTeacher, type TaskPrompt } from "./ask-teacher"
import type { SystemScores } from "./report"

export interface Baselines {
  /** The model before training. */
  readonly base?: Student
  /** Asked with the prompt's demonstrations; needs `spec`, or a run that made the test set. */
  readonly teacher?: Teacher
  /** Asks `teacher` a second time, without the demonstrations: what they are worth. It costs as much again. Default false. */
  readonly zeroShot?: boolean
  /** Always the most frequent output of the train rows. Default true; needs `train`, or a run that made the test set. */
  readonly majority?: boolean
  /** Always the input. Default true. */
  readonly copyInput?: boolean
}

export interface AnswerOptions {
  readonly baselines?: Baselines
  readonly spec?: TaskPrompt
  readonly train?: Dataset
  readonly decoding?: Decoding
  readonly maxNewTokens?: number
}

/** A system's answers, before they are scored. */
export type AnsweredSystem = Pick<
  SystemScores,
  "name" | "label" | "note" | "answer" | "failures" | "bytes" | "usdPerThousand" | "answerSeconds" | "secondsPerThousand"
> & { readonly answers: readonly Answer[] }

export interface AllAnswers {
  /** The student first. */
  readonly systems: readonly AnsweredSystem[]
  /** The student's, with their confidence. */
  readonly predictions: readonly Prediction[]
  /** Baselines that were left out, and why. */
  readonly notes: readonly string[]
  /** Why a teacher that was asked has no answers: asked again, it may. */
  readonly reason?: string
}

/** A teacher without answers. */
interface LeftOut {
  readonly why: string
  /** It was asked: what stopped it may have passed when it is asked again. */
  readonly wasAsked: boolean
}

/** Asks all systems, one after the other. */
export async function answerAll(student: Student, test: Dataset, options: AnswerOptions, context: StageContext): Promise<AllAnswers> {
  const { baselines = {}, train, spec } = options
  const notes: string[] = []
  let reason: string | undefined
  const predicted = await predict(student, test, "student", options, context)
  const systems = [describeStudent("student", "student", student, predicted)]
  if (baselines.teacher) {
    // Whoever it is, it answers behind the run's response store and its caps.
    const { admit } = context.run as Partial<FolderRun>
    const teacher = admit?.(baselines.teacher) ?? baselines.teacher
    const outcome = await answerByTeacher(teacher, spec, test, context, "teacher")
    const leaveOut = (who: string, { why, wasAsked }: LeftOut) => {
      notes.push(`${who} is left out: ${why}`)
      if (wasAsked) reason ??= why
    }
    if ("why" in outcome) leaveOut("The teacher baseline", outcome)
    else {
      systems.push(outcome)
      if (baselines.zeroShot && spec && spec.demonstrations.length > 0) {
        const bare = await answerByTeacher(teacher, { instruction: spec.instruction, demonstrations: [] }, test, context, "teacherZeroShot")
        if ("why" in bare) leaveOut("The teacher without demonstrations", bare)
        else systems.push(bare)
      }
    }
  }
  if (baselines.base) {
    const answers = await predict(baselines.base, test, "base model", options, context)
    systems.push(describeStudent("base", "base model, unchanged", baselines.base, answers))
  }
  if (baselines.majority !== false && train && train.length > 0) {
    const majority = mostFrequent(train.outputs)
    systems.push({
      ...{ name: "majority", label: "majority answer", note: shorten(majority), answer: majority, failures: [] },
      answers: test.outputs.map(() => majority),
    })
  } else if (baselines.majority) {
    notes.push("The majority baseline is left out: give train rows.")
  }
  if (baselines.copyInput !== false) systems.push({ name: "copyInput", label: "copy the input", failures: [], answers: test.inputs })
  return { systems, predictions: predicted.answers, notes, reason }
}

interface TimedPredictions {
  readonly answers: readonly Prediction[]
  readonly seconds: number
}

async function predict(
  student: Student,
  test: Dataset,
  note: string,
  { decoding, maxNewTokens }: AnswerOptions,
  { signal, progress }: StageContext,
): Promise<TimedPredictions> {
  const started = performance.now()
  const onProgress = (done: number, total: number) => progress({ done, total, unit: "rows", note })
  const answers = await student.predict(test.inputs, { decoding, maxNewTokens, signal, onProgress })
  signal.throwIfAborted()
  return { answers, seconds: (performance.now() - started) / 1000 }
}

function describeStudent(
  name: "student" | "base",
  label: string,
  student: Student,
  { answers, seconds }: TimedPredictions,
): AnsweredSystem {
  return {
    ...{ name, label, note: student.name, failures: [], bytes: student.bytes, usdPerThousand: 0 },
    secondsPerThousand: (seconds / answers.length) * 1000,
    answers: answers.map(({ output }) => output),
  }
}

/** The teacher's answers, or why it has none. */
async function answerByTeacher(
  teacher: Teacher,
  spec: TaskPrompt | undefined,
  test: Dataset,
  { run, signal, progress }: StageContext,
  system: "teacher" | "teacherZeroShot",
): Promise<AnsweredSystem | LeftOut> {
  const { name } = teacher
  if (!canAnswer(teacher, "answer")) return { why: `${name} does not answer single inputs.`, wasAsked: false }
  if (!spec) return { why: "give the prompt as spec.", wasAsked: false }
  const started = performance.now()
  const reusedBefore = run.spending.requestsReused
  try {
    const asked = await askTeacher(teacher, spec, test.inputs, {
      signal,
      onProgress: (done) =>
        progress({ done, total: test.length, unit: "rows", note: system === "teacher" ? "teacher" : "teacher, zero-shot" }),
    })
    const seconds = (performance.now() - started) / 1000
    // Answers from the response store say nothing about how fast the teacher is.
    const isTimed = run.spending.requestsReused === reusedBefore && !teacher.isRecorded
    const { answers, failures, usd } = asked
    // A teacher somewhere else that says it costs nothing does not know its price, and a recording is no price list.
    const isPriced = usd > 0 || (teacher.sendsTo === undefined && !teacher.isRecorded)
    const simulated = teacher.isSimulated ? "simulated" : undefined
    const failed = failures.length > 0 ? `${failures.length} of ${test.length} requests failed` : undefined
    return {
      name: system,
      label: spec.demonstrations.length > 0 ? "teacher, few-shot" : "teacher, zero-shot",
      note: [name === simulated ? undefined : name, simulated, failed].filter(Boolean).join(", "),
      ...{ answers, failures, usdPerThousand: isPriced ? (usd / test.length) * 1000 : undefined },
      answerSeconds: summarizeSeconds(asked.seconds),
      secondsPerThousand: isTimed ? (seconds / test.length) * 1000 : undefined,
    }
  } catch (error) {
    if (signal.aborted) throw error
    return { why: messageOf(error), wasAsked: true }
  }
}

/** The most frequent of `outputs`; of equally frequent ones the first in alphabetical order. */
function mostFrequent(outputs: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const output of outputs) counts.set(output, (counts.get(output) ?? 0) + 1)
  return [...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))[0][0]
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > 40 ? `${line.slice(0, 39)}…` : line
}
