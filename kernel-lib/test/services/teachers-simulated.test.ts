import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import OpenAI from "openai"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { TeacherRequest } from "../../src/core/teacher"
import { simulatedTeacher } from "../../src/services/teachers"
import { toIso } from "../../src/services/teachers/simulated/calendar"
import { type ProtocolServer, startProtocolServer } from "../../src/services/teachers/simulated/protocol-server"
import { readDate } from "../../src/services/teachers/simulated/read-date"
import { fitGenerationPrompt, generatedExampleSchema } from "../../src/stages/generate-dataset/generation-prompt"
import { readMarkedExamples } from "../../src/stages/parse-prompt/read-marked-examples"

const readPrompt = (name: string) => readFileSync(join(import.meta.dirname, "../../../notebooks/prompts", name), "utf8")
const teacher = simulatedTeacher({ seed: 1 })
afterAll(() => teacher.close?.())

/** A request as the generation stage makes it of a prompt's text. */
function generation(text: string, changes: Partial<TeacherRequest> = {}): TeacherRequest {
  const messages = fitGenerationPrompt(new PromptSpec(readMarkedExamples(text)), [], "middle", 24_000)
  return { purpose: "generate", messages, temperature: 1, numResponses: 1, index: 0, seed: 1, schema: generatedExampleSchema, ...changes }
}

const question = (input: string, changes: Partial<TeacherRequest> = {}): TeacherRequest => ({
  purpose: "answer",
  messages: [{ role: "user", content: `<task 0>${readMarkedExamples(readPrompt("dates.txt")).instruction}\nExample:\n${input}\nLabel:\n` }],
  ...{ temperature: 0, numResponses: 1, index: 0 },
  ...changes,
})

/** Rows made at one temperature: how many, how many are well-formed, and how many of those are wrong. */
async function measure(temperature: number) {
  const dates = readPrompt("dates.txt")
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => teacher.complete(generation(dates, { temperature, index, numResponses: 100 }))),
  )
  const texts = answers.flatMap(({ texts }) => texts)
  const rows = texts.flatMap((text) => {
    try {
      const { input, output } = JSON.parse(text)
      return typeof input === "string" && typeof output === "string" ? [{ input, output }] : []
    } catch {
      return []
    }
  })
  const wrong = rows.filter(({ input, output }) => {
    const date = readDate(input)
    return date === undefined || toIso(date) !== output
  })
  return {
    texts,
    rows,
    wrongShare: wrong.length / rows.length,
    malformedShare: 1 - rows.length / texts.length,
    inputs: new Set(rows.map(({ input }) => input)),
  }
}

describe("what it makes", () => {
  const temperatures = [0.5, 1.1, 1.7]
  let measured: Awaited<ReturnType<typeof measure>>[]
  beforeAll(async () => {
    measured = await Promise.all(temperatures.map(measure))
  })

  test("at least one row in twenty is wrong, and more as temperature rises", () => {
    const shares = measured.map(({ wrongShare }) => wrongShare)
    for (const [index, temperature] of temperatures.entries()) {
      expect(shares[index]).toBeGreaterThan(0.05)
      expect(Math.abs(shares[index] - (0.05 + 0.06 * temperature))).toBeLessThan(0.025)
    }
    expect(shares[2]).toBeGreaterThan(shares[0])
  })

  test("some answers are no JSON or decline, few", () => {
    for (const { malformedShare, texts } of measured) {
      expect(malformedShare).toBeGreaterThan(0)
      expect(malformedShare).toBeLessThan(0.06)
      expect(texts).toHaveLength(1200)
    }
  })

  test("repeats itself when careful, hardly when daring", () => {
    const different = measured.map(({ inputs, rows }) => inputs.size / rows.length)
    expect(different[0]).toBeLessThan(0.85)
    expect(different[2]).toBeGreaterThan(0.95)
  })

  test("never the two ways that only the test has", () => {
    for (const { rows } of measured) expect(rows.filter(({ input }) => /\)$|^\d{4} [A-Za-z]/.test(input))).toEqual([])
  })
})

describe("its answers follow from the request alone", () => {
  test("the same request, the same answers, from another server of the same seed too", async () => {
    const request = generation(readPrompt("dates.txt"), { numResponses: 5 })
    const { seconds: _, ...first } = await teacher.complete(request)
    expect(await teacher.complete(request)).toMatchObject(first)
    const twin = simulatedTeacher({ seed: 1 })
    expect(await twin.complete(request)).toMatchObject(first)
    await twin.close?.()
    expect(new Set(first.texts).size).toBeGreaterThan(1)
  })

  test("another index, seed, temperature, prompt or teacher's seed, other answers", async () => {
    const dates = readPrompt("dates.txt")
    const other = simulatedTeacher({ seed: 2 })
    const base = generation(dates, { numResponses: 5 })
    const answers = await Promise.all([
      teacher.complete(base),
      teacher.complete({ ...base, index: 1 }),
      teacher.complete({ ...base, seed: 2 }),
      teacher.complete({ ...base, temperature: 1.01 }),
      teacher.complete({ ...base, messages: [...base.messages, { role: "user", content: "Please." }] }),
      other.complete(base),
    ])
    await other.close?.()
    expect(new Set(answers.map(({ texts }) => texts.join("\n"))).size).toBe(answers.length)
    expect(other.identity).not.toBe(teacher.identity)
  })
})

describe("plain answers", () => {
  test("read the date, in ways that it never writes too, and are wrong for about one input in twenty at temperature 0", async () => {
    const rows = readPrompt("dates.test.jsonl")
      .trim()
      .split("\n")
      .filter((_, index) => index % 2 === 0)
      .map((line) => JSON.parse(line))
    const answers = await Promise.all(rows.map(({ input }, index) => teacher.complete(question(input, { index }))))
    const wrong = rows.filter(({ output }, index) => answers[index].texts[0] !== output).length
    expect(wrong / rows.length).toBeGreaterThan(0.01)
    expect(wrong / rows.length).toBeLessThan(0.1)
    const again = await teacher.complete(question(rows[0].input, { index: 999, seed: 5 }))
    expect(again.texts).toEqual(answers[0].texts)
  })

  test("follow few-shot turns", async () => {
    const turns = [
      { role: "user" as const, content: "<task 0>Normalise.\nExample:\n3 May 1999\nLabel:\n" },
      { role: "assistant" as const, content: "1999-05-03" },
      { role: "user" as const, content: "<task 0>Normalise.\nExample:\n4 June 2000\nLabel:\n" },
    ]
    expect((await teacher.complete({ ...question(""), messages: turns })).texts[0]).toMatch(/2000/)
  })

  test("a question that is no date gets no date", async () => {
    expect((await teacher.complete(question("next Tuesday, perhaps"))).texts).toEqual(["I cannot tell which day that is."])
  })
})

describe("which prompts it takes", () => {
  const dates = [
    readPrompt("dates.txt"),
    'Convert the given date into the ISO form.\n\ninput="July 4th, 1976"\noutput="1976-07-04"',
    'Normalisiere das Datum.\ninput="3 May 1999"\noutput="1999-05-03"\ninput="04.06.2001"\noutput="2001-06-04"',
    "Input: 12 December 2012\nOutput: 2012-12-12\n\nYou make dates machine-readable.",
  ]
  for (const text of dates) {
    test(`dates: ${text.slice(0, 40)}`, async () => {
      const { texts } = await teacher.complete(generation(text, { temperature: 0, numResponses: 20 }))
      expect(texts.filter((answer) => answer.startsWith('{"input"')).length).toBeGreaterThan(15)
    })
  }

  const others = [
    ...["temporal.txt", "squad.txt", "ja-to-python.txt", "sentiment.txt"].map(readPrompt),
    'Normalise, dates as ISO 8601.\ninput="3 May 1999"\noutput="1999-05-03"\ninput="five pounds"\noutput="GBP 5"\ninput="6 feet"\noutput="1.83 m"',
    'Name the capital of a country.\ninput="France"\noutput="Paris"',
    'Give the year of a date.\ninput="3 May 1999"\noutput="1999"',
    'Write the ISO 8601 date in English.\ninput="1999-05-03"\noutput="3 May 1999"',
    'Which day comes after this one? Answer in ISO 8601.\ninput="3 May 1999"\noutput="1999-05-04"\ninput="31 May 1999"\noutput="1999-06-01"',
  ]
  for (const text of others) {
    test(`something else: ${text.slice(0, 40)}`, async () => {
      await expect(teacher.complete(generation(text))).rejects.toMatchObject({
        code: "simulated.no-grammar",
        message:
          "The simulated teacher has a grammar only for dates, and this prompt is about something else: use --teacher openai:MODEL or --teacher recorded:FOLDER.",
      })
    })
  }

  test("its own wrong rows, shown as earlier examples, do not confuse it, be they four of eight or two of three", async () => {
    const spec = new PromptSpec(readMarkedExamples(readPrompt("dates.txt")))
    const wrong = ["1992-07-31", "The date is 1992-07-30.", "30 July 1992", "1992-08-30"].map((output, index) => ({
      input: `${index + 1} July 1992`,
      output,
    }))
    const single = spec.with({ demonstrations: spec.demonstrations.slice(0, 1) })
    for (const messages of [
      fitGenerationPrompt(spec, wrong, "long", 24_000),
      fitGenerationPrompt(single, wrong.slice(0, 2), "long", 24_000),
    ]) {
      expect((await teacher.complete(generation("", { messages }))).texts).toHaveLength(1)
    }
  })
})

describe("choices and parsing", () => {
  const schemaOf = (name: string) => ({ name, schema: { type: "object" } })

  test("splits an unmarked prompt, whatever it is about, and finds no examples where there are none", async () => {
    const parse = (content: string) =>
      teacher.complete({
        purpose: "parsePrompt",
        messages: [
          { role: "system", content: "You split a prompt." },
          { role: "user", content },
        ],
        temperature: 0,
        numResponses: 1,
        index: 0,
        schema: schemaOf("parsed_prompt"),
      })
    const { texts } = await parse(
      "Turn dates into ISO 8601.\n\nExamples:\n- 3 May 1999 -> 1999-05-03\n- 'the 4th of June 2001' -> '2001-06-04'\n\nBe careful.",
    )
    expect(JSON.parse(texts[0])).toEqual({
      instruction: "Turn dates into ISO 8601.\n\nBe careful.",
      demonstrations: [
        { input: "3 May 1999", output: "1999-05-03" },
        { input: "the 4th of June 2001", output: "2001-06-04" },
      ],
    })
    const other = await parse("Say whether a review is good.\n- Great! -> good")
    expect(JSON.parse(other.texts[0]).demonstrations).toEqual([{ input: "Great!", output: "good" }])
    const bare = await parse("Translate numbers to words.")
    expect(JSON.parse(bare.texts[0]).demonstrations).toEqual([])
  })

  test("chooses the dataset that shares most words, or none", async () => {
    const choose = async (task: string, seed: number) => {
      const content = `Task:\n${task}\n\nExamples of the task:\n3 May 1999\n-> 1999-05-03\n\nDatasets:\n- name: films\n  description: Reviews of films with stars\n  columns: text, label\n  sample row: {"text":"Great","label":"5"}\n- name: dates-en\n  description: Dates in English and their ISO 8601 form\n  columns: date, iso\n  sample row: {"date":"May 3, 1999","iso":"1999-05-03"}`
      const { texts } = await teacher.complete({
        purpose: "rerank",
        messages: [{ role: "user", content }],
        temperature: 0.7,
        numResponses: 1,
        index: 0,
        seed,
        schema: schemaOf("dataset_choice"),
      })
      return JSON.parse(texts[0]).name
    }
    const votes = await Promise.all([0, 1, 2, 3, 4].map((seed) => choose("Turn English dates into ISO 8601.", seed)))
    expect(votes.filter((name) => name === "dates-en").length).toBeGreaterThanOrEqual(3)
    expect(await choose("Say which river is longest, as a number of miles.", 0)).toBe("none")
  })

  test("chooses columns by their form", async () => {
    const content =
      'Task:\nDates to ISO.\n\nDataset: d\nColumns: id, iso, written, locale\nSample row: {"id":"7","iso":"1999-05-03","written":"3 May 1999","locale":"en"}'
    const { texts } = await teacher.complete({
      purpose: "rerank",
      messages: [{ role: "user", content }],
      temperature: 0,
      numResponses: 1,
      index: 0,
      schema: schemaOf("column_choice"),
    })
    expect(JSON.parse(texts[0])).toEqual({ input: ["written"], output: "iso" })
  })
})

describe("the protocol, with the official client", () => {
  let server: ProtocolServer
  let client: OpenAI
  const body = { model: "simulated", messages: question("3 May 1999").messages as { role: "user"; content: string }[], temperature: 0 }
  beforeAll(async () => {
    server = await startProtocolServer(0)
    client = new OpenAI({ baseURL: server.baseURL, apiKey: "none", maxRetries: 0 })
  })
  afterAll(() => server.close())

  test("lists its model", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["simulated"])
  })

  test("answers at once and streamed are the same", async () => {
    const whole = await client.chat.completions.create(body)
    let streamed = ""
    let finish: string | null = null
    for await (const { choices } of await client.chat.completions.create({ ...body, stream: true })) {
      streamed += choices[0].delta.content ?? ""
      finish = choices[0].finish_reason ?? finish
    }
    expect(streamed).toBe(whole.choices[0].message.content)
    expect(finish).toBe("stop")
  })

  test("counts tokens and cuts by length", async () => {
    const { choices, usage } = await client.chat.completions.create({ ...body, n: 3, max_tokens: 1 })
    expect(choices.map(({ finish_reason, index }) => [finish_reason, index])).toEqual([0, 1, 2].map((index) => ["length", index]))
    expect(usage).toMatchObject({ completion_tokens: 3 })
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + 3)
  })

  test("refuses what is malformed, and what is not there", async () => {
    await expect(client.chat.completions.create({ ...body, temperature: 3 })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("temperature"),
    })
    await expect(client.chat.completions.create({ ...body, n: 1000 })).rejects.toMatchObject({ status: 400 })
    await expect(client.embeddings.create({ model: "simulated", input: "x" })).rejects.toMatchObject({ status: 404 })
    expect((await fetch(`${server.baseURL}/chat/completions`, { method: "POST", body: "{" })).status).toBe(400)
  })
})

test("closing twice is fine, and it starts again when asked again", async () => {
  const own = simulatedTeacher()
  const { texts } = await own.complete(question("3 May 1999"))
  await own.close?.()
  await own.close?.()
  expect(await own.complete(question("3 May 1999"))).toMatchObject({ texts })
  await own.close?.()
})

test("a process that leaves it open ends by itself", async () => {
  const folder = mkdtempSync(join(tmpdir(), "simulated-"))
  const script = join(folder, "ask.ts")
  const library = join(import.meta.dirname, "../../src/services/teachers/simulated/simulated-teacher")
  writeFileSync(
    script,
    `import { simulatedTeacher } from ${JSON.stringify(library)}
const { texts } = await simulatedTeacher().complete(${JSON.stringify(question("3 May 1999"))})
console.log(texts[0])`,
  )
  const unrun = join(import.meta.dirname, "../../../node_modules/unrun/dist/cli.mjs")
  const { stdout } = await promisify(execFile)(process.execPath, [unrun, script], { timeout: 20_000 })
  rmSync(folder, { recursive: true })
  expect(stdout).toMatch(/\d/)
})
