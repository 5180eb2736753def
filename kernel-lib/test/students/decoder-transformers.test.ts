// Students that go on with a text, saved by us and loaded by transformers in Python: the same tokens and texts. Needs
// PYTHON_WITH_TRANSFORMERS, the path of a Python that has what make_golden.py asks for; skipped without it.
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent, type LoadedStudent, loadStudent, openTraining } from "../../src/students"
import { decoderFolder, decoderModels, readDecoderGolden } from "./decoder-golden"

const python = process.env.PYTHON_WITH_TRANSFORMERS
const script = fileURLToPath(new URL("./make_decoder_golden.py", import.meta.url))

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

const classes = {
  gpt2: "GPT2LMHeadModel",
  "gpt2-untied": "GPT2LMHeadModel",
  llama3: "LlamaForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  mistral: "MistralForCausalLM",
  qwen3: "Qwen3ForCausalLM",
  smollm3: "SmolLM3ForCausalLM",
}

describe.skipIf(!python)("transformers, given a folder that we saved (PYTHON_WITH_TRANSFORMERS)", () => {
  it.each(decoderModels)(
    "answers as our %s",
    async (name) => {
      const student = await loadStudent(decoderFolder(name), { engine: "onnx", threads: 1 })
      const checked = await expectSame(student)
      expect(checked).toMatchObject({ class: classes[name], tied: ["gpt2", "qwen2", "qwen3", "smollm3"].includes(name) })
      student.dispose()
    },
    120_000,
  )

  it("answers as a byte-level Llama that was drawn and trained here, and knows its longest answer", async () => {
    const configuration = {
      model_type: "llama",
      vocab_size: 384,
      hidden_size: 32,
      intermediate_size: 48,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      bos_token_id: null,
      eos_token_id: 1,
      pad_token_id: 0,
      rope_theta: 1000,
      initializer_range: 0.3,
    }
    const student = createStudent({ configuration, tokenizer: createByteTokenizer({ extraIds: 125 }), engine: "onnx", threads: 1, seed: 3 })
    const training = await openTraining(student, { batchSize: 8, engine: "onnx", threads: 1 })
    const rows = readDecoderGolden("gpt2").texts.map(({ text }) => student.encodeRow(text, text.slice(0, 7)))
    for (let step = 0; step < 30; step++) await training.step(rows, { learningRate: 0.01 })
    await training.finish({ maxOutputTokens: 9 })
    const checked = await expectSame(student)
    expect(checked).toMatchObject({ class: "LlamaForCausalLM", tied: false, maxNewTokens: 9 })
    student.dispose()
  }, 120_000)
})
