// parsePrompt by rules, where examples are marked or the arrangement of the lines tells them.
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parsePrompt } from "../../src/stages/parse-prompt/parse-prompt"
import { promptNotations } from "./prompt-notations"

describe("parsePrompt by rules", () => {
  for (const [name, { prompt, instruction, pairs }] of Object.entries(promptNotations)) {
    it(`reads ${name}`, async () => {
      const spec = await parsePrompt(prompt)
      expect(spec.demonstrations).toEqual(pairs.map(([input, output]) => ({ input, output })))
      expect(spec.instruction).toBe(instruction)
      expect(spec.parsedBy).toMatch(/^rules/)
      expect(spec.text).toBe(prompt)
    })
  }

  it("reads the prompts of the notebooks: all examples, and nothing of them in the instruction", async () => {
    const folder = join(import.meta.dirname, "../../../notebooks/prompts")
    for (const file of (await readdir(folder)).filter((name) => name.endsWith(".txt"))) {
      const text = await readFile(join(folder, file), "utf8")
      const spec = await parsePrompt(text)
      expect(spec.demonstrations).toHaveLength(text.match(/^input=/gm)!.length)
      for (const { input, output } of spec.demonstrations) expect(text).toContain(`input="${input}"\noutput="${output}"`)
      expect(spec.instruction).not.toMatch(/input=|Examples:/)
      expect(text.startsWith(spec.instruction)).toBe(true)
    }
  })

  it("says what to do where nothing is marked and nobody can be asked", async () => {
    for (const prompt of ["Say the opposite of a word. Turn x -> y.", "Input is a word, output its opposite."]) {
      await expect(parsePrompt(prompt)).rejects.toMatchObject({
        code: "prompt.no-examples",
        message: expect.stringContaining('input="..."'),
      })
    }
    await expect(parsePrompt(" \n")).rejects.toMatchObject({ code: "prompt.empty" })
  })

  it("shows what it understood, and how to change it", async () => {
    const spec = await parsePrompt('Do <b>it</b>.\n\ninput="a" output="b"')
    expect(spec.toPayload()).toMatchObject({
      subtitle: "instruction and 1 demonstration, understood by rules",
      nextStep: "spec.with({ instruction, demonstrations })",
    })
    const changed = spec.with({ demonstrations: [{ input: "c", output: "d" }] })
    expect(changed).toMatchObject({ instruction: "Do <b>it</b>.", parsedBy: "you", demonstrations: [{ input: "c", output: "d" }] })
    expect(changed.fingerprint).not.toBe(spec.fingerprint)
    expect(spec.demonstrations).toEqual([{ input: "a", output: "b" }])
  })
})
