// prompt2model export, as people call it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { goldenFolder } from "../../kernel-lib/test/students/golden"
import { runCommand } from "../main-job/command"

const folder = mkdtempSync(join(tmpdir(), "export-command-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const rows = join(folder, "rows.jsonl")
writeFileSync(rows, ["3rd of May", "a b"].map((input) => `${JSON.stringify({ input, output: "x" })}\n`).join(""))

describe("prompt2model export", () => {
  it("writes a bundle with its certificate, prints where, and the same command again answers at once", async () => {
    const out = join(folder, "bundle")
    const words = ["export", goldenFolder("bytes"), "--format", "onnx", "--out", out, "--test", rows, "--metrics", "exactMatch", "--json"]
    const { code, stdout, stderr } = await runCommand(words)
    expect(stderr).toContain("2 of 2 answers the same")
    expect(code).toBe(0)
    const printed = JSON.parse(stdout)
    expect(printed).toMatchObject({ format: "onnx", folder: out, certificate: { rows: 2, sameTokens: 2, disagreements: 0 } })
    expect(readFileSync(join(out, "README.md"), "utf8")).toContain("2 of 2")
    expect(JSON.parse((await runCommand(words)).stdout).certificate).toEqual(printed.certificate)
  })

  it.each([
    { what: "an unknown format", words: ["--format", "tflite"], code: 2, says: /--format is one of huggingface, onnx/ },
    { what: "no format", words: [], code: 2, says: /needs --format/ },
    { what: "a family that a format is not for", words: ["--format", "gguf"], code: 1, says: /Export it as huggingface or onnx/ },
    { what: "a page where there is no ONNX", words: ["--format", "huggingface", "--page"], code: 1, says: /export as onnx/ },
  ])("refuses $what in one sentence", async ({ words, code, says }) => {
    const out = join(folder, "refused")
    const result = await runCommand(["export", goldenFolder("bytes"), "--out", out, ...words])
    expect(result.code).toBe(code)
    expect(result.stderr).toMatch(says)
    expect(result.stderr).not.toContain("    at ")
    expect(existsSync(out)).toBe(false)
  })

  it("replaces nothing that it did not write", async () => {
    const { code, stderr } = await runCommand(["export", goldenFolder("bytes"), "--format", "onnx", "--out", folder, "--overwrite"])
    expect(code).toBe(1)
    expect(stderr).toContain("something that is no export")
    expect(existsSync(rows)).toBe(true)
  })
})
