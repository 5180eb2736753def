// Answers of a bundle in Python, by answer_bundle.py beside this file.
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { expect, type TestContext } from "vitest"

/** What Python answers to `inputs`; the test is skipped, with a word, where a package is missing. */
export function askPython(context: TestContext, python: string, words: readonly string[], inputs: unknown): Record<string, unknown>[] {
  const script = join(__dirname, "answer_bundle.py")
  const { status, signal, stdout, stderr } = spawnSync(python, [script, ...words], { input: JSON.stringify(inputs), encoding: "utf8" })
  if (status === 3) context.skip(stderr.trim().split("\n").at(-1))
  expect(status, `${signal ?? ""} ${stderr}`).toBe(0)
  return JSON.parse(stdout.trim().split("\n").at(-1)!)
}
