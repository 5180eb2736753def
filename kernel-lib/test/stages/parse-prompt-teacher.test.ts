// parsePrompt of free text, by a teacher whose answers are held against the prompt.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { openaiTeacher, simulatedTeacher } from "../../src/services/teachers"
import { parsePrompt } from "../../src/stages/parse-prompt/parse-prompt"
import { openRunFolder } from "../../src/store/run"
import { completionOf, reply, startFaultServer } from "../services/teachers-fault-server"

describe("parsePrompt by a teacher", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse-prompt-"))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const prompt = `Schreibe höflich um. Aus „Gib her!“ wird zum Beispiel

    Könntest du mir das
    bitte geben?

und aus „Weg da“ wird „Darf ich mal vorbei?“. Nie mehr als zwei Sätze.`
  const right = {
    instruction: "Schreibe höflich um. Nie mehr als zwei Sätze.",
    demonstrations: [
      { input: "Gib her!", output: "Könntest du mir das bitte geben?" },
      { input: "Weg da", output: "Darf ich mal vorbei?" },
    ],
  }
  const answering = (...answers: unknown[]): Teacher & { requests: TeacherRequest[] } => {
    const requests: TeacherRequest[] = []
    return {
      name: "reader",
      requests,
      async complete(request) {
        const answer = answers[Math.min(requests.push(request), answers.length) - 1]
        const text = typeof answer === "string" ? answer : JSON.stringify(answer)
        return { texts: [text], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
      },
    }
  }
  const parse = async (text: string, teacher: Teacher) => parsePrompt(text, { run: await openRunFolder(join(folder, "run"), { teacher }) })

  it("takes examples from free text, with the line breaks and the indentation that they have there", async () => {
    const spec = await parse(prompt, answering(right))
    expect(spec).toMatchObject({ instruction: right.instruction, parsedBy: "reader" })
    expect(spec.demonstrations).toEqual([{ input: "Gib her!", output: "Könntest du mir das\n    bitte geben?" }, right.demonstrations[1]])
  })

  it("says what is wrong with an answer once: made-up examples, other words, another form", async () => {
    const wrong = [
      [
        { ...right, demonstrations: [...right.demonstrations, { input: "Platz!", output: "Setz dich bitte." }] },
        /demonstration 3 does not stand in the prompt/,
      ],
      [{ ...right, instruction: "Make every utterance sound considerably friendlier" }, /not in the words of the prompt/],
      [{ ...right, instruction: " " }, /"instruction" is empty/],
      [{ instruction: right.instruction }, /has no "demonstrations"/],
    ] as const
    for (const [index, [answer, problem]] of wrong.entries()) {
      const teacher = { ...answering(answer, right), identity: `reader ${index}` }
      const spec = await parsePrompt(prompt, { run: await openRunFolder(join(folder, String(index)), { teacher }) })
      expect(spec.demonstrations).toHaveLength(2)
      expect(teacher.requests).toHaveLength(2)
      expect(teacher.requests[1].messages.at(-1)?.content).toMatch(problem)
    }
  })

  it("falls back on the arrangement of the lines, or names the remedy, where the answers are of no use", async () => {
    const arranged = "Say the opposite.\n\nhot -> cold\nup -> down"
    expect(await parse(arranged, answering("no"))).toMatchObject({
      parsedBy: "rules, from the arrangement of its lines",
      demonstrations: { length: 2 },
    })
    const other = await openRunFolder(join(folder, "other"), { teacher: answering("no") })
    await expect(parsePrompt(prompt, { run: other })).rejects.toMatchObject({ code: "teacher.malformed" })
    const empty = await openRunFolder(join(folder, "empty"), { teacher: answering({ ...right, demonstrations: [] }) })
    await expect(parsePrompt(prompt, { run: empty })).rejects.toMatchObject({ code: "prompt.no-examples" })
  })

  it("is not asked where the examples are marked", async () => {
    const teacher = answering(right)
    await parse('Do it.\n\ninput="a" output="b"', teacher)
    expect(teacher.requests).toEqual([])
  })

  it("may be a server, or the simulated one", async () => {
    const server = await startFaultServer(({ body }, response) => {
      expect(body.response_format.json_schema.name).toBe("parsed_prompt")
      reply(response, completionOf([`Sure!\n\`\`\`json\n${JSON.stringify(right)}\n\`\`\``]))
    })
    try {
      const spec = await parse(prompt, openaiTeacher("local", { baseURL: server.baseURL, apiKey: "k-local-test" }))
      expect(spec.demonstrations).toHaveLength(2)
    } finally {
      await server.close()
    }
    const teacher = simulatedTeacher()
    const run = await openRunFolder(join(folder, "simulated"), { teacher })
    const spec = await parsePrompt("Write dates as ISO 8601.\n\n3 May 1999 becomes 1999-05-03\n1 June 2001 becomes 2001-06-01", { run })
    expect(spec).toMatchObject({ parsedBy: "simulated", demonstrations: [{ input: "3 May 1999" }, { output: "2001-06-01" }] })
    await teacher.close?.()
  })
})
