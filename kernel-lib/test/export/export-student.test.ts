// exportStudent: what stands in a bundle, what its certificate says, and what is never replaced.
import { createHash } from "node:crypto"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Student } from "../../src/core/student"
import { type ExportStudentOptions, exportStudent, StudentExport } from "../../src/stages/export-student/export-student"
import { ephemeralRun } from "../../src/store/run"
import { createByteTokenizer, createStudent, type LoadedStudent, loadStudent } from "../../src/students"
import type { ExportFormat } from "../../src/students/export"
import { encoderFolder } from "../students/encoder-golden"
import { goldenFolder } from "../students/golden"

const hostile = "|`x`|<img src=x onerror=alert(1)>\n# heading\n``` ]( \u202e"
const rows = ["3rd of May", "a b c", hostile, ""].map((input) => ({ input, output: "x" }))

let folder: string
let student: LoadedStudent
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "export-"))
  student = await loadStudent(goldenFolder("bytes"), { threads: 1 })
})
afterAll(() => rm(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
const bundle = (name: string, format: ExportFormat = "onnx", options: ExportStudentOptions = {}) =>
  exportStudent(student, format, { folder: at(name), test: Dataset.from(rows), ...options })

describe("a bundle", () => {
  it("is complete, and its hashes are those of its files", async () => {
    const train = Dataset.from([
      { input: "a", output: "b", from: { kind: "retrieved", dataset: "hub/dates", configuration: "c", split: "train", row: 1 } },
      {
        ...{ input: "c", output: "d" },
        from: { ...{ kind: "generated", teacher: "gpt", isSimulated: false, call: 1 }, response: 0, votes: 1, voters: 1 },
      },
    ])
    const spec = new PromptSpec({ instruction: `Do ${hostile}`, demonstrations: [{ input: "3rd of May", output: "x" }] })
    const hub = {
      ...{ name: "hub", identity: "hub" },
      findDatasets: async () => ({ cards: [{ id: "hub/dates", license: "cc-by-4.0" }], searched: 1 }),
    }
    const run = ephemeralRun({ hub: hub as never })
    const exported = await bundle("complete", "onnx", { train, spec, run, license: "mit", baseModel: "hub/base" })
    const names = ["config.json", "generation_config.json", "onnx/decoder_model_merged.onnx", "onnx/encoder_model.onnx"]
    expect(exported.files.map(({ name }) => name)).toEqual([...names, "prompt2model.json", "tokenizer.json", "tokenizer_config.json"])
    for (const { name, sha256, bytes } of exported.files) {
      const data = await readFile(at(`complete/${name}`))
      expect([createHash("sha256").update(data).digest("hex"), data.length]).toEqual([sha256, bytes])
    }
    const card = await readFile(at("complete/README.md"), "utf8")
    for (const said of ['license: "mit"', 'base_model: "hub/base"', '- "hub/dates"', "cc-by-4.0", "50% of them generated", "SHA-256"])
      expect(card).toContain(said)
    // The instruction stands in a fence that is longer than any in it.
    expect(card).toContain(`\`\`\`\`\nDo ${hostile}\n\`\`\`\``)
    expect(await readdir(folder)).toEqual(["complete"])
  })

  it.each(["huggingface", "onnx"] as const)("as %s answers every row as the student, token for token", async (format) => {
    const { certificate } = await bundle(`same-${format}`, format)
    expect(certificate).toMatchObject({ rows: 4, sameTokens: 4, sameTexts: 4, disagreements: [], metrics: ["exactMatch", "chrF++"] })
    expect(certificate!.largestConfidenceDifference).toBeLessThan(1e-5)
    expect(certificate!.export.scores).toEqual(certificate!.student.scores)
  })

  it("of a classifier is compared by its labels", async () => {
    const classifier = await loadStudent(encoderFolder("bert-labels"), { threads: 1 })
    const exported = await exportStudent(classifier, "onnx", { folder: at("labels"), test: Dataset.from(rows), metrics: ["exactMatch"] })
    expect(exported.certificate).toMatchObject({ sameTexts: 4, metrics: ["exactMatch"] })
    expect(await readFile(at("labels/README.md"), "utf8")).toContain("AutoModelForSequenceClassification")
  })

  it("tells how to ask what it was trained for: a span's card asks with a question and a context", async () => {
    const span = await loadStudent(encoderFolder("bert-span"), { threads: 1 })
    await exportStudent(span, "huggingface", { folder: at("span") })
    const card = await readFile(at("span/README.md"), "utf8")
    expect(card).toContain("pipeline_tag: question-answering")
    expect(card).toContain("AutoModelForQuestionAnswering")
  })

  it("says that it was not compared where there are no rows", async () => {
    const { certificate, notes, summary } = await bundle("bare", "onnx", { test: undefined })
    expect(certificate).toBeUndefined()
    expect(notes.join()).toContain("there were no test rows")
    expect(summary).toContain("not compared")
  })

  it("lists what disagrees, and shows itself", () => {
    const system = { scores: { exactMatch: 0.5 }, intervals: { exactMatch: { low: 0, high: 1 } }, secondsPerAnswer: 0.002 }
    const shown = new StudentExport(
      {
        ...{ version: 1, fingerprint: "f", format: "onnx-int8", notes: [] },
        student: { name: "s", fingerprint: "f", parameters: 1000, bytes: 4000 },
        files: [{ name: "onnx/model_quantized.onnx", bytes: 1000, sha256: "0" }],
        certificate: {
          ...{ runtime: "r", rows: 2, sameTokens: 1, sameTexts: 1, largestConfidenceDifference: 0.25, metrics: ["exactMatch"] },
          ...{ student: system, export: system, disagreements: [{ row: 1, input: hostile, expected: "x", student: "y", export: "z" }] },
        },
      },
      "/somewhere",
    )
    const show = (shown as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")].call(shown)
    expect(show["text/plain"]).toContain("1 of 2")
    expect(show["text/plain"].replace(/\s+/g, " ")).toContain('the student answers "y", the export "z"')
    expect(show["text/html"]).not.toContain("<img src=x")
    expect(shown.summary).toBe("onnx-int8, 1 kB (25% of the student), 1 of 2 answers the same")
  })
})

describe("what is there", () => {
  it("is kept: the same export is answered from its folder, another one is refused, and replaced when that is asked for", async () => {
    const first = await bundle("kept")
    const before = await readFile(at("kept/export.json"), "utf8")
    expect((await bundle("kept")).files).toEqual(first.files)
    expect(await readFile(at("kept/export.json"), "utf8")).toBe(before)
    await expect(bundle("kept", "onnx-int8")).rejects.toMatchObject({
      code: "export.exists",
      message: expect.stringContaining("overwrite"),
    })
    expect((await bundle("kept", "onnx-int8", { overwrite: true })).format).toBe("onnx-int8")
  })

  it("is never replaced where it is no export, even when asked", async () => {
    await mkdir(at("mine"))
    await writeFile(at("mine/thesis.txt"), "years")
    await writeFile(at("file"), "x")
    for (const name of ["mine", "file"])
      await expect(bundle(name, "onnx", { overwrite: true })).rejects.toMatchObject({ code: "export.exists" })
    await writeFile(at("mine/export.json"), "{}")
    await expect(bundle("mine", "onnx", { overwrite: true })).rejects.toMatchObject({ code: "export.exists" })
    expect(await readFile(at("mine/thesis.txt"), "utf8")).toBe("years")
  })

  it("is untouched by an export that is interrupted or fails", async () => {
    const controller = new AbortController()
    const progress = { stageStarted() {}, stageEnded() {}, notice() {}, stageProgress: () => controller.abort() }
    const run = ephemeralRun({ signal: controller.signal, reporter: progress })
    await expect(bundle("interrupted", "onnx", { run })).rejects.toMatchObject({ code: "run.interrupted" })
    await expect(bundle("failed", "onnx", { metrics: ["none"] })).rejects.toMatchObject({ code: "metric.unknown" })
    expect((await readdir(folder)).filter((name) => /interrupted|failed/.test(name))).toEqual([])
  })
})

describe("what cannot be exported", () => {
  it.each([
    ["an unknown format", () => bundle("x", "tflite" as ExportFormat), "export.format"],
    ["a T5 as GGUF", () => bundle("x", "gguf"), "export.family"],
    ["a page without ONNX", () => bundle("x", "huggingface", { page: true }), "export.page"],
    [
      "a student of another make",
      () => exportStudent({ kind: "student", name: "other", fingerprint: "f" } as Student, "onnx", { folder: at("x") }),
      "student.foreign",
    ],
  ])("%s is refused in a sentence", async (_what, attempt, code) => {
    await expect(attempt()).rejects.toMatchObject({ code, message: expect.stringMatching(/^\S.*[.]$/s) })
    expect(await readdir(folder)).not.toContain("x")
  })

  it("a student that was disposed of is refused", async () => {
    const gone = createStudent({
      configuration: { d_model: 16, d_kv: 4, d_ff: 16, num_heads: 2, num_layers: 1, vocab_size: 300 },
      tokenizer: createByteTokenizer(),
    })
    gone.dispose()
    await expect(exportStudent(gone, "onnx", { folder: at("gone") })).rejects.toMatchObject({ code: "student.disposed" })
  })

  it("a lying name stays within the folder of exports", async () => {
    const here = process.cwd()
    process.chdir(folder)
    try {
      const named = await loadStudent(goldenFolder("bytes"), { name: "../../etc/passwd" })
      expect((await exportStudent(named, "onnx")).folder).toBe(join(process.cwd(), "exports", "etc-passwd-onnx"))
    } finally {
      process.chdir(here)
    }
  })
})
