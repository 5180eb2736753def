// The response store: nothing is asked twice, nothing that arrived is lost, and a damaged entry costs that entry only.
import { readdirSync, readFileSync } from "node:fs"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, test, vi } from "vitest"
import { ServiceError } from "../../src/core/errors"
import type { Teacher, TeacherCompletion, TeacherRequest } from "../../src/core/teacher"
import { storeResponses } from "../../src/store/response-store"
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

function entryTexts(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"))
  return names.map((name) => readFileSync(join(folder, name), "utf8"))
}

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
  test("an answer is there before it counts, in one of 256 folders, one line of JSON each", async () => {
    const folder = await makeFolder()
    const store = storeResponses(countingTeacher(), folder, {
      onSent: (asked) => expect(entryTexts(folder).some((text) => JSON.parse(text).request.index === asked.index)).toBe(true),
    })
    await Promise.all(Array.from({ length: 40 }, (_, index) => store.complete(request({ index }))))
    const files = await entryFiles(folder)
    expect(files).toHaveLength(40)
    for (const file of files) expect(file.slice(folder.length)).toMatch(/^\/([0-9a-f]{2})\/\1[0-9a-f]{30}\.json$/)
    const lines = (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("").trimEnd().split("\n")
    expect(lines.map((line) => JSON.parse(line).request.index).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    )
  })

  test("a damaged entry costs that entry only", async () => {
    const folder = await makeFolder()
    const teacher = countingTeacher()
    const ask = () => Promise.all([0, 1, 2, 3, 4].map((index) => storeResponses(teacher, folder).complete(request({ index }))))
    const before = await ask()
    const files = await entryFiles(folder)
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8")))
    await writeFile(files[0], texts[0].slice(0, 100))
    await writeFile(files[1], "")
    await writeFile(files[2], texts[2].replace("answer", "onswer"))
    await writeFile(files[3], texts[4])
    const after = await ask()
    expect(teacher.calls).toBe(9)
    expect(after.filter((completion, index) => completion.texts[0] === before[index].texts[0])).toHaveLength(1)
    expect(await ask()).toEqual(after)
    expect(teacher.calls).toBe(9)
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
    expect(await entryFiles(folder)).toHaveLength(1)
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
    expect(await entryFiles(folder)).toEqual([])
  })

  test("are final where the caller says so", async () => {
    const folder = await makeFolder()
    const teacher = failing(503, true)
    const store = storeResponses(teacher, folder, { isFinal: () => true })
    for (let attempt = 0; attempt < 2; attempt++) await expect(store.complete(request())).rejects.toMatchObject({ status: 503 })
    expect(teacher.calls).toBe(1)
  })
})
