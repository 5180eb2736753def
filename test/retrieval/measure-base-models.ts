// What a retrieved base model is worth: for tasks of the bundled catalogue, the model that retrieveModels puts first is fine-tuned on a few
// hundred rows, and so is the same network with random weights; both answer the same test. From the repository's root:
//
//   npx unrun test/retrieval/measure-base-models.ts [TASK ...] [--rows N] [--epochs N] [--seed N]
//
// The difference has its 95% interval by a paired bootstrap over the test's rows. The task `temporal` takes the paper's rows from
// PAPER_ARTIFACTS: 4,000 that gpt-3.5-turbo generated to train on, and the 860 real ones.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Dataset } from "../../kernel-lib/src/core/dataset"
import { PromptSpec } from "../../kernel-lib/src/core/prompt-spec"
import { Random } from "../../kernel-lib/src/core/random"
import { chrFPlusPlus, exactMatch, pairedBootstrap } from "../../kernel-lib/src/measures"
import { bundledHub } from "../../kernel-lib/src/services/hubs"
import { fineTune } from "../../kernel-lib/src/stages/fine-tune/fine-tune"
import { loadModel } from "../../kernel-lib/src/stages/load-model/load-model"
import { retrieveModels } from "../../kernel-lib/src/stages/retrieve-models/retrieve-models"
import { readDataset } from "../../kernel-lib/src/store/tables"
import { createStudent, type LoadedStudent } from "../../kernel-lib/src/students"

interface Task {
  readonly name: string
  readonly instruction: string
  readonly example: readonly [string, string]
  /** Rows to train on and to test on, which share no input. */
  load(rows: number, random: Random): Promise<{ train: Dataset; test: Dataset }>
}

const testRows = 300
const hub = bundledHub()

/** Rows of a bundled dataset, the last column being the output. */
async function readPairs(id: string, configuration = "default"): Promise<{ input: string; output: string }[]> {
  const { columns, rows } = await hub.readRows(`bundled/${id}`, { configuration, split: "train", maxRows: 10_000 })
  const [output, ...inputs] = [...columns].reverse()
  const inputOf = (row: Readonly<Record<string, unknown>>) =>
    inputs.length === 1
      ? String(row[inputs[0]])
      : inputs
          .toReversed()
          .map((column) => `${column}: ${row[column]}`)
          .join("\n")
  return rows.map((row) => ({ input: inputOf(row), output: String(row[output]) }))
}

const bundledTask = (name: string, id: string, instruction: string, example: readonly [string, string], configuration?: string): Task => ({
  ...{ name, instruction, example },
  async load(rows, random) {
    const pairs = random.shuffle(await readPairs(id, configuration))
    return { train: Dataset.from(pairs.slice(testRows, testRows + rows)), test: Dataset.from(pairs.slice(0, testRows)) }
  },
})

const root = join(import.meta.dirname, "..", "..")
const repository = existsSync(join(root, "kernel-lib")) ? root : process.cwd()

const tasks: readonly Task[] = [
  bundledTask("money", "amounts-of-money-cldr", "Rewrite amounts of money in a uniform way: the currency's letters and the amount.", [
    "$1,299.50",
    "USD 1299.50",
  ]),
  bundledTask(
    "years of birth",
    "life-dates-wordnet",
    "Extract the year of birth from a short biography in English.",
    ["Clara Weiss (1871-1940) was a Swiss botanist.", "1871"],
    "born",
  ),
  bundledTask("spelling", "spelling-corrections-wordnet", "Correct the misspelt word of an English sentence.", ["teh cat", "the cat"]),
  bundledTask("questions", "question-answering-wordnet", "Answer a question about a short English passage by extraction.", [
    "context: It is in Oslo.\nquestion: Where is it?",
    "Oslo",
  ]),
  {
    name: "dates",
    instruction: "Turn a date that somebody wrote in English into ISO 8601.",
    example: ["the 3rd of May 1999", "1999-05-03"],
    async load(rows, random) {
      const test = readFileSync(join(repository, "notebooks", "prompts", "dates.test.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      const inputs = new Set(test.map(({ input }) => input))
      const pairs = random.shuffle(await readPairs("dates-cldr")).filter(({ input }) => !inputs.has(input))
      return { train: Dataset.from(pairs.slice(0, rows)), test: Dataset.from(test) }
    },
  },
  {
    name: "temporal",
    instruction: "Find the expressions of time, dates, weekdays and months, in an English sentence and resolve them to ISO 8601.",
    example: ["[Posted: 2016-11-09] It opens tomorrow.", "tomorrow == 2016-11-10"],
    async load(_rows, random) {
      const folder = process.env.PAPER_ARTIFACTS
      if (!folder) throw new Error("the task temporal reads the folder that PAPER_ARTIFACTS names")
      const generated = await readDataset(join(folder, "generation/generated_dataset/normalization_1.4_1.4_with_filtering"))
      return {
        train: Dataset.from(
          random
            .shuffle(generated)
            .slice(0, 4000)
            .map(({ input, output }) => ({ input, output })),
        ),
        test: await readDataset(join(folder, "baseline/real_datasets/datasets/normalization")),
      }
    },
  },
]

/** The network of `base` with weights drawn from `seed`. */
async function drawAnew(id: string, base: LoadedStudent, seed: number): Promise<LoadedStudent> {
  const configuration = JSON.parse(readFileSync(join(await hub.fetchModel(id), "config.json"), "utf8"))
  return createStudent({ configuration, tokenizer: base.tokenizer, template: base.template, name: `${base.name}, from scratch`, seed })
}

async function measure(
  task: Task,
  { rows, epochs, seed }: { rows: number; epochs?: number; seed: number },
): Promise<Record<string, unknown>> {
  const { train, test } = await task.load(rows, new Random(`base models ${task.name} ${seed}`))
  const spec = new PromptSpec({ instruction: task.instruction, demonstrations: [{ input: task.example[0], output: task.example[1] }] })
  const [{ card }] = await retrieveModels(spec, { hub })
  const base = await loadModel(card.id, { hub, seed })
  const answer = async (student: LoadedStudent) => {
    const { student: trained, settings, steps, seconds } = await fineTune(student, { train, spec, epochs, seed })
    const predictions = await trained.predict([...test].map(({ input }) => input))
    const outputs = predictions.map(({ output }) => output)
    const references = [...test].map(({ output }) => output)
    const scores = `exact match ${exactMatch.corpus(outputs, references).toFixed(3)}, chrF++ ${chrFPlusPlus.corpus(outputs, references).toFixed(2)}`
    const how = `${steps} steps of ${settings.batchSize} rows at ${settings.learningRate} in ${Math.round(seconds)} s`
    console.error(`${task.name}, ${student.name}: ${how}; ${scores}`)
    return outputs
  }
  const retrieved = await answer(base)
  const scratch = await answer(await drawAnew(card.id, base, seed))
  const references = [...test].map(({ output }) => output)
  const row: Record<string, unknown> = { task: task.name, base: card.id, train: train.length, test: test.length }
  for (const metric of [exactMatch, chrFPlusPlus]) {
    const [first, second] = [retrieved, scratch].map((answers) => metric.statistics(answers, references))
    const { value, low, high } = pairedBootstrap(first, second, metric.score)
    const digits = metric.scale === 1 ? 3 : 1
    row[metric.name] = `${metric.corpus(retrieved, references).toFixed(digits)} / ${metric.corpus(scratch, references).toFixed(digits)}`
    row[`${metric.name}, gain`] = `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`
  }
  return row
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: "string", default: "400" }, epochs: { type: "string" }, seed: { type: "string", default: "1" } },
})
const chosen = positionals.length > 0 ? positionals : ["money", "years of birth", "dates"]
const results: Record<string, unknown>[] = []
for (const task of tasks.filter(({ name }) => chosen.includes(name))) {
  const epochs = values.epochs === undefined ? undefined : Number(values.epochs)
  results.push(await measure(task, { rows: Number(values.rows), epochs, seed: Number(values.seed) }))
  console.log(JSON.stringify(results.at(-1)))
}
console.table(results)
