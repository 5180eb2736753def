// Failures in the response store: those of a request itself are kept and replayed, others are asked again.
import { afterAll, describe, expect, test, vi } from "vitest"
import { ServiceError } from "../../src/core/errors"
import { isKeptFailure, storeResponses } from "../../src/store/response-store"
import { countingTeacher, linesOf, request } from "./counting-teacher"
import { makeFolder, removeFolders } from "./folders"

afterAll(removeFolders)

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
