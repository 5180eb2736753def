// Encoders that we saved, loaded by transformers in Python: the same labels and spans. Needs PYTHON_WITH_TRANSFORMERS, the path of a Python
// that has what make_encoder_golden.py asks for; skipped without it.
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { fitStudent, type LoadedStudent, loadStudent, openTraining } from "../../src/students"
import { encoderFolder, type GoldenAnswer, goldenEncoders, inputOf } from "./encoder-golden"
import { largestDifference } from "./golden"

const python = process.env.PYTHON_WITH_TRANSFORMERS
const script = fileURLToPath(new URL("./make_encoder_golden.py", import.meta.url))

interface Checked {
  readonly class: string
  readonly answers: GoldenAnswer[]
  readonly missing_keys: string[]
  readonly unexpected_keys: string[]
  readonly mismatched_keys: string[]
}

/** What transformers makes of the folder that `student` is saved to, compared with what the student itself says. */
async function expectSame(student: LoadedStudent): Promise<Checked> {
  const folder = await mkdtemp(join(tmpdir(), "transformers-"))
  try {
    await student.save(join(folder, "student"))
    const { stdout } = await promisify(execFile)(python!, [script, "--check", join(folder, "student")], { maxBuffer: 2 ** 24 })
    const checked: Checked = JSON.parse(stdout.slice(stdout.indexOf("{")))
    const ours = await student.predict(checked.answers.map(inputOf))
    expect(ours.map(({ output, tokens }, at) => (checked.answers[at].span === undefined ? output : tokens))).toEqual(
      checked.answers.map(({ output, tokens }) => output ?? tokens),
    )
    const theirs = checked.answers.map(({ confidence }) => confidence)
    expect(
      largestDifference(
        ours.map(({ confidence }) => confidence),
        theirs,
      ),
    ).toBeLessThan(1e-5)
    expect(checked).toMatchObject({ missing_keys: [], unexpected_keys: [], mismatched_keys: [] })
    return checked
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe.skipIf(!python)("transformers, given an encoder that we saved (PYTHON_WITH_TRANSFORMERS)", () => {
  it.each(goldenEncoders)(
    "answers as our %s",
    async (name) => {
      const student = await loadStudent(encoderFolder(name), { engine: "onnx", threads: 1 })
      await expectSame(student)
      student.dispose()
    },
    120_000,
  )

  it("answers as a classifier that was made of an embedding model and trained here", async () => {
    const words = ["cat", "dog", "ten", "two", "mat", "one"]
    const rows = words.map((word, at) => ({ input: `the ${word}`, output: ["pet", "pet", "number", "number", "thing", "number"][at] }))
    const student = await fitStudent(await loadStudent(encoderFolder("bert-sentences"), { engine: "onnx", threads: 1 }), rows)
    const training = await openTraining(student, { batchSize: 6, engine: "onnx", threads: 1 })
    const encoded = rows.map(({ input, output }) => student.encodeRow(input, output))
    for (let step = 0; step < 40; step++) await training.step(encoded, { learningRate: 0.02 })
    await training.finish({ maxInputTokens: 40 })
    const checked = await expectSame(student)
    expect(checked.class).toBe("BertForSequenceClassification")
    expect(new Set(checked.answers.map(({ output }) => output)).size).toBeGreaterThan(1)
    student.dispose()
  }, 120_000)
})
