// A training on artefacts that are laid out as the paper authors', with simulated rows: what it sets beside what, that it goes on where it was
// stopped, which base it takes, and the command.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ServiceError } from "../../kernel-lib/src/core/errors"
import type { Hub } from "../../kernel-lib/src/core/hub"
import type { RunEvent } from "../../kernel-lib/src/core/run"
import { ReproducedTraining, type ReproduceTrainingOptions, reproduceTraining, type TrainingName } from "../../kernel-lib/src/experiments"
import { bundledHub } from "../../kernel-lib/src/services/hubs"
import { openRunFolder } from "../../kernel-lib/src/store/run"
import { createByteTokenizer, createStudent, loadStudent } from "../../kernel-lib/src/students"
import { runCommand } from "../main-job/command"
import { writeArtefacts } from "./paper-artefacts"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-training-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const [artifacts, model] = [join(folder, "artefacts"), join(folder, "tiny")]
let expected: readonly string[]

beforeAll(async () => {
  expected = writeArtefacts(artifacts).test.output
  const configuration = {
    ...{ model_type: "t5", vocab_size: 259, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, feed_forward_proj: "gated-gelu" },
    ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
  }
  await createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" }).save(model)
})

const small = { rows: [12, 24], epochs: [1, 2], seeds: [1, 2], training: { batchSize: 8, maxOutputTokens: 16 } }
const train = async (name: string, changes: Partial<ReproduceTrainingOptions> = {}, signal?: AbortSignal) =>
  reproduceTraining("temporal", { artifacts, model, ...small, run: await openRunFolder(join(folder, name), { signal }), ...changes })
const eventsOf = (name: string) =>
  readFileSync(join(folder, name, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; stage?: string })
const countTrainings = (name: string, type: string) =>
  eventsOf(name).filter((event) => event.type === type && event.stage === "fineTune").length

describe("reproduceTraining", () => {
  let result: ReproducedTraining
  beforeAll(async () => {
    result = await train("undisturbed")
  })

  it("trains each point from each seed once", () => {
    expect(countTrainings("undisturbed", "stage.ended")).toBe(3 * 2)
    expect(result.byRows.map(({ rows, epochs }) => [rows, epochs])).toEqual([
      [12, 2],
      [24, 2],
    ])
    expect(result.byEpochs.map(({ rows, epochs }) => [rows, epochs])).toEqual([
      [24, 1],
      [24, 2],
    ])
    expect(result.student).toMatchObject({ rows: 24, epochs: 2 })
    expect(result.student.scores["chrF++"].perSeed).toHaveLength(2)
    expect(result.rows).toMatchObject({ name: "normalization_1.4_1.4_with_filtering", generated: 60, test: 20 })
  })

  it("sets it beside the teacher, the paper, the authors' student of the same rows, and answers that cost nothing", () => {
    const byName = new Map(result.others.map((other) => [other.system, other]))
    expect(byName.get("teacher, gpt-3.5-turbo")).toMatchObject({ published: 30.7, scores: { exactMatch: { value: 0.75 } } })
    expect(byName.get("the authors' a, T 1.4, voting")?.scores["chrF++"].value).toBeCloseTo(100, 8)
    expect([...byName.keys()].filter((name) => name.includes("authors"))).toHaveLength(1)
    expect(byName.get("Prompt2Model, in the paper")?.published).toBe(55.2)
    const majority = result.others.find(({ system }) => system.startsWith('always "N/A"'))
    expect(majority?.scores.exactMatch.value).toBe(expected.filter((output) => output === "N/A").length / expected.length)
    expect(byName.get("copy the input")?.scores.exactMatch.value).toBe(0)
    // Its weights were drawn at random: unchanged, they say nothing.
    expect(byName.has("base model, unchanged")).toBe(false)
    expect(result.base.description).toBe("byte-level T5 from scratch")
    const comparison = result.comparison("the authors' a, T 1.4, voting")!
    expect(comparison.value).toBeCloseTo(result.student.scores["chrF++"].value - 100, 8)
    expect(comparison.high).toBeLessThan(0)
  })

  it("says what errors have in common, and what more rows and epochs gave", () => {
    expect(result.diagnosis.commonAnswer).toMatchObject({ answer: "N/A", inTest: 0.5 })
    expect(result.diagnosis.heldOut!.rows).toBeGreaterThan(0)
    expect(result.lastSteps).toMatchObject([
      { over: "rows", from: 12, to: 24 },
      { over: "epochs", from: 1, to: 2 },
    ])
    const notes = result.toPayload().notes.join("\n")
    expect(notes).toMatch(/is below .*the authors' a, T 1\.4, voting -/)
    expect(notes).toMatch(/The best is the authors' a, T 1\.4, voting, with 100\.0 chrF\+\+/)
    expect(notes).toMatch(/The paper's scores above the student's interval: Prompt2Model 55\.2/)
    expect(notes).toMatch(/50% of the test rows expect "N\/A"/)
    expect(notes).not.toMatch(/NaN|undefined/)
  })

  it("shows itself as table, picture and figure, and comes back from its data", () => {
    expect(inspect(result)).toMatch(/student +24 +2 /)
    const bundle = (result as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]()
    expect(bundle["text/html"]).toMatch(/<img src="data:image\/svg\+xml;base64,.*chrF\+\+ by training rows \(12: /s)
    const { data } = result.figure()
    expect(data.filter(({ name }) => name === "student").map(({ x }) => x)).toEqual([
      [12, 24],
      [1, 2],
    ])
    const again = new ReproducedTraining(JSON.parse(JSON.stringify(result)))
    expect(again.toPayload()).toEqual(result.toPayload())
    expect(again.report).toBeUndefined()
    expect(result.toCsv().split("\r\n")).toHaveLength(1 + 2 * result.toPayload().rows.length + 1)
  })

  it("leaves its student and its data in the run's folder", async () => {
    const student = await loadStudent(result.studentFolder!)
    const predicted = await student.predict(result.report!.rows.map(({ input }) => input))
    expect(predicted.map(({ output }) => output)).toEqual(result.report!.rows.map((row) => row.predicted))
    student.dispose()
    expect(JSON.parse(readFileSync(join(folder, "undisturbed/temporal-training.json"), "utf8"))).toEqual(JSON.parse(JSON.stringify(result)))
  })

  it("finds what it has: the same call trains nothing, one with a point more trains that alone", async () => {
    const started = countTrainings("undisturbed", "stage.started")
    expect((await train("undisturbed")).toPayload()).toEqual(result.toPayload())
    expect(countTrainings("undisturbed", "stage.started")).toBe(started)
    const more = await train("undisturbed", { rows: [6, 12, 24] })
    expect(countTrainings("undisturbed", "stage.started")).toBe(started + 2)
    expect(more.byRows.map(({ rows }) => rows)).toEqual([6, 12, 24])
  })

  it("goes on where it was interrupted, to the same table", async () => {
    const controller = new AbortController()
    const run = await openRunFolder(join(folder, "stopped"), { signal: controller.signal })
    const { record } = run
    let ended = 0
    Object.assign(run, {
      record(event: RunEvent) {
        record(event)
        if (event.type === "stage.ended" && event.stage === "fineTune" && ++ended === 3) controller.abort()
      },
    })
    await expect(reproduceTraining("temporal", { artifacts, model, ...small, run })).rejects.toMatchObject({ code: "run.interrupted" })
    const again = await train("stopped")
    expect(countTrainings("stopped", "stage.ended")).toBe(3 * 2)
    expect(again.student.scores.exactMatch.perSeed).toHaveLength(2)
    expect(again.byRows.at(-1)).toEqual(again.student)
  })
})

describe("the base model", () => {
  const one = { model: undefined, rows: [8], epochs: [1], seeds: [1] }
  const hubOf = (fetchModel: Hub["fetchModel"]): Hub => ({ ...bundledHub(), name: "simulated", identity: "simulated", fetchModel })

  it("is the paper's Flan-T5 where the hub has it", async () => {
    const asked: string[] = []
    const hub = hubOf(async (id) => {
      asked.push(id)
      return bundledHub().fetchModel("bundled/byte-t5-tiny")
    })
    const { base } = await reproduceTraining("temporal", { artifacts, ...small, ...one, hub })
    expect([base.name, asked]).toEqual(["google/flan-t5-base", ["google/flan-t5-base"]])
  })

  it("is a bundled one, unchanged beside trained, where the hub is out of reach, and the result says so", async () => {
    const hub = hubOf(async () => {
      throw new ServiceError("hub.unreachable", "The hub cannot be reached.", { isRetryable: true })
    })
    const result = await reproduceTraining("temporal", { artifacts, ...small, ...one, hub })
    expect(result.base).toMatchObject({ name: "bundled/byte-t5-english", description: "pretrained byte-level T5" })
    expect(result.base.parameters).toBeGreaterThan(5e5)
    expect(result.notes.join("\n")).toMatch(/google\/flan-t5-base was not to be had: The hub cannot be reached/)
    expect(result.others.find(({ kind }) => kind === "base")?.scores["chrF++"].value).toBeGreaterThanOrEqual(0)
    // Without a folder nothing is kept.
    expect(result.studentFolder).toBeUndefined()
  })
})

const paper = process.env.PAPER_ARTIFACTS

describe.skipIf(!paper)("the authors' own artefacts (PAPER_ARTIFACTS)", () => {
  const onPaper = (name: TrainingName) =>
    reproduceTraining(name, { ...small, artifacts: paper!, model, rows: [40], epochs: [1], seeds: [1], run: undefined })

  it("have Temporal's rows, its real test, and the scores that are known of it", async () => {
    const { rows, others } = await onPaper("temporal")
    expect(rows).toMatchObject({ name: "normalization_1.4_1.4_with_filtering", generated: 5004, test: 860 })
    const scoreOf = (system: string) => others.find((other) => other.system.startsWith(system))?.scores["chrF++"].value
    expect(scoreOf("teacher")).toBeCloseTo(30.6583, 4)
    expect(scoreOf("copy the input")).toBeCloseTo(18.853, 3)
    expect(scoreOf('always "N/A"')).toBeCloseTo(10.984, 3)
    expect(scoreOf("the authors' flan-t5-base, T 1.4, voting")).toBeCloseTo(63.5177, 4)
  })

  it("have MCoNaLa's rows and test, and no answers of its teacher", async () => {
    const { rows, others } = await onPaper("mconala")
    expect(rows).toMatchObject({ name: "jp2python", generated: 5001, test: 210 })
    expect(others.find(({ system }) => system === "gpt-3.5-turbo, in the paper")).toMatchObject({ published: 37.3, scores: {} })
  })
})

describe("prompt2model reproduce", () => {
  const words = ["reproduce", "temporal-training", "--artifacts", artifacts, "--model", model]

  it("trains, prints one JSON object, and goes on in its folder", async () => {
    const asked = [...words, "--rows", "8,16", "--epochs", "1", "--out", join(folder, "command"), "--json"]
    const first = await runCommand(asked)
    expect(first.code, first.stderr).toBe(0)
    expect(JSON.parse(first.stdout)).toMatchObject({
      name: "temporal",
      student: { rows: 16, epochs: 1 },
      byRows: [{ rows: 8 }, { rows: 16 }],
    })
    expect((await runCommand(asked)).stdout).toBe(first.stdout)
    expect(countTrainings("command", "stage.ended")).toBe(2)
  })

  it("refuses lists that are none, and training's options on a table of stored predictions", async () => {
    expect(await runCommand([...words, "--rows", "8,,16"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/--rows takes whole/) })
    const table = await runCommand(["reproduce", "temporal", "--artifacts", artifacts, "--epochs", "1"])
    expect(table).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--epochs is for trainings \(temporal-training, mconala-training\)/),
    })
    expect((await runCommand(["reproduce", "temporal", "--artifacts", artifacts, "--json"])).code).toBe(0)
  })
})
