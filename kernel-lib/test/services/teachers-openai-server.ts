// A teacher of the chat-completions protocol and the server that it asks, for tests of what lies between them.
import type { TeacherRequest } from "../../src/core/teacher"
import { type OpenAITeacherOptions, openaiTeacher } from "../../src/services/teachers"
import { type Behaviour, completionOf, type FaultServer, reply, startFaultServer } from "./teachers-fault-server"

export const request: TeacherRequest = {
  purpose: "generate",
  messages: [{ role: "user", content: "hello" }],
  temperature: 0.5,
  numResponses: 1,
  index: 0,
}

const open: FaultServer[] = []

export async function serve(behave: Behaviour, options: OpenAITeacherOptions = {}, model = "m") {
  const server = await startFaultServer(behave)
  open.push(server)
  return { server, teacher: openaiTeacher(model, { baseURL: server.baseURL, apiKey: "", backOffMilliseconds: 1, ...options }) }
}

/** Ends all that `serve` started. */
export async function closeServers(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.close()))
}

/** Fails in this way first, then answers. */
export function once(fail: Behaviour): Behaviour {
  return (seen, response, server) => (seen.number === 0 ? fail(seen, response, server) : reply(response, completionOf(["fine"])))
}
