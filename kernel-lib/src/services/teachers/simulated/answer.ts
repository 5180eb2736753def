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
export const grammarVersion = 1

export interface AnswerRequest {
  readonly messages: readonly ChatMessage[]
  readonly temperature: number
  /** The request's own seed. */
  readonly seed: number
  /** Which of the request's responses this is, from 0. */
  readonly response: number
  /** Name of the schema that was asked for: it tells what kind of answer is wanted. */
  readonly schemaName?: string
}

export interface Answer {
  readonly text: string
  readonly finishReason: "stop" | "length"
}

/** The prompt is about something that the grammar does not know. */
export const noGrammar = Symbol("noGrammar")

/** Answers for a server of `seed`. */
export function answerRequest(request: AnswerRequest, seed: string | number): Answer | typeof noGrammar {
  const { messages, schemaName } = request
  const last = messages.findLast(({ role }) => role === "user")?.content ?? ""
  const random = randomFor(request, seed)
  if (schemaName === "dataset_choice") return object({ name: chooseDataset(last, request.temperature, random) })
  if (schemaName === "column_choice") return object(chooseColumns(last))
  // A prompt to be split is data of its own: the instructions around it must not decide what it is about.
  const isAbout = schemaName === "parsed_prompt" ? messages.filter(({ role }) => role === "user") : messages
  if (!isDateTask(isAbout)) return noGrammar
  if (schemaName === "parsed_prompt") return splitPrompt(last)
  if (schemaName === "generated_example") return writeExample(request.temperature, random)
  return answerQuestion(request, seed)
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

/** A plain answer. At temperature 0 it depends on the question alone, as greedy decoding does. */
function answerQuestion(request: AnswerRequest, seed: string | number): Answer {
  const { input } = readQuestion(request.messages)
  const random = request.temperature === 0 ? new Random(`${seed}/question/${input}`) : randomFor(request, seed)
  const date = readDate(input)
  return { text: date ? writeIso(date, request.temperature, random) : "I cannot tell which day that is.", finishReason: "stop" }
}

function writeIso(date: CalendarDate, temperature: number, random: Random): string {
  return random.next() < wrongRateAt(temperature) ? makeMistake(date, random) : toIso(date)
}

function randomFor({ messages, temperature, seed: requestSeed, response }: AnswerRequest, seed: string | number): Random {
  return new Random(fingerprintOf([seed, requestSeed, temperature, messages, response]))
}
