// Who may compute a cell, what is told of it, and what may be sent: claims, tickets, tables, addresses.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import type { Progress } from "../../src/core/run"
import { describeCells, tabulateCells } from "../../src/display/cell-table"
import { localProcesses, queue } from "../../src/experiments"
import { isTicket, readCellJob, readCellResult } from "../../src/experiments/runners/cell-files"
import { CellTable } from "../../src/experiments/runners/cell-table"
import { chooseRunner } from "../../src/experiments/runners/choose-runner"
import { Claim } from "../../src/experiments/runners/claim"
import { connectRedis } from "../../src/experiments/runners/connect-redis"
import { FollowedEvents } from "../../src/experiments/runners/follow-events"
import { isQueuedCell, markFolder, readTrouble } from "../../src/experiments/runners/queue-protocol"
import { makeFolder, removeFolders } from "../store/folders"

afterAll(removeFolders)

describe("a claim", () => {
  const take = (path: string, onLost = () => {}) => Claim.take(path, { leaseSeconds: 0.1, onLost })
  const holder = (changes: object) => JSON.stringify({ host: "another-machine", process: 1, mark: "theirs", beat: 1, ...changes })

  it("is one process's, until it lets go", async () => {
    const path = join(await makeFolder(), "claims", "one.json")
    const first = await take(path)
    expect(first).toBeDefined()
    expect(await take(path)).toBeUndefined()
    first!.release()
    expect(existsSync(path)).toBe(false)
    const second = await take(path)
    expect(second).toBeDefined()
    second!.release()
  })

  it("is taken over from a machine that is silent, and from a process of this one that is gone, and not from one that beats", async () => {
    const path = join(await makeFolder(), "one.json")
    writeFileSync(path, holder({}))
    const fromSilent = await take(path)
    expect(fromSilent).toBeDefined()
    fromSilent!.release()
    writeFileSync(path, "no JSON")
    const fromBroken = await take(path)
    expect(fromBroken).toBeDefined()
    fromBroken!.release()
    let beat = 0
    const beating = setInterval(() => writeFileSync(path, holder({ beat: ++beat })), 5)
    writeFileSync(path, holder({}))
    expect(await take(path)).toBeUndefined()
    clearInterval(beating)
  })

  it("says when another took it, and leaves that one's alone", async () => {
    const path = join(await makeFolder(), "one.json")
    let claim: Claim | undefined
    await new Promise<void>((resolve) => {
      void take(path, resolve).then((taken) => {
        claim = taken
        writeFileSync(path, holder({}))
      })
    })
    claim!.release()
    expect(JSON.parse(readFileSync(path, "utf8")).mark).toBe("theirs")
  })
})

describe("what arrives", () => {
  const ticket = { key: "0123456789abcdef", submitter: "fedcba9876543210" }

  it("is a ticket, or it is not", () => {
    expect(isTicket(ticket)).toBe(true)
    for (const key of ["../../../etc", "0123/4567", "", "0123456", 12345678, undefined]) expect(isTicket({ ...ticket, key })).toBe(false)
    for (const value of [null, undefined, "0123456789abcdef", [], {}]) expect(isTicket(value)).toBe(false)
    expect(isQueuedCell({ ...ticket, version: "0.1.0", folder: "abc" })).toBe(true)
    expect(isQueuedCell({ ...ticket, folder: "abc" })).toBe(false)
  })

  it("is a job of paths inside its folder, or one sentence", async () => {
    const folder = await makeFolder()
    const inputs = join(folder, "jobs", ticket.submitter)
    mkdirSync(inputs, { recursive: true })
    const job = { name: "a", seed: 1, engine: "onnx", base: "models/a", train: "a", validation: "a", training: {}, metrics: [] }
    const write = (changes: object) => writeFileSync(join(inputs, `${ticket.key}.json`), JSON.stringify({ ...job, ...changes }))
    write({})
    expect(await readCellJob(folder, ticket)).toMatchObject({ base: join(inputs, "models/a"), test: undefined })
    for (const changes of [{ base: "../../secret" }, { train: "/etc/passwd" }, { test: "a/../../b" }, { seed: "1" }]) {
      write(changes)
      await expect(readCellJob(folder, ticket)).rejects.toMatchObject({ code: "runner.no-job" })
    }
    await expect(readCellJob(folder, { ...ticket, key: "00000000" })).rejects.toThrow(/the folder must be the one that the submitter has/)
  })

  it("is a result with answers, or none", async () => {
    const folder = await makeFolder()
    mkdirSync(join(folder, "cells", ticket.key), { recursive: true })
    const write = (content: string) => writeFileSync(join(folder, "cells", ticket.key, "result.json"), content)
    for (const content of ["", "{", "[]", "null", '{"answers":[1],"stages":[],"outcome":{"status":"done"}}']) {
      write(content)
      expect(await readCellResult(folder, ticket)).toBeUndefined()
    }
    write('{"answers":["1"],"stages":[],"outcome":{"status":"done"}}')
    expect(await readCellResult(folder, ticket)).toMatchObject({ answers: ["1"] })
  })

  it("is why a cell failed, in a sentence", () => {
    expect(readTrouble('{"code":"train.no-rows","message":"There are no rows."}')).toEqual({
      code: "train.no-rows",
      message: "There are no rows.",
    })
    expect(readTrouble("job stalled more than allowable limit").code).toBe("queue.worker-died")
    expect(readTrouble(undefined)).toEqual({ code: "queue.failed", message: "The queue says: nothing." })
  })

  it("is an event at a time, whole ones only", async () => {
    const folder = await makeFolder()
    const events = new FollowedEvents(folder)
    expect(await events.look()).toEqual([])
    const path = join(folder, "events.jsonl")
    writeFileSync(path, '{"type":"a"}\nno JSON\n{"type":3}\n{"type":"b","text":"')
    expect(await events.look()).toEqual([{ type: "a" }])
    writeFileSync(path, 'é"}\n', { flag: "a" })
    expect(await events.look()).toEqual([{ type: "b", text: "é" }])
    expect(await events.look()).toEqual([])
  })

  it("marks a folder once, whoever comes first", async () => {
    const [one, other] = [await makeFolder(), await makeFolder()]
    const marks = await Promise.all([markFolder(one), markFolder(one), markFolder(other)])
    expect(marks[0]).toBe(marks[1])
    expect(marks[2]).not.toBe(marks[0])
  })
})

describe("who computes", () => {
  it("is this process, its children or a queue", () => {
    expect(chooseRunner({})).toBeUndefined()
    expect(chooseRunner({ parallel: 1 })).toBeUndefined()
    expect(chooseRunner({ parallel: 3 })).toMatchObject({ kind: "localProcesses", parallel: 3 })
    const runOn = queue({ redis: "redis://127.0.0.1", folder: "shared" })
    expect(chooseRunner({ runOn })).toBe(runOn)
    expect(() => chooseRunner({ runOn, parallel: 2 })).toThrow(/either runOn or parallel/)
    expect(() => localProcesses({ parallel: 0 })).toThrow("parallel is a whole number of at least 1, not 0.")
    expect(() => queue({ redis: "redis://a", folder: "b", name: "a b" })).toThrow(/A queue's name/)
  })

  it("reaches Redis by an address, which no error repeats", async () => {
    for (const address of ["lab-1:6379", "http://lab-1", "redis://:secret-word@", "redis://:secret-word@lab-1/everything"]) {
      const failing = connectRedis(address, () => {})
      await expect(failing).rejects.toMatchObject({ code: "queue.bad-address" })
      await expect(failing).rejects.not.toThrow(/secret-word/)
    }
  })
})

describe("the table of cells", () => {
  it("tells who has which, how far it is, and what failed", () => {
    const states: Progress[] = []
    const table = new CellTable(["one", "two", "three"], "runs", (state) => states.push(state))
    table.hear(0, { state: "running", where: "node 7", note: "epoch 1, loss 2.000" })
    table.hear(0, { state: "running", note: "" })
    table.fail(1, "There are no rows.")
    table.hear(1, { state: "running", where: "node 8" })
    table.finish(0)
    table.hear(0, { state: "waiting" })
    expect(states.at(1)!.cells![0]).toEqual({ name: "one", state: "running", where: "node 7", note: "epoch 1, loss 2.000" })
    expect(states.at(-1)).toMatchObject({ done: 2, total: 3, unit: "runs", note: "2 of 3 runs, 1 waiting, 1 failed" })
    expect(states.at(-1)!.cells!.map(({ state }) => state)).toEqual(["done", "failed", "waiting"])
    expect(describeCells(states[1].cells!, 5)).toEqual(["one · node 7 · epoch 1, loss 2.000"])
  })

  it("shows of a thousand those that run or failed, and counts the rest", () => {
    const cells = Array.from({ length: 1000 }, (_, index) => ({
      name: `cell ${index}`,
      state: index === 999 ? ("running" as const) : ("waiting" as const),
    }))
    const { rows, notes } = tabulateCells("Ablate", "", cells)
    expect(rows[0]).toMatchObject({ cells: ["cell 999", "running", "", ""], isOurs: true })
    expect(rows.length + 952).toBe(1000)
    expect(notes).toEqual(["And 952 more that wait or are done."])
  })
})
