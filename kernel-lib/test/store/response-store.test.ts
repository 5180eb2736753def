// The response store: nothing is asked twice, nothing that arrived is lost, and a damaged entry costs that entry only.
import { readdirSync, readFileSync } from "node:fs"
import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { afterAll, afterEach, describe, expect, test, vi } from "vitest"
import { ServiceError } from "../../src/core/errors"
import type { Teacher, TeacherCompletion, TeacherRequest } from "../../src/core/teacher"
import { withRateControl } from "../../src/services/teachers"
import { meterTeacher, Purse } from "../../src/store/purse"
import { isKeptFailure, storeResponses } from "../../src/store/response-store"
import { makeFolder, removeFolders } from "./folders"

afterAll(removeFolders)
afterEach(() => vi.unstubAllEnvs())

const request = (changes: Partial<TeacherRequest> = {}): TeacherRequest => ({
  purpose: "generate",
  messages: [{ role: "user", content: "Make a row." }],
  temperature: 0.5,
  numResponses: 2,
  index: 0,
  ...changes,
})

/** Answers with how often it was asked, so that an answer tells which call it is from. */
function countingTeacher(answer?: (calls: number, request: TeacherRequest) => Promise<TeacherCompletion> | TeacherCompletion) {
  const teacher = {
    name: "counter",
    identity: "counter@here",
    calls: 0,
    async complete(asked: TeacherRequest) {
      teacher.calls++
      return (await answer?.(teacher.calls, asked)) ?? completionOf(`answer ${teacher.calls}`)
    },
  }
  return teacher satisfies Teacher
}

const completionOf = (text: string): TeacherCompletion => ({
  texts: [text, `${text}, again`],
  finishReasons: ["stop", "length"],
  usage: { inputTokens: 3, outputTokens: 4 },
  usd: 0.25,
})

async function entryFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function linesOf(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl"))
  return names.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean))
}

test("what counts is what a teacher returns that wraps another, whatever it passes on to it", async () => {
  const gated = withRateControl(countingTeacher(), {})
  const wrapping: Teacher = {
    name: "wrapping",
    complete: async (asked, options) => ({ ...(await gated.complete(asked, options)), texts: ["mine"], usd: 7 }),
  }
  const folder = await makeFolder()
  const purse = new Purse({}, [])
  const stored = storeResponses(
    meterTeacher(wrapping, purse, () => {}),
    folder,
  )
  for (const _ of ["asked", "read again"]) expect(await stored.complete(request())).toMatchObject({ texts: ["mine"], usd: 7 })
  expect(purse.spending.usd).toBe(7)
})

describe("asking and asking again", () => {
  test("the same request is answered from disk, by another store and with the same completion", async () => {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const onSent = vi.fn()
    const onReused = vi.fn()
    const first = await storeResponses(teacher, folder, { onSent, onReused }).complete(request())
    const second = await storeResponses(teacher, folder, { onSent, onReused }).complete(request())
    expect(first).toEqual(completionOf("answer 1"))
    expect(second).toEqual(first)
    expect(teacher.calls).toBe(1)
    expect(onSent.mock.calls).toEqual([[request(), first]])
    expect(onReused.mock.calls).toEqual([[request(), first]])
  })

  test("whatever decides an answer makes another entry; the order of members does not", async () => {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const store = storeResponses(teacher, folder)
    const others: Partial<TeacherRequest>[] = [
      {},
      { index: 1 },
      { temperature: 0.6 },
      { numResponses: 3 },
      { maxTokens: 9 },
      { seed: 1 },
      { purpose: "answer" },
      { messages: [{ role: "system", content: "Make a row." }] },
      { schema: { name: "row", schema: { type: "object" } } },
    ]
    for (const changes of others) await store.complete(request(changes))
    expect(teacher.calls).toBe(others.length)
    const { index, ...rest } = request({ messages: [{ content: "Make a row.", role: "user" }] })
    await store.complete({ index, ...rest })
    expect(teacher.calls).toBe(others.length)
    await storeResponses({ ...teacher, identity: "counter@elsewhere" }, folder).complete(request())
    expect(teacher.calls).toBe(others.length + 1)
  })

  test("is the teacher in every other way", async () => {
    const close = vi.fn(async () => {})
    const store = storeResponses(
      { ...countingTeacher(), isSimulated: true, sendsTo: "there", totalRows: 5, answers: (purpose) => purpose === "generate", close },
      await makeFolder(),
    )
    expect(store).toMatchObject({ name: "counter", identity: "counter@here", isSimulated: true, sendsTo: "there", totalRows: 5 })
    expect([store.answers?.("generate"), store.answers?.("rerank")]).toEqual([true, false])
    await store.close?.()
    expect(close).toHaveBeenCalledOnce()
  })
})

describe("on disk", () => {
  test("an answer is there before it counts, one line of JSON each, in a file for each teacher", async () => {
    const folder = await makeFolder()
    const store = storeResponses(countingTeacher(), folder, {
      onSent: (asked) => expect(linesOf(folder).some((line) => JSON.parse(line).request.index === asked.index)).toBe(true),
    })
    await Promise.all(Array.from({ length: 40 }, (_, index) => store.complete(request({ index }))))
    expect(
      linesOf(folder)
        .map((line) => JSON.parse(line).request.index)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 40 }, (_, index) => index))
    await storeResponses({ ...countingTeacher(), identity: "counter@elsewhere" }, folder).complete(request())
    expect(await entryFiles(folder)).toHaveLength(2)
  })

  /** What is asked again, after `damage` was done to the file of five answers: by this process, and by one that starts afresh. */
  async function askAfter(damage: (lines: string[]) => string[]) {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const ask = async (store: Teacher) => {
      for (const index of [0, 1, 2, 3, 4]) await store.complete(request({ index }))
    }
    await ask(storeResponses(teacher, folder))
    const [file] = await entryFiles(folder)
    const lines = (await readFile(file, "utf8")).split("\n")
    const damaged = damage(lines).join("\n")
    await writeFile(file, damaged)
    const here = teacher.calls
    await ask(storeResponses(teacher, folder))
    const askedHere = teacher.calls - here
    const elsewhere = await makeFolder()
    await writeFile(join(elsewhere, basename(file)), damaged)
    await ask(storeResponses(teacher, elsewhere))
    const askedAfresh = teacher.calls - here - askedHere
    await ask(storeResponses(teacher, elsewhere))
    await ask(storeResponses(teacher, folder))
    expect(teacher.calls).toBe(here + askedHere + askedAfresh)
    return { askedHere, askedAfresh }
  }
  const linesWithText = (lines: string[]) => lines.flatMap((line, index) => (line ? [index] : []))

  const damages: Record<string, { damage: (lines: string[]) => string[]; asked: number }> = {
    "a letter of one entry": {
      damage: (lines) => lines.with(linesWithText(lines)[2], lines[linesWithText(lines)[2]].replace("answer 3", "answer 4")),
      asked: 1,
    },
    "half of one entry": { damage: (lines) => lines.with(linesWithText(lines)[1], lines[linesWithText(lines)[1]].slice(0, 99)), asked: 1 },
    "the line feed between two entries": { damage: (lines) => lines.toSpliced(linesWithText(lines)[1] + 1, 1), asked: 0 },
    "the end of the file, as a kill leaves it": { damage: (lines) => [lines.join("\n").slice(0, -40)], asked: 1 },
    "bytes that are no text, in two entries": {
      damage: (lines) =>
        lines.map((line, index) => (linesWithText(lines).slice(3).includes(index) ? line.replaceAll("e", "\u0000") : line)),
      asked: 2,
    },
    "the whole file": { damage: () => ["{}"], asked: 5 },
  }
  for (const [name, { damage, asked }] of Object.entries(damages)) {
    test(`damage to ${name} costs ${asked} of five`, async () => {
      expect(await askAfter(damage)).toEqual({ askedHere: asked, askedAfresh: asked })
    })
  }

  test("a file that is taken away while it is used is begun anew", async () => {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const store = storeResponses(teacher, folder)
    await store.complete(request())
    await rm(folder, { recursive: true })
    await store.complete(request())
    expect(teacher.calls).toBe(2)
    expect(linesOf(folder)).toHaveLength(1)
    await store.complete(request())
    expect(teacher.calls).toBe(2)
  })

  test("a folder that cannot be one is a sentence", async () => {
    const folder = await makeFolder()
    await writeFile(join(folder, "file"), "")
    await expect(storeResponses(countingTeacher(), join(folder, "file", "responses")).complete(request())).rejects.toThrow()
  })

  test("no secret is kept, and what is returned is what is kept", async () => {
    vi.stubEnv("SOME_SERVICE_TOKEN", "open sesame 123")
    const folder = await makeFolder()
    const leaking = countingTeacher(() => completionOf("the key is sk-abcdefghijkl, the word open sesame 123"))
    const store = storeResponses(leaking, folder)
    const asked = request({ messages: [{ role: "user", content: "My key: sk-abcdefghijkl" }] })
    const first = await store.complete(asked)
    expect(first.texts[0]).toBe("the key is [redacted], the word [redacted]")
    expect(await store.complete(asked)).toEqual(first)
    expect(leaking.calls).toBe(1)
    const text = await readFile((await entryFiles(folder))[0], "utf8")
    expect(text).not.toMatch(/sk-abc|sesame/)
  })
})

describe("two that ask the same at once", () => {
  test("both get the answer that was on disk first", async () => {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const answers = await Promise.all(Array.from({ length: 8 }, () => storeResponses(teacher, folder).complete(request())))
    expect(new Set(answers.map(({ texts }) => texts[0])).size).toBe(1)
    expect((await storeResponses(teacher, folder).complete(request())).texts[0]).toBe(answers[0].texts[0])
    expect((await storeResponses(teacher, folder).complete(request())).texts[0]).toBe(answers[0].texts[0])
  })
})

describe("failures", () => {
  const failing = (status: number, isRetryable: boolean) =>
    countingTeacher(() => {
      throw new ServiceError("teacher.refused", `Status ${status}.`, { status, isRetryable })
    })

  test("of the request itself are kept and replayed, and say where", async () => {
    const folder = await makeFolder()
    const teacher = failing(400, false)
    await expect(storeResponses(teacher, folder).complete(request())).rejects.toThrow(/^Status 400\.$/)
    const onReused = vi.fn()
    const again = storeResponses(teacher, folder, { onReused }).complete(request())
    await expect(again).rejects.toMatchObject({
      code: "teacher.refused",
      status: 400,
      isRetryable: false,
      message: expect.stringContaining(folder),
    })
    expect(teacher.calls).toBe(1)
    expect(onReused).not.toHaveBeenCalled()
  })

  test.each([
    [401, false],
    [429, true],
    [500, true],
  ])("with status %i are asked again", async (status, isRetryable) => {
    const folder = await makeFolder()
    const teacher = failing(status, isRetryable)
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(storeResponses(teacher, folder).complete(request())).rejects.toMatchObject({ status })
    expect(teacher.calls).toBe(2)
    expect(linesOf(folder)).toEqual([])
  })

  test("are final where the caller says so", async () => {
    const folder = await makeFolder()
    const teacher = failing(503, true)
    const store = storeResponses(teacher, folder, { isFinal: () => true })
    for (let attempt = 0; attempt < 2; attempt++) await expect(store.complete(request())).rejects.toMatchObject({ status: 503 })
    expect(teacher.calls).toBe(1)
  })

  test("that a stage gave up on fail again without being sent, until they are forgotten", async () => {
    const folder = await makeFolder()
    const teacher = failing(503, true)
    const store = storeResponses(teacher, folder)
    const error = await store.complete(request()).catch((thrown) => thrown)
    expect(isKeptFailure(error)).toBe(false)
    await store.keepFailure?.(request(), error)
    const again = await storeResponses(teacher, folder)
      .complete(request())
      .catch((thrown) => thrown)
    expect(again).toMatchObject({ code: "teacher.refused", status: 503, isRetryable: false })
    expect(isKeptFailure(again)).toBe(true)
    expect(teacher.calls).toBe(1)
    await store.forgetFailure?.(request())
    await expect(store.complete(request())).rejects.toThrow(/^Status 503\.$/)
    expect(teacher.calls).toBe(2)
  })

  test("do not take an answer's place, nor does forgetting", async () => {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const store = storeResponses(teacher, folder)
    const answer = await store.complete(request())
    await store.keepFailure?.(request(), new ServiceError("x.y", "Late.", { isRetryable: true }))
    await store.forgetFailure?.(request())
    expect(await store.complete(request())).toEqual(answer)
    expect(teacher.calls).toBe(1)
  })
})
