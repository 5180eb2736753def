// One object out of a teacher's answer: found among other words, checked against its schema, repaired once.
import { describe, expect, test } from "vitest"
import { askForObject } from "../../src/core/ask-for-object"
import { findSchemaProblem, parseAnswerObject } from "../../src/core/parse-answer"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"

const row = { input: "a", output: "b" }

describe("an object is found", () => {
  const answers: Record<string, string> = {
    "by itself": '{"input": "a", "output": "b"}',
    "in a code fence": '```json\n{"input": "a", "output": "b"}\n```',
    "among words": 'Here you are: {"input": "a", "output": "b"}. Anything else?',
    "after thoughts with a draft": '<think>maybe {"input": "x", "output": "y"}</think>{"input": "a", "output": "b"}',
    "after braces that are no object": 'For {a} and {b}: {"input": "a", "output": "b"}',
    "in a list": '[{"input": "a", "output": "b"}]',
    "with commas too many": '{"input": "a", "output": "b",}',
    "as Python writes it": "{'input': 'a', 'output': 'b'}",
  }
  for (const [name, text] of Object.entries(answers)) {
    test(name, () => expect(parseAnswerObject(text, ["input", "output"])).toEqual(row))
  }

  test("with what stands in its texts left alone", () => {
    const hard = { input: 'quotes " and {braces} and, }', output: "it's\nTrue" }
    expect(parseAnswerObject(`So: ${JSON.stringify(hard)}`)).toEqual(hard)
    expect(parseAnswerObject('{"input": "two\nlines", "output": "tab\there"}')).toEqual({ input: "two\nlines", output: "tab\there" })
    expect(parseAnswerObject(`{'input': 'it\\'s "so"', 'output': None, 'right': True,}`)).toEqual({
      input: `it's "so"`,
      output: null,
      right: true,
    })
  })

  test("only where there is one", () => {
    for (const text of ["", "none", "[1, 2]", '{"input": "a"', "{", "3"]) expect(parseAnswerObject(text)).toBeUndefined()
    expect(parseAnswerObject('{"input": "a"}', ["input", "output"])).toBeUndefined()
  })
})

describe("a schema's problem", () => {
  const schema = {
    type: "object",
    properties: {
      kind: { enum: ["x", "y"] },
      rows: { type: "array", items: { type: "object", required: ["n"], properties: { n: { type: "integer" } } } },
    },
    required: ["kind"],
    additionalProperties: false,
  }
  test.each([
    [{ kind: "x" }, undefined],
    [{ kind: "x", rows: [{ n: 1 }] }, undefined],
    [{}, 'the answer has no "kind"'],
    [{ kind: "z" }, '"kind" must be one of "x", "y"'],
    [{ kind: "x", more: 1 }, 'the answer has "more", which was not asked for'],
    [{ kind: "x", rows: {} }, '"rows" must be an array'],
    [{ kind: "x", rows: [{ n: 1 }, { n: 1.5 }] }, '"n" must be an integer'],
    [{ kind: "x", rows: [{}] }, 'item 0 of "rows" has no "n"'],
    [JSON.parse('{"kind": "x", "__proto__": 1}'), 'the answer has "__proto__", which was not asked for'],
  ])("%j: %s", (value, problem) => expect(findSchemaProblem(value, schema)).toBe(problem))
})

describe("asking for an object", () => {
  const request = {
    purpose: "parsePrompt" as const,
    messages: [{ role: "user" as const, content: "Give me n." }],
    temperature: 0,
    index: 0,
    schema: { name: "n", schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } },
  }
  function answering(...texts: string[]) {
    const asked: TeacherRequest[] = []
    const teacher: Teacher = {
      name: "told",
      complete: async (seen) => {
        asked.push(seen)
        return { texts: [texts[asked.length - 1]], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
      },
    }
    return { teacher, asked }
  }

  test("takes a good answer as it is", async () => {
    const { teacher, asked } = answering('{"n": 3}')
    expect(await askForObject(teacher, request)).toEqual({ n: 3 })
    expect(asked).toHaveLength(1)
  })

  test("shows a bad one once what is wrong with it", async () => {
    const { teacher, asked } = answering('{"n": "three"}', '{"n": 3}')
    expect(await askForObject(teacher, request)).toEqual({ n: 3 })
    expect(asked[1].messages.slice(1)).toEqual([
      { role: "assistant", content: '{"n": "three"}' },
      { role: "user", content: expect.stringContaining('"n" must be an integer') },
    ])
  })

  test("gives up after the second, with what was said", async () => {
    const { teacher, asked } = answering("no", '{"n": 0}', '{"n": 3}')
    const check = ({ n }: Record<string, unknown>) => (n === 0 ? "n must not be 0" : undefined)
    await expect(askForObject(teacher, request, { check })).rejects.toMatchObject({ code: "teacher.malformed", raw: '{"n": 0}' })
    expect(asked).toHaveLength(2)
  })
})
