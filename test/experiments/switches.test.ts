// Each switch of an ablation: what it runs again, what it shares with the cell that differs from it in nothing else, and what it costs.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../kernel-lib/src/core/dataset"
import type { Teacher } from "../../kernel-lib/src/core/teacher"
import { type Ablation, ablate, ablateSources, type CellChoice } from "../../kernel-lib/src/experiments"
import { bundledHub } from "../../kernel-lib/src/services/hubs"
import { simulatedTeacher } from "../../kernel-lib/src/services/teachers"
import { type FolderRun, openRunFolder } from "../../kernel-lib/src/store/run"
import { createByteTokenizer, createStudent } from "../../kernel-lib/src/students"
import { makeFolder, removeFolders } from "../../kernel-lib/test/store/folders"

const t5 = {
  ...{ model_type: "t5", vocab_size: 259, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, feed_forward_proj: "gated-gelu" },
  ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
}
const gpt2 = { model_type: "gpt2", vocab_size: 259, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 128, bos_token_id: 0, eos_token_id: 1 }
const prompt = 'Turn dates into ISO 8601.\n\ninput="3rd of May 1999"\noutput="1999-05-03"'
const day = (index: number) => String(index + 1).padStart(2, "0")
const test = Dataset.from(Array.from({ length: 8 }, (_, at) => ({ input: `${at + 1} March 1960`, output: `1960-03-${day(at)}` })))
const own = Dataset.from(Array.from({ length: 20 }, (_, at) => ({ input: `${at + 1} June 1970`, output: `1970-06-${day(at)}` })))

let models: Record<"t5" | "gpt2", string>
const open = async (teacher: Teacher, name: string) =>
  openRunFolder(join(await makeFolder(), name), { teacher, hub: bundledHub(), seed: 3, engine: "onnx" })
const training = { batchSize: 16, epochs: 1, maxOutputTokens: 11 }

beforeAll(async () => {
  const folder = await makeFolder()
  models = { t5: join(folder, "t5"), gpt2: join(folder, "gpt2") }
  for (const [name, configuration] of Object.entries({ t5, gpt2 }))
    await createStudent({ name, configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" }).save(models[name as "t5"])
})
afterAll(removeFolders)

const rows = ["processDatasets", "fineTune", "evaluate"]
/** By switch, its other value and what runs again where it alone is changed: of generated rows alone ... */
const ofGenerated = {
  voting: [false, "generateDataset", ...rows],
  annealing: [{ initial: 1.2, final: 1.6 }, "generateDataset", ...rows],
  filters: [{ nearDuplicate: false }, "generateDataset", ...rows],
  numExamples: [100, "generateDataset", ...rows],
  responsesPerRequest: [2, "generateDataset", ...rows],
} as const
/** ... and with retrieved ones. Without a vote the same dataset is chosen, so that no row changes. */
const ofBoth = {
  rerank: [false, "retrieveDatasets"],
  maxRows: [30, ...rows],
  teacher: ["another", "parsePrompt", "retrieveDatasets", "transformDataset", "generateDataset", ...rows],
  model: ["gpt2", "loadModel", "fineTune", "evaluate"],
  epochs: [2, "fineTune", "evaluate"],
  template: ["paper", "fineTune", "evaluate"],
} as const
const stagesOf = {
  generated: ["parsePrompt", "generateDataset", ...rows, "loadModel"],
  both: ["parsePrompt", "retrieveDatasets", "loadDataset", "transformDataset", "generateDataset", ...rows, "loadModel"],
}

/** `teacher`, but its third request brings answers that a vote decides, and its fourth two rows that are nearly one. */
function dividedTeacher(teacher: Teacher): Teacher {
  const say = (input: string, output: string) => JSON.stringify({ input, output })
  const meeting = "The meeting, which had been moved twice before, will at last take place on the 3rd of May 1999 in the afternoon"
  const planted: Readonly<Record<number, readonly string[]>> = {
    2: [say("7 July 1977", "1977-07-70"), say("7 July 1977", "1977-07-07"), say("7 July 1977", "1977-07-07")],
    3: [say(meeting, "1999-05-03"), say(`${meeting}.`, "1999-05-03")],
  }
  return {
    ...{ name: "divided", isSimulated: true },
    async complete(request, options) {
      const completion = await teacher.complete(request, options)
      const first = request.purpose === "generate" ? (planted[request.index] ?? []) : []
      return { ...completion, texts: [...first, ...completion.texts.slice(first.length)] }
    },
  }
}

describe("changing one switch", () => {
  let run: FolderRun
  let ablation: Ablation
  beforeAll(async () => {
    run = await open(dividedTeacher(simulatedTeacher({ seed: 5 })), "run")
    const list = (base: CellChoice, changes: Readonly<Record<string, readonly unknown[]>>): CellChoice[] => [
      base,
      ...Object.entries(changes).map(([name, [value]]) => ({ ...base, [name]: value === "gpt2" ? models.gpt2 : value, name })),
    ]
    const generated = { source: "generated", numExamples: 60, model: models.t5, name: "generated" } as const
    const both = { source: "both", maxRows: 50, model: models.t5, name: "both" } as const
    ablation = await ablate(prompt, {
      ...{ run, test, training, numExamples: 40, metrics: ["exactMatch"], teachers: { another: simulatedTeacher({ seed: 6 }) } },
      cells: [...list(generated, ofGenerated), ...list(both, ofBoth)],
    })
  })

  it.each([...Object.entries({ ...ofGenerated, ...ofBoth })])(
    "%s runs again what depends on it, and the table says how much was shared",
    (name, [, ...again]) => {
      const cell = ablation.cell(name)!
      expect([cell.status, cell.notes]).toEqual(["done", []])
      const { length } = stagesOf[name in ofBoth ? "both" : "generated"]
      expect(cell.stages).toEqual({ all: length, shared: length - again.length })
    },
  )

  it("did no more than that, by the run's own record", () => {
    const events = readFileSync(join(run.folder, "events.jsonl"), "utf8").trim().split("\n")
    const started = events.map((line) => JSON.parse(line)).filter(({ type }) => type === "stage.started")
    const count = (stage: string) => started.filter((event) => event.stage === stage).length
    const changes: (readonly unknown[])[] = [...Object.values(ofGenerated), ...Object.values(ofBoth)]
    const expected = (stage: string) => changes.filter((again) => again.includes(stage)).length
    for (const stage of ["processDatasets", "generateDataset", "fineTune", "evaluate"])
      expect([stage, count(stage)]).toEqual([stage, expected(stage) + 2])
    for (const stage of ["retrieveDatasets", "transformDataset"]) expect([stage, count(stage)]).toEqual([stage, expected(stage) + 1])
    const all = 6 * stagesOf.generated.length + 7 * stagesOf.both.length
    expect(ablation.reuse.stages).toBe(all)
    expect(ablation.toPayload().notes.join(" ")).toContain(`${all} stages, ${ablation.reuse.different} of them different`)
  })
})

describe("the other switches", () => {
  it("hyde searches models by the prompt alone, and changes nothing else; a seed changes all but what has none", async () => {
    const run = await open(simulatedTeacher({ seed: 5 }), "hyde")
    const cells = [{ hyde: true }, { hyde: false }].map((cell) => ({ ...cell, source: "own" as const, maxOutputTokens: 11 }))
    const ablation = await ablate(prompt, { run, test: test.take(2), own, cells, training: { ...training, batchSize: 32 } })
    // parsePrompt, processDatasets, retrieveModels, loadModel, fineTune, evaluate.
    expect(ablation.cells.map(({ stages: { all: count, shared } }) => [count, shared])).toEqual([
      [6, 0],
      [6, 5],
    ])
  })

  it("lossOn trains a GPT-2 on prompts too, and says why it cannot train a T5 so", async () => {
    const run = await open(simulatedTeacher({ seed: 5 }), "loss")
    const base = { source: "own" as const, lossOn: "all" as const }
    const cells = [
      { ...base, lossOn: "completion" as const, model: models.gpt2, name: "completion" },
      { ...base, model: models.gpt2, name: "all" },
      { ...base, model: models.t5, name: "t5" },
    ]
    const ablation = await ablate(prompt, { run, test, own, cells, training })
    expect(ablation.cell("all")).toMatchObject({ status: "done", stages: { all: 5, shared: 3 } })
    expect(ablation.cell("t5")).toMatchObject({
      status: "failed",
      notes: [expect.stringMatching(/^seed 3 failed: t5 \(t5\) answers apart/)],
    })
  })

  it("costs what its requests cost, whichever cell paid for them; people's rows what was said", async () => {
    const simulated = simulatedTeacher({ seed: 5 })
    const [dear, cheap] = [0.01, 0.002].map(
      (price): Teacher => ({
        ...{ name: `at ${price}`, sendsTo: "https://example.com" },
        complete: async (request, options) => ({ ...(await simulated.complete(request, options)), usd: price * request.numResponses }),
      }),
    )
    const run = await open(dear, "costs")
    const shared = { source: "generated", model: models.t5 } as const
    const cells = [
      { ...shared, name: "dear" },
      { ...shared, voting: false, name: "dear, no voting" },
      { ...shared, teacher: "cheap", name: "cheap" },
      { ...shared, responsesPerRequest: 1, name: "one by one" },
      { source: "own", model: models.t5, name: "own" },
    ] as const
    const annotation = { usdPerRow: 0.18 }
    const ablation = await ablate(prompt, { run, test, own, annotation, cells, training, numExamples: 12, teachers: { cheap } })
    const [first, second, other, single, people] = ablation.cells.map(({ cost }) => cost)
    expect(first.requests).toBeGreaterThan(2)
    expect(first.usd).toBeCloseTo(0.04 * first.requests, 9)
    // No request of it was sent, and it would have cost as much.
    expect(second).toMatchObject({ usd: expect.closeTo(0.04 * second.requests, 9) })
    expect(other.usd).toBeCloseTo(0.008 * other.requests, 9)
    expect(single.usd).toBeCloseTo(0.01 * single.requests, 9)
    expect(people).toMatchObject({ requests: 0, annotatedRows: 20, usd: expect.closeTo(3.6, 9) })
    expect(ablation.costName).toBe("usd")
  })

  it("names the teachers that there are", async () => {
    const run = await open(simulatedTeacher({ seed: 5 }), "none")
    const cells = [{ teacher: "gpt" }]
    await expect(ablate(prompt, { run, test, cells })).rejects.toMatchObject({ code: "ablate.no-such-teacher" })
  })
})

describe("ablateSources", () => {
  it("is the paper's source ablation on any task, people's rows and their price among them", async () => {
    const run = await open(simulatedTeacher({ seed: 5 }), "sources")
    const switches = { model: models.t5, maxRows: 40 }
    const table = await ablateSources(prompt, { run, test, own, switches, training, numExamples: 20, annotation: { usdPerRow: 0.18 } })
    expect(table.cells.map(({ name, status }) => [name, status])).toEqual(
      ["retrieval and generation", "retrieval only", "generation only", "custom annotation"].map((name) => [name, "done"]),
    )
    expect(table.reference).toBe("retrieval and generation")
    expect(table.cell("retrieval only")!.cost).toMatchObject({ usd: 0, requests: 0, annotatedRows: 0 })
    expect(table.cell("custom annotation")!.cost).toMatchObject({ usd: expect.closeTo(3.6, 9), annotatedRows: 20 })
    expect(table.toPayload().columns.map(({ name }) => name)).toContain("cost")
  })
})
