// Which tokens a step learns: those of the completion, or the prompt's too.
import { describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent, type LoadedStudent, openTraining } from "../../src/students"

const gpt2 = { model_type: "gpt2", vocab_size: 259, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 64, bos_token_id: 0, eos_token_id: 1 }
const t5 = {
  ...{ model_type: "t5", vocab_size: 259, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, feed_forward_proj: "gated-gelu" },
  ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
}
const create = (configuration: Readonly<Record<string, unknown>>) =>
  createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" })
const open = (student: LoadedStudent, lossOn?: "completion" | "all") =>
  openTraining(student, { batchSize: 4, dropout: 0, engine: "onnx", threads: 1, lossOn })

describe("lossOn", () => {
  it("all: a step's loss is the mean over every token that follows another, prompts included", async () => {
    const student = create(gpt2)
    const rows = [student.encodeRow("3 May", "05-03"), student.encodeRow("31st of December", "12-31")]
    const whole = rows.map(({ inputIds: [first, ...others], labelIds }) => ({ inputIds: [first], labelIds: [...others, ...labelIds] }))
    const [completion, all] = [await open(await student.copy()), await open(await student.copy(), "all")]
    const [ofCompletion, ofWhole] = [(await completion.loss(rows)).loss, (await completion.loss(whole)).loss]
    expect((await completion.step(rows, { learningRate: 1e-3 })).loss).toBeCloseTo(ofCompletion, 5)
    expect(Math.abs(ofWhole - ofCompletion)).toBeGreaterThan(1e-3)
    // What is looked at after an epoch is the completion's, so that trainings compare.
    expect((await all.loss(rows)).loss).toBeCloseTo(ofCompletion, 5)
    expect((await all.step(rows, { learningRate: 1e-3 })).loss).toBeCloseTo(ofWhole, 5)
    completion.dispose()
    all.dispose()
  })

  it("all: the prompt is learnt", async () => {
    const student = create(gpt2)
    const row = student.encodeRow("aaaa", "b")
    const whole = { inputIds: row.inputIds.slice(0, 1), labelIds: [...row.inputIds.slice(1), ...row.labelIds] }
    const losses: Record<string, number> = {}
    for (const lossOn of ["completion", "all"] as const) {
      const training = await open(await student.copy(), lossOn)
      for (let step = 0; step < 30; step++) await training.step([row], { learningRate: 1e-2 })
      losses[lossOn] = (await training.loss([whole])).loss
      training.dispose()
    }
    expect(losses.all).toBeLessThan(0.5 * losses.completion)
  })

  it("refuses all for a student that answers apart from its input", async () => {
    await expect(open(create(t5), "all")).rejects.toMatchObject({ code: "train.loss-on" })
    const training = await open(create(t5), "completion")
    training.dispose()
  })
})
