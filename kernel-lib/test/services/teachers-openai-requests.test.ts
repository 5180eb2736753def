// How requests share a server: how many at once, several answers to one, and what an abort ends.
import { afterEach, describe, expect, test } from "vitest"
import { type Behaviour, completionOf, deferred, refuse, reply } from "./teachers-fault-server"
import { closeServers, request, serve } from "./teachers-openai-server"

afterEach(closeServers)

describe("requests in flight, as the server sees them", () => {
  test("rise to maxConcurrency and never above", async () => {
    const full = deferred()
    // From the ninth on, answers wait for each other: they come only if eight requests really are in flight at once.
    const behave: Behaviour = async ({ number }, response, server) => {
      if (server.inFlight === 8) full.resolve()
      if (number >= 8) await full.promise
      reply(response, completionOf(["fine"]))
    }
    const { server, teacher } = await serve(behave, { maxConcurrency: 8 })
    await Promise.all(Array.from({ length: 40 }, (_, index) => teacher.complete({ ...request, index })))
    expect(server.mostInFlight).toBe(8)
    expect(server.seen).toHaveLength(40)
  })

  test("a slow answer does not hold up the others", async () => {
    const slow = deferred()
    const behave: Behaviour = async ({ number }, response) => {
      if (number === 0) await slow.promise
      reply(response, completionOf([String(number)]))
    }
    const { server, teacher } = await serve(behave, { maxConcurrency: 4 })
    const first = teacher.complete(request)
    await Promise.all(Array.from({ length: 30 }, (_, index) => teacher.complete({ ...request, index: index + 1 })))
    expect(server.inFlight).toBe(1)
    slow.resolve()
    expect((await first).texts).toEqual(["0"])
  })

  test("an abort ends what is in flight and what waits", async () => {
    const closed = deferred()
    const arrived = deferred()
    const behave: Behaviour = (_, response) => {
      response.once("close", closed.resolve)
      arrived.resolve()
    }
    const { server, teacher } = await serve(behave, { maxConcurrency: 1 })
    const controller = new AbortController()
    const answers = [0, 1, 2].map((index) =>
      teacher.complete({ ...request, index }, { signal: controller.signal }).catch((error) => error.code),
    )
    await arrived.promise
    controller.abort()
    expect(await Promise.all(answers)).toEqual(["run.interrupted", "run.interrupted", "run.interrupted"])
    await closed.promise
    expect(server.seen).toHaveLength(1)
    await expect(teacher.complete(request, { signal: controller.signal })).rejects.toMatchObject({ code: "run.interrupted" })
  })

  test("an abort ends the wait before another try", async () => {
    const controller = new AbortController()
    const behave: Behaviour = (_, response) => {
      response.once("close", () => controller.abort())
      refuse(response, 503)
    }
    const { server, teacher } = await serve(behave, { backOffMilliseconds: 60_000 })
    await expect(teacher.complete(request, { signal: controller.signal })).rejects.toMatchObject({ code: "run.interrupted" })
    expect(server.seen).toHaveLength(1)
  })
})

describe("several answers", () => {
  test("in one exchange where the server takes n", async () => {
    const { server, teacher } = await serve(({ body }, response) =>
      reply(response, completionOf(Array.from({ length: body.n }, (_, index) => `${index}`))),
    )
    expect((await teacher.complete({ ...request, numResponses: 3 })).texts).toEqual(["0", "1", "2"])
    expect(server.seen).toHaveLength(1)
  })

  test("in several where it ignores n, each with a seed of its own; the next request knows", async () => {
    const { server, teacher } = await serve(({ number }, response) => reply(response, completionOf([`${number}`])))
    const answer = await teacher.complete({ ...request, numResponses: 3, seed: 7 })
    expect([...answer.texts].sort()).toEqual(["0", "1", "2"])
    expect(answer.usage).toEqual({ inputTokens: 30, outputTokens: 15 })
    expect(new Set(server.seen.map(({ body }) => body.seed)).size).toBe(3)
    await teacher.complete({ ...request, numResponses: 2, seed: 7, index: 1 })
    expect(server.seen.slice(3).map(({ body }) => body.n)).toEqual([undefined, undefined])
  })

  test("in several where it refuses n", async () => {
    const behave: Behaviour = ({ body }, response) =>
      body.n ? refuse(response, 400, { message: "Only one completion choice is allowed" }) : reply(response, completionOf(["fine"]))
    const { server, teacher } = await serve(behave)
    expect((await teacher.complete({ ...request, numResponses: 3 })).texts).toEqual(["fine", "fine", "fine"])
    expect(server.seen).toHaveLength(4)
  })

  test("those that arrived are kept when one of several fails for good", async () => {
    const behave: Behaviour = ({ number }, response) =>
      number === 1 ? refuse(response, 400, { message: "no" }) : reply(response, completionOf([`${number}`]))
    const { teacher } = await serve(behave, { maxConcurrency: 1 })
    expect((await teacher.complete({ ...request, numResponses: 3 })).texts).toEqual(["0", "2"])
  })

  test("equal requests of one stage get different seeds, and the same one again the same", async () => {
    const { server, teacher } = await serve((_, response) => reply(response, completionOf(["fine"])))
    for (const index of [0, 1, 0]) await teacher.complete({ ...request, seed: 7, index })
    const [first, second, again] = server.seen.map(({ body }) => body.seed)
    expect(first).toBe(again)
    expect(first).not.toBe(second)
  })
})
