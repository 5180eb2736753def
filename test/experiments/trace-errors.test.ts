// A student trained on rows of which one group is wrong: the group is found from the student's errors, dropped or relabelled, and the student
// that is trained again is better, by a paired test.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../kernel-lib/src/core/dataset"
import { Random } from "../../kernel-lib/src/core/random"
import { compareReports, type ErrorTrace, traceErrors } from "../../kernel-lib/src/experiments"
import { evaluate, type Report } from "../../kernel-lib/src/stages/evaluate/evaluate"
import { fineTune } from "../../kernel-lib/src/stages/fine-tune/fine-tune"
import { type FolderRun, openRunFolder } from "../../kernel-lib/src/store/run"
import { createByteTokenizer, createStudent } from "../../kernel-lib/src/students"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-trace-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const two = (number: number) => String(number).padStart(2, "0")
const days = months.flatMap((_, month) => Array.from({ length: 28 }, (_, day) => [day + 1, month + 1] as const))
const ways = [
  (day: number, month: number) => `${day} ${months[month - 1]}`,
  (day: number, month: number) => `${months[month - 1]} ${day}`,
  (day: number, month: number) => `${day}/${month}`,
]
const rightOutput = (day: number, month: number) => `${two(month)}-${two(day)}`

/** Every day in each of the three ways, in a seeded order; the student reads a date's day first where it has a slash. */
const all = new Random("dates").shuffle(
  days.flatMap(([day, month]) =>
    ways.map((way, index) => ({ input: way(day, month), output: rightOutput(day, month), isSlashed: index === 2, day, month })),
  ),
)
const test = Dataset.from(all.slice(0, 120), { name: "test" })
const rest = all.slice(120)
/** A sheet whose writer read slashed dates the American way; where both readings are dates, the row is wrong. */
const sheet = Dataset.from(
  rest.filter(({ isSlashed }, at) => isSlashed && at % 3 > 0).map(({ input, day, month }) => ({ input, output: rightOutput(month, day) })),
  { name: "old sheet" },
)
const good = Dataset.from(
  rest.filter(({ isSlashed }, at) => !isSlashed || at % 3 === 0),
  { name: "new sheet" },
)
const train = good.concat(sheet)
const configuration = {
  ...{ model_type: "t5", vocab_size: 259, d_model: 48, d_kv: 16, d_ff: 96, num_layers: 2, num_heads: 3, feed_forward_proj: "gated-gelu" },
  ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
}
const base = createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 2, engine: "onnx" })

async function learn(rows: Dataset, run: FolderRun): Promise<Report> {
  const { student } = await fineTune(base, { train: rows, epochs: 24, batchSize: 32, learningRate: 4e-3, run })
  return evaluate(student, test, { train: rows, run })
}

describe("a wrong group of rows", () => {
  let run: FolderRun
  let before: Report
  let trace: ErrorTrace
  beforeAll(async () => {
    run = await openRunFolder(join(folder, "run"), { seed: 1, engine: "onnx" })
    before = await learn(train, run)
    trace = await traceErrors(before, { train, run, groupBy: { writing: ({ input }) => (input.includes("/") ? "slashed" : "named") } })
  })

  it("is what the errors lead to", () => {
    console.log(`before: exact match ${before.scores.exactMatch}; ${trace.toPayload().notes.join(" ")}`)
    expect(trace.suspects.map(({ name }) => name)).toContain("source: old sheet")
    const sources = trace.errors.flatMap(({ nearest }) => nearest.map(({ from }) => from.kind === "annotated" && from.source))
    expect(sources.filter((name) => name === "old sheet").length).toBeGreaterThan(sources.length / 2)
  })

  it("makes the student better when it is dropped, and when it is relabelled", async () => {
    const dropped = trace.dropGroup("source: old sheet")
    expect(dropped.length).toBe(good.length)
    const withoutGroup = compareReports(before, await learn(dropped, run))
    const put = new Map(all.map(({ input, output }) => [input, output]))
    const relabelled = compareReports(
      before,
      await learn(
        trace.relabel("source: old sheet", ({ input }) => put.get(input)),
        run,
      ),
    )
    console.log(`dropped: ${withoutGroup.summary}; relabelled: ${relabelled.summary}`)
    for (const comparison of [withoutGroup, relabelled]) {
      expect(comparison.scores[0].difference).toBeGreaterThan(0.05)
      expect(comparison.p).toBeLessThan(0.05)
      expect(comparison.fixed.filter(({ input }) => input.includes("/")).length).toBeGreaterThan(5)
    }
  })
})
