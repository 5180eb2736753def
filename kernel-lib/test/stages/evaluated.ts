// A student, a teacher and a test set that doubles numbers: whom evaluate's tests ask, and about what.
import { Dataset } from "../../src/core/dataset"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { PredictOptions, Student } from "../../src/core/student"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"

/** A student that answers with `answer`; the surer, the longer the input. */
export function studentOf(name: string, answer: (input: string) => string): Student & { calls: PredictOptions[] } {
  const calls: PredictOptions[] = []
  return {
    ...{
      kind: "student",
      name,
      architecture: "t5",
      parameters: 1000,
      bytes: 2_800_000,
      isPretrained: false,
      fingerprint: `student ${name}`,
      calls,
    },
    async predict(inputs, options = {}) {
      calls.push(options)
      options.onProgress?.(inputs.length, inputs.length)
      return inputs.map((input) => ({ output: answer(input), tokens: [1], confidence: input.length / 100 }))
    },
    async save() {},
    dispose() {},
  }
}

/** A teacher that answers each question with `answer`; its requests are kept. */
export function teacherOf(
  answer: (request: TeacherRequest) => string | Promise<string>,
  extra: Partial<Teacher> = {},
): Teacher & { requests: TeacherRequest[]; most: number } {
  const requests: TeacherRequest[] = []
  let inFlight = 0
  return {
    ...{ name: "mock-teacher", requests, most: 0, ...extra },
    async complete(request) {
      requests.push(request)
      this.most = Math.max(this.most, ++inFlight)
      try {
        const texts = [await answer(request)]
        return { texts, finishReasons: ["stop"], usage: { inputTokens: 10, outputTokens: 5 }, usd: 0.001 }
      } finally {
        inFlight--
      }
    },
  }
}

export const questionOf = (request: TeacherRequest) => /Example:\n([\s\S]*)\nLabel:\n$/.exec(request.messages.at(-1)!.content)![1]

export const spec = new PromptSpec({
  instruction: "Double it.",
  demonstrations: [
    { input: "1", output: "2" },
    { input: "2", output: "4" },
  ],
})
export const double = (input: string) => String(2 * Number(input))
export const testSet = Dataset.from(
  Array.from({ length: 40 }, (_, index) => ({ input: String(100 + index), output: String(200 + 2 * index) })),
)
export const train = Dataset.from([
  { input: "99", output: "198" },
  { input: "1100", output: "2200" },
  { input: "98", output: "198" },
])
/** Right on all but the rows 3 and 30. */
export const student = studentOf("tiny", (input) => (input === "103" || input === "130" ? "0" : double(input)))
