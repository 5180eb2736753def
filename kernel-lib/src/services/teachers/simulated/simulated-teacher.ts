// The simulated teacher: a program that answers as a language model would, for trying everything out without a key and without a network.
// It is a real server on loopback, asked through the real client.
import { InputError } from "../../../core/errors"
import { type Teacher, tellAnswers } from "../../../core/teacher"
import { refusalOf } from "../openai-errors"
import { openaiTeacher } from "../openai-teacher"
import { grammarVersion } from "./answer"
import { noGrammarCode, type ProtocolServer, simulatedModel, startProtocolServer } from "./protocol-server"

export interface SimulatedTeacherOptions {
  /** Another seed is another teacher: it makes other examples and other mistakes. Default 0. */
  readonly seed?: number
}

/**
 * A teacher without a model. It knows one task, dates as people write them in English to ISO 8601, and is wrong more often as temperature
 * rises. Its server starts with the first request and never keeps the process alive.
 *
 * @throws `complete` rejects with InputError `simulated.no-grammar` when the prompt is about anything else
 * @example
 * const teacher = simulatedTeacher({ seed: 7 })
 * const messages = [{ role: "user" as const, content: "<task 0>Write the date in ISO 8601.\nExample:\n3 May 1999\nLabel:\n" }]
 * const { texts } = await teacher.complete({ purpose: "answer", messages, temperature: 0, numResponses: 1, index: 0 })
 * texts // ["1999-05-03"]
 */
export function simulatedTeacher({ seed = 0 }: SimulatedTeacherOptions = {}): Teacher {
  let starting: Promise<{ server: ProtocolServer; asked: Teacher }> | undefined
  const start = async () => {
    const server = await startProtocolServer(seed)
    return { server, asked: openaiTeacher(simulatedModel, { baseURL: server.baseURL, apiKey: "" }) }
  }
  return {
    name: "simulated",
    identity: `simulated/dates-${grammarVersion}/seed-${seed}`,
    isSimulated: true,
    // It knows one task's grammar, and cannot rewrite rows of any dataset.
    answers: (purpose) => purpose !== "transform",
    complete: tellAnswers(async (request, options) => {
      starting ??= start()
      const { asked } = await starting
      // Its answers follow from the request alone, so that requests without a seed need one to differ by their index.
      return asked.complete({ ...request, seed: request.seed ?? 0 }, options).catch((error) => {
        const refusal = refusalOf(error)
        throw refusal?.code === noGrammarCode ? new InputError("simulated.no-grammar", refusal.message, { cause: error }) : error
      })
    }),
    async close() {
      const started = starting
      starting = undefined
      await (await started)?.server.close()
    },
  }
}
