// Answers handed on in one file: the same requests get the same answers, without a key and without cost.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { ServiceError } from "../../src/core/errors"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { openaiTeacher, recordedTeacher, simulatedTeacher } from "../../src/services/teachers"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { exportResponses } from "../../src/store/exported-responses"
import { storeResponses } from "../../src/store/response-store"
import { openRunFolder } from "../../src/store/run"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-replayed-"))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

const request = (index: number): TeacherRequest => ({
  purpose: "generate",
  messages: [{ role: "user", content: "x" }],
  temperature: 0,
  numResponses: 1,
  index,
})
const teacherOf = (identity: string): Teacher => ({
  name: identity.split("@")[0],
  identity,
  complete: async ({ index }) =>
    index === 9
      ? Promise.reject(new ServiceError("teacher.request-refused", "No.", { isRetryable: false, status: 400 }))
      : { texts: [`${identity} ${index}`], finishReasons: ["stop"], usage: { inputTokens: 3, outputTokens: 4 }, usd: 0.5 },
})

/** A file with the answers of these teachers to requests 0 to 2, and the failure of request 9. */
async function makeFile(name: string, ...identities: string[]): Promise<string> {
  const responses = join(folder, "answers")
  for (const identity of identities) {
    const store = storeResponses(teacherOf(identity), responses)
    for (const index of [0, 1, 2]) await store.complete(request(index))
    await store.complete(request(9)).catch(() => {})
  }
  const file = join(folder, name)
  expect(await exportResponses(responses, file)).toEqual({ file, responses: 4 * identities.length })
  return file
}

describe("an exported file", () => {
  test("answers what was asked in the recorded run, under the teacher's own name, and costs nothing", async () => {
    for (const name of ["lesson.jsonl", "lesson.jsonl.gz"]) {
      const teacher = await recordedTeacher(await makeFile(name, "m@http://there/v1"))
      expect(teacher).toMatchObject({ name: "m", identity: "m@http://there/v1" })
      expect(teacher.sendsTo).toBeUndefined()
      expect(await teacher.complete(request(1))).toMatchObject({ texts: ["m@http://there/v1 1"], usd: 0, isReused: true })
      await expect(teacher.complete(request(9))).rejects.toMatchObject({ code: "teacher.request-refused", status: 400 })
      await expect(teacher.complete(request(7))).rejects.toMatchObject({ code: "recorded.no-answer", isRetryable: false })
    }
  })

  test("has a damaged line less where a line is damaged", async () => {
    const file = await makeFile("lesson.jsonl", "m@http://there/v1")
    await writeFile(file, (await readFile(file, "utf8")).replace("v1 1", "v1 2"))
    const teacher = await recordedTeacher(file)
    await expect(teacher.complete(request(1))).rejects.toMatchObject({ code: "recorded.no-answer" })
    expect((await teacher.complete(request(2))).texts).toEqual(["m@http://there/v1 2"])
  })

  test("of several teachers asks which", async () => {
    const file = await makeFile("lesson.jsonl", "m@http://there/v1", "other@http://there/v1")
    await expect(recordedTeacher(file)).rejects.toMatchObject({ code: "responses.several-teachers" })
    const teacher = openaiTeacher("other", { responses: file, baseURL: "http://127.0.0.1:9/v1" })
    expect((await teacher.complete(request(0))).texts).toEqual(["other@http://there/v1 0"])
  })

  test("stands in for a key, so that a notebook runs unchanged", async () => {
    const file = await makeFile("lesson.jsonl", "gpt-4o-mini@https://api.openai.com/v1")
    vi.stubEnv("OPENAI_API_KEY", "")
    vi.stubEnv("OPENAI_BASE_URL", "")
    vi.stubEnv("PROMPT2MODEL_RESPONSES", file)
    const teacher = openaiTeacher("gpt-4o-mini")
    expect((await teacher.complete(request(2))).texts).toEqual(["gpt-4o-mini@https://api.openai.com/v1 2"])
    await expect(teacher.complete(request(5))).rejects.toMatchObject({ code: "recorded.no-answer" })
  })

  test("that is none is a sentence", async () => {
    await writeFile(join(folder, "rows.csv"), "input,output\n1,2\n")
    const teacher = openaiTeacher("m", { responses: join(folder, "rows.csv"), baseURL: "http://127.0.0.1:9/v1" })
    await expect(teacher.complete(request(0))).rejects.toMatchObject({ code: "responses.unreadable" })
    await expect(exportResponses(folder, join(folder, "none.jsonl"))).rejects.toMatchObject({ code: "responses.none" })
    await expect(exportResponses({}, join(folder, "none.jsonl"))).rejects.toMatchObject({ code: "responses.none" })
  })
})

test("a whole run is replayed row for row", async () => {
  const spec = new PromptSpec({
    instruction: "Write the date in ISO 8601.",
    demonstrations: [{ input: "3rd of May 1999", output: "1999-05-03" }],
  })
  const simulated = simulatedTeacher({ seed: 4 })
  const run = await openRunFolder(join(folder, "run"), { teacher: simulated })
  const made = await generateDataset(spec, { numExamples: 60, run })
  await simulated.close?.()
  const file = join(folder, "run.jsonl.gz")
  const { responses } = await exportResponses(run, file)
  expect(
    gunzipSync(await readFile(file))
      .toString("utf8")
      .trim()
      .split("\n"),
  ).toHaveLength(responses)
  const replayed = await openRunFolder(join(folder, "replayed"), { teacher: await recordedTeacher(file) })
  const again = await generateDataset(spec, { numExamples: 60, run: replayed })
  expect([...again]).toEqual([...made])
  expect(again.rejected).toEqual(made.rejected)
  expect(replayed.spending).toMatchObject({ requestsSent: 0, usd: 0 })
})
