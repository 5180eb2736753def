// The response store on disk: nothing that arrived is lost, a damaged entry costs that entry only, and no secret is kept.
import { readFile, rm, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { afterAll, afterEach, describe, expect, test, vi } from "vitest"
import type { Teacher } from "../../src/core/teacher"
import { storeResponses } from "../../src/store/response-store"
import { completionOf, countingTeacher, entryFiles, linesOf, request } from "./counting-teacher"
import { makeFolder, removeFolders } from "./folders"

afterAll(removeFolders)
afterEach(() => vi.unstubAllEnvs())

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
