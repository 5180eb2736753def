// Which prompts the simulated teacher takes, and what it answers where it has to choose or to split.
import { afterAll, describe, expect, test } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import { simulatedTeacher } from "../../src/services/teachers"
import { fitGenerationPrompt } from "../../src/stages/generate-dataset/generation-prompt"
import { readMarkedExamples } from "../../src/stages/parse-prompt/read-marked-examples"
import { generation, readPrompt } from "./simulated-requests"

const teacher = simulatedTeacher({ seed: 1 })
afterAll(() => teacher.close?.())

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
