// Files that are whole or not there, also where the disk refuses.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { placeAtomically, writeFileAtomically } from "../../src/store/atomic"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-atomic-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test("what is written replaces what was there, a folder too, and leaves nothing beside it", async () => {
  const path = join(folder, "new", "a.txt")
  await writeFileAtomically(path, "one")
  await writeFileAtomically(path, "two")
  expect(await readFile(path, "utf8")).toBe("two")
  await placeAtomically(join(folder, "new"), (temporary) => writeFile(temporary, "a file now"))
  expect(await readFile(join(folder, "new"), "utf8")).toBe("a file now")
  expect(await readdir(folder)).toEqual(["new"])
})

test.each([
  ["ENOSPC", "disk.full", /No space is left on the disk/],
  ["EDQUOT", "disk.full", /No space is left on the disk/],
  ["EFBIG", "disk.file-too-large", /ulimit -f/],
  ["EROFS", "disk.not-writable", /may not be written/],
])("%s is a sentence with its remedy, and what was there stays", async (system, code, sentence) => {
  const path = join(folder, `${system}.txt`)
  await writeFileAtomically(path, "before")
  const refused = placeAtomically(path, async (temporary) => {
    await writeFile(temporary, "half")
    throw Object.assign(new Error(system), { code: system })
  })
  await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) })
  expect(await readFile(path, "utf8")).toBe("before")
  expect((await readdir(folder)).filter((name) => name.includes("tmp"))).toEqual([])
})
