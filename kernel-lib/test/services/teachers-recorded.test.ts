import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { canAnswer, type TeacherRequest } from "../../src/core/teacher"
import { recordedTeacher, teacherFromName } from "../../src/services/teachers"
import { writeDataset } from "../../src/store/tables"

const artifacts = process.env.PAPER_ARTIFACTS
const request = (index: number, numResponses: number): TeacherRequest => ({
  purpose: "generate",
  messages: [],
  temperature: 1,
  numResponses,
  index,
})
const rows = Array.from({ length: 10 }, (_, index) => ({ input: `in "${index}"\n`, output: `out ${index}` }))
let folder: string
let file: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "recorded-"))
  file = join(folder, "rows.jsonl")
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe("a recording", () => {
  test("gives each request its rows, and the last what is left", async () => {
    const teacher = await recordedTeacher(file)
    const answers = await Promise.all([0, 1, 2].map((index) => teacher.complete(request(index, 4))))
    expect(answers.map(({ texts }) => texts.length)).toEqual([4, 4, 2])
    expect(answers.flatMap(({ texts }) => texts.map((text) => JSON.parse(text)))).toEqual(rows)
    expect(answers[0]).toMatchObject({
      finishReasons: ["stop", "stop", "stop", "stop"],
      usage: { inputTokens: 0, outputTokens: 0 },
      usd: 0,
    })
    await expect(teacher.complete(request(3, 4))).rejects.toMatchObject({
      code: "recorded.exhausted",
      isRetryable: false,
      message: expect.stringContaining("10 rows"),
    })
  })

  test("says what it is, and answers nothing but requests for examples", async () => {
    const teacher = await recordedTeacher(file)
    expect(teacher).toMatchObject({ name: "recorded:rows.jsonl", isRecorded: true, totalRows: 10 })
    expect([teacher.sendsTo, teacher.isSimulated]).toEqual([undefined, undefined])
    expect([canAnswer(teacher, "generate"), canAnswer(teacher, "rerank"), canAnswer(teacher, "answer")]).toEqual([true, false, false])
    await expect(teacher.complete({ ...request(0, 1), purpose: "answer" })).rejects.toMatchObject({ code: "recorded.only-examples" })
  })

  test("is the same teacher wherever its rows lie and in whatever format, and another with other rows", async () => {
    const parquet = join(folder, "again.parquet")
    await writeDataset(Dataset.from(rows), parquet)
    const copy = join(folder, "copy.jsonl")
    cpSync(file, copy)
    const other = join(folder, "other.csv")
    writeFileSync(other, "input,output\\na,b\\n".replaceAll("\\n", "\n"))
    const [first, second, third, fourth] = await Promise.all([file, copy, parquet, other].map((path) => recordedTeacher(path)))
    expect(second.identity).toBe(first.identity)
    expect(third.identity).toBe(first.identity)
    expect(fourth.identity).not.toBe(first.identity)
    expect((await fourth.complete(request(0, 5))).texts).toEqual(['{"input":"a","output":"b"}'])
  })

  test("a folder that is not there, and one without rows, are named", async () => {
    await expect(recordedTeacher(join(folder, "nowhere"))).rejects.toMatchObject({ message: expect.stringContaining("nowhere") })
    const empty = join(folder, "empty.csv")
    writeFileSync(empty, "input,output\n")
    await expect(recordedTeacher(empty)).rejects.toMatchObject({ code: "recorded.no-rows" })
  })

  describe.skipIf(!artifacts)("of the paper", () => {
    test("replays all 5,001 rows of a save_to_disk folder", async () => {
      const teacher = await recordedTeacher(join(artifacts!, "generation/generated_dataset/normalization_1.4_1.4_without_filtering"))
      expect(teacher).toMatchObject({ name: "recorded:normalization_1.4_1.4_without_filtering", totalRows: 5001 })
      const { texts } = await teacher.complete(request(1250, 4))
      expect(texts).toHaveLength(1)
      expect(Object.keys(JSON.parse(texts[0]))).toEqual(["input", "output"])
    })
  })
})

describe("a teacher by its name", () => {
  test("the three kinds", async () => {
    expect((await teacherFromName("simulated", { seed: 3 })).identity).toMatch(/seed-3$/)
    expect((await teacherFromName(`recorded:${file}`)).totalRows).toBe(10)
    const local = await teacherFromName("openai:qwen3:8b", { openai: { baseURL: "http://127.0.0.1:11434/v1" } })
    expect(local.identity).toBe("qwen3:8b@http://127.0.0.1:11434/v1")
  })

  for (const name of ["", "gpt-4o", "openai:", "openai", "recorded: ", "simulated:dates", "Simulated"]) {
    test(`${JSON.stringify(name)} is unknown`, async () => {
      await expect(teacherFromName(name)).rejects.toMatchObject({
        code: "teacher.unknown",
        message: expect.stringMatching(/openai:MODEL, recorded:FOLDER or simulated/),
      })
    })
  }
})
