// The response store: nothing is asked twice, and what one request decides is told from another.
import { afterAll, describe, expect, test, vi } from "vitest"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { withRateControl } from "../../src/services/teachers"
import { meterTeacher, Purse } from "../../src/store/purse"
import { storeResponses } from "../../src/store/response-store"
import { completionOf, countingTeacher, request } from "./counting-teacher"
import { makeFolder, removeFolders } from "./folders"

afterAll(removeFolders)

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
