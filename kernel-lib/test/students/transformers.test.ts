// A student that we saved, loaded by transformers in Python: the same tokens and texts. Needs PYTHON_WITH_TRANSFORMERS, the path of a
// Python that has what make_golden.py asks for; skipped without it.
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent, type LoadedStudent, loadStudent, openTraining } from "../../src/students"
import { goldenFolder, goldenModels, readGolden } from "./golden"

const python = process.env.PYTHON_WITH_TRANSFORMERS
const script = fileURLToPath(new URL("./make_golden.py", import.meta.url))

interface Checked {
  readonly class: string
  readonly tied: boolean
  readonly maxNewTokens: number | null
  readonly greedy: { readonly text: string; readonly tokens: number[]; readonly output: string }[]
  readonly beam4: { readonly text: string; readonly tokens: number[]; readonly output: string }[]
}

/** What transformers makes of the folder that `student` is saved to, beside what the student itself says. */
async function expectSame(student: LoadedStudent): Promise<Checked> {
  const folder = await mkdtemp(join(tmpdir(), "transformers-"))
  try {
    await student.save(join(folder, "student"))
    const { stdout } = await promisify(execFile)(python!, [script, "--check", join(folder, "student")], { maxBuffer: 2 ** 24 })
    const checked: Checked = JSON.parse(stdout.slice(stdout.indexOf("{")))
    for (const [answers, decoding] of [
      [checked.greedy, { kind: "greedy" }],
      [checked.beam4, { kind: "beam", beams: 4 }],
    ] as const) {
      const texts = answers.map(({ text }) => text)
      const ours = await student.predict(texts, { decoding, maxNewTokens: 10 })
      expect(ours.map(({ tokens, output }, i) => ({ text: texts[i], tokens, output }))).toEqual(
        answers.map(({ text, tokens, output }) => ({ text, tokens, output })),
      )
    }
    return checked
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe.skipIf(!python)("transformers, given a folder that we saved (PYTHON_WITH_TRANSFORMERS)", () => {
  it.each(goldenModels)(
    "answers as our %s",
    async (name) => {
      const student = await loadStudent(goldenFolder(name), { engine: "onnx", threads: 1 })
      const { tied } = await expectSame(student)
      expect(tied).toBe(name !== "gated-untied")
      student.dispose()
    },
    120_000,
  )

  it("answers as a byte-level student that was drawn and trained here, and knows its longest answer", async () => {
    const configuration = {
      vocab_size: 384,
      d_model: 32,
      d_kv: 8,
      num_heads: 4,
      d_ff: 48,
      num_layers: 2,
      num_decoder_layers: 1,
      feed_forward_proj: "gated-gelu",
    }
    const student = createStudent({ configuration, tokenizer: createByteTokenizer({ extraIds: 125 }), engine: "onnx", threads: 1, seed: 3 })
    const training = await openTraining(student, { batchSize: 8, engine: "onnx", threads: 1 })
    const rows = readGolden("bytes").texts.map(({ text }) => student.encodeRow(text, text.slice(0, 7)))
    for (let step = 0; step < 30; step++) await training.step(rows, { learningRate: 0.01 })
    await training.finish({ maxOutputTokens: 9 })
    const checked = await expectSame(student)
    expect(checked).toMatchObject({ class: "ByT5Tokenizer", tied: true, maxNewTokens: 9 })
    student.dispose()
  }, 120_000)
})
