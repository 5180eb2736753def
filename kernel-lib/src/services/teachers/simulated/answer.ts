// The simulated teacher's answers: a pure function of the request (its seed, messages, temperature and the number of the response), as a
// seeded server's are.
import { fingerprintOf } from "../../../core/fingerprint"
import { Random } from "../../../core/random"
import type { ChatMessage } from "../../../core/teacher"
import { type CalendarDate, toIso } from "./calendar"
import { chooseColumns, chooseDataset } from "./choose-listed"
import { daringAt, drawDate, writeDate } from "./date-ways"
import { breakJson, makeMistake, malformedRateAt, refusal, refusalRateAt, wrongRateAt } from "./mistakes"
import { readDate } from "./read-date"
import { findExamples } from "./read-examples"
import { isDateTask, readQuestion } from "./recognise-task"

/** Raised when the grammar changes, so that answers of an older one are not taken for its own. */
export const grammarVersion = 2

export interface AnswerRequest {
  readonly messages: readonly ChatMessage[]
  readonly temperature: number
  /** The request's own seed. */
  readonly seed: number
  readonly numResponses: number
  /** Name of the schema that was asked for: it tells what kind of answer is wanted. */
  readonly schemaName?: string
}

export interface Answer {
  readonly text: string
  readonly finishReason: "stop" | "length"
}

/** The answers of a server of `seed`; undefined where the prompt is about something that the grammar does not know. */
export function answerRequest(request: AnswerRequest, seed: string | number): Answer[] | undefined {
  const { messages, temperature, schemaName } = request
  const last = messages.findLast(({ role }) => role === "user")?.content ?? ""
  const random = new Random(fingerprintOf([seed, request.seed, temperature, messages]))
  const repeat = (answer: (random: Random) => Answer) =>
    Array.from({ length: request.numResponses }, (_, index) => answer(random.fork(index)))
  if (schemaName === "dataset_choice") return repeat((draw) => object({ name: chooseDataset(last, temperature, draw) }))
  if (schemaName === "column_choice") return repeat(() => object(chooseColumns(last)))
  // Splitting a prompt takes rules about examples, and no grammar.
  if (schemaName === "parsed_prompt") return repeat(() => splitPrompt(last))
  if (!isDateTask(messages)) return undefined
  if (schemaName === "generated_example") return repeat((draw) => writeExample(temperature, draw))
  const { input } = readQuestion(messages)
  // At temperature 0 the question alone decides, as in greedy decoding.
  return repeat((draw) => answerQuestion(input, temperature, temperature === 0 ? new Random(`${seed}/question/${input}`) : draw))
}

function object(value: unknown): Answer {
  return { text: JSON.stringify(value), finishReason: "stop" }
}

function splitPrompt(text: string): Answer {
  const { instruction, examples } = findExamples(text)
  return object({ instruction, demonstrations: examples })
}

/** A new example: a date in some way, and its ISO form, or what the teacher takes for it. */
function writeExample(temperature: number, random: Random): Answer {
  const daring = daringAt(temperature)
  const date = drawDate(random, daring)
  const input = writeDate(date, random, daring)
  const text = `{"input": ${JSON.stringify(input)}, "output": ${JSON.stringify(writeIso(date, temperature, random))}}`
  const luck = random.next()
  if (luck < refusalRateAt(temperature)) return { text: refusal, finishReason: "stop" }
  if (luck < refusalRateAt(temperature) + malformedRateAt(temperature)) return { text: breakJson(text, random), finishReason: "stop" }
  return { text, finishReason: "stop" }
}

function answerQuestion(input: string, temperature: number, random: Random): Answer {
  const date = readDate(input)
  return { text: date ? writeIso(date, temperature, random) : "I cannot tell which day that is.", finishReason: "stop" }
}

function writeIso(date: CalendarDate, temperature: number, random: Random): string {
  return random.next() < wrongRateAt(temperature) ? makeMistake(date, random) : toIso(date)
}
