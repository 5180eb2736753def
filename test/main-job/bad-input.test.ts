// Bad input: one clear sentence, a non-zero exit, and nothing half-written taken for a result.
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { readJson, runCommand } from "./command"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-bad-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const dates = "notebooks/prompts/dates.txt"
const noKey = { OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined }

describe("bad input", () => {
  const cases: { what: string; words: () => string[]; code?: number; says: RegExp; env?: Record<string, string | undefined> }[] = [
    { what: "an empty prompt", words: () => ["run", write("empty.txt", " \n"), "--out", join(folder, "a")], says: /is empty/ },
    {
      what: "a prompt without examples",
      words: () => ["run", write("bare.txt", "Translate numbers to words."), "--out", join(folder, "b")],
      says: /no examples.*input="/,
    },
    { what: "a prompt file that is not there", words: () => ["run", join(folder, "nowhere.txt")], says: /cannot be read/ },
    {
      what: "an unknown teacher",
      words: () => ["run", dates, "--teacher", "oracle", "--out", join(folder, "c")],
      says: /no teacher "oracle"/,
    },
    {
      what: "a recording that is not there",
      words: () => ["run", dates, "--teacher", `recorded:${join(folder, "none")}`, "--out", join(folder, "c")],
      says: /none/,
    },
    {
      what: "a missing key",
      words: () => ["run", dates, "--teacher", "openai:gpt-4o-mini", "--out", join(folder, "d")],
      says: /OPENAI_API_KEY/,
      env: noKey,
    },
    {
      what: "a test file that is not there",
      words: () => ["run", dates, "--test", join(folder, "no.jsonl"), "--out", join(folder, "e")],
      says: /no\.jsonl/,
    },
    { what: "a folder that is no run", words: () => ["serve", folder], says: /is no run/ },
    { what: "an unknown option", words: () => ["run", dates, "--speed", "9"], code: 2, says: /--speed/ },
    { what: "an unknown command", words: () => ["dance"], code: 2, says: /no command dance/ },
    { what: "a seed that is no number", words: () => ["run", dates, "--seed", "x"], code: 2, says: /--seed takes a whole number/ },
    { what: "an unknown engine", words: () => ["run", dates, "--engine", "steam"], code: 2, says: /--engine is one of/ },
    { what: "no command", words: () => [], code: 2, says: /prompt2model COMMAND --help/ },
    {
      what: "a prompt that the simulated teacher has no grammar for",
      words: () => ["run", "notebooks/prompts/sentiment.txt", "--out", join(folder, "f")],
      says: /simulated teacher has a grammar only for dates.*--teacher/,
    },
  ]
  for (const { what, words, code = 1, says, env } of cases) {
    it(`says in one sentence what is wrong with ${what}`, async () => {
      const finished = await runCommand(words(), { env })
      expect(finished.code).toBe(code)
      expect(finished.stderr).toMatch(says)
      expect(finished.stderr).not.toMatch(/\n {4}at /)
      expect(finished.stdout).toBe("")
    })
  }

  it("leaves no result where a run failed", () => {
    for (const name of ["a", "b", "c", "d", "e"]) expect(existsSync(join(folder, name, "student"))).toBe(false)
    expect(readJson(join(folder, "f", "run.json")).status).toBe("failed")
    expect(existsSync(join(folder, "f", "student"))).toBe(false)
  })

  it("refuses a folder of another configuration, and leaves it as it was", async () => {
    const out = join(folder, "other")
    const words = ["generate", dates, "--num-examples", "8", "--out", out]
    expect((await runCommand([...words, "--seed", "1"])).code).toBe(0)
    const before = readdirSync(out)
    const finished = await runCommand([...words, "--seed", "2"])
    expect(finished.code).toBe(1)
    expect(finished.stderr).toMatch(/seed 1, not 2/)
    expect(readdirSync(out)).toEqual(before)
    const photos = join(folder, "photos")
    mkdirSync(photos)
    writeFileSync(join(photos, "cat.jpg"), "x")
    expect((await runCommand(["run", dates, "--out", photos])).stderr).toMatch(/is no run/)
    expect(readdirSync(photos)).toEqual(["cat.jpg"])
  })

  it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)(
    "says that the disk is full, and leaves no half-written result (needs root, to mount a small disk)",
    async () => {
      const disk = join(folder, "disk")
      mkdirSync(disk)
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk])
      try {
        const finished = await runCommand(["generate", dates, "--num-examples", "500", "--out", join(disk, "run")])
        expect(finished.code).toBe(1)
        expect(finished.stderr).toMatch(/No space is left on the disk/)
        expect(
          readdirSync(join(disk, "run"), { recursive: true, encoding: "utf8" }).filter(
            (name) => name.endsWith("rows.parquet") || name.endsWith(".tmp"),
          ),
        ).toEqual([])
      } finally {
        execFileSync("umount", [disk])
      }
    },
  )
})
