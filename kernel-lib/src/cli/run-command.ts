// prompt2model run: the main job, from a prompt to a student with its report.
import { basename, join, relative } from "node:path"
import { Dataset } from "../core/dataset"
import { InputError } from "../core/errors"
import { titleOf } from "../core/prompt-spec"
import type { Spending } from "../core/run"
import { type EndOfRun, renderEndOfRun } from "../display/end-of-run"
import { createTerminalReporter } from "../display/terminal"
import { type PipelineResult, prompt2model } from "../pipeline"
import { exists } from "../store/atomic"
import { openRunFolder } from "../store/run"
import {
  defaultRunFolder,
  engineOption,
  hubOption,
  maxUsdOption,
  outOption,
  readEngine,
  readHub,
  readPrompt,
  readTeacher,
  seedOption,
  signalOfInterrupt,
  teacherOption,
} from "./shared-options"
import { type Command, numberOption, textOption } from "./usage"

export const runCommand: Command = {
  name: "run",
  subject: "PROMPT.txt",
  numSubjects: 1,
  summary: "makes a model out of a prompt: retrieve, generate, fine-tune, evaluate; the same command again goes on",
  options: {
    teacher: teacherOption,
    hub: hubOption,
    engine: engineOption,
    test: {
      value: "PATH",
      summary: "rows with right answers to evaluate on (default: PROMPT.test.jsonl where it is there, else a tenth of the rows)",
    },
    "num-examples": { value: "N", summary: "rows to let the teacher make (default 2000, or all of a recording)" },
    epochs: { value: "N", summary: "passes over the training rows (default: by the base model and the number of rows)" },
    "max-usd": maxUsdOption,
    seed: seedOption,
    out: outOption,
  },
  async run(words) {
    const [path] = words.subjects
    const options = {
      seed: numberOption(words, "seed", { isWhole: true }),
      maxUsd: numberOption(words, "max-usd"),
      engine: readEngine(words),
      hub: readHub(words),
    }
    const numExamples = numberOption(words, "num-examples", { isWhole: true, least: 1 })
    const epochs = numberOption(words, "epochs", { isWhole: true, least: 1 })
    const out = textOption(words, "out") ?? defaultRunFolder(path)
    const text = await readPrompt(path)
    const teacher = await readTeacher(words)
    const test = await readTest(textOption(words, "test"), path)
    const reporter = createTerminalReporter({
      stream: process.stderr,
      isTerminal: process.stderr.isTTY ?? false,
      title: "Prompt2Model",
      subtitle: `${basename(path)} -> ${out}${teacher.isSimulated ? "   no key, no network: the teacher is simulated" : ""}`,
      stages,
    })
    const run = await openRunFolder(out, { ...options, teacher, signal: signalOfInterrupt(reporter), reporter })
    try {
      const result = await prompt2model(text, { run, test, numExamples, training: { epochs } })
      reporter.close()
      const facts = describeEnd(result, {
        out,
        spending: run.spending,
        maxUsd: options.maxUsd,
        isTeacherSimulated: teacher.isSimulated ?? false,
      })
      process.stdout.write(
        `\n${renderEndOfRun(facts, { width: process.stdout.columns, isColoured: process.stdout.isTTY && !process.env.NO_COLOR })}`,
      )
      return 0
    } finally {
      reporter.close()
      await teacher.close?.()
    }
  },
}

/** The stages of a run, in order, so that those to come are seen. */
const stages = [
  "parsePrompt",
  "retrieveDatasets",
  "loadDataset",
  "transformDataset",
  "generateDataset",
  "processDatasets",
  "retrieveModels",
  "loadModel",
  "fineTune",
  "evaluate",
]

interface EndFacts {
  readonly out: string
  readonly spending: Spending
  readonly maxUsd?: number
  readonly isTeacherSimulated: boolean
}

function describeEnd(result: PipelineResult, { out, spending, maxUsd, isTeacherSimulated }: EndFacts): EndOfRun {
  const { report, splits, retrieved, generated, trained, spec } = result
  const rejected = new Map<string, number>()
  for (const dataset of [retrieved, generated]) {
    for (const { reason, rows } of dataset?.rejectedByReason ?? []) rejected.set(reason, (rejected.get(reason) ?? 0) + rows)
  }
  for (const { reason } of splits.rejected) rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
  const here = relative(process.cwd(), out) || "."
  const inFolder = (name: string) => join(here, name)
  return {
    title: titleOf(spec),
    status: generated.status === "partial" || trained.status === "partial" ? "partial" : "done",
    reason: generated.reason ?? trained.reason,
    report: report.toPayload(),
    right: report.right(3).map(({ input, predicted }) => ({ input, answer: predicted })),
    wrong: report.worst(3).map(({ input, predicted, expected }) => ({ input, answer: predicted, expected })),
    rows: {
      sources: splits.train.sources,
      splits: (["train", "validation", "test"] as const).map((name) => ({ name, rows: splits[name].length })),
      rejected: [...rejected].map(([reason, rows]) => ({ reason, rows })).sort((a, b) => b.rows - a.rows),
    },
    cost: { ...spending, seconds: result.seconds, maxUsd, peakBytes: process.resourceUsage().maxRSS * 1024 },
    isTeacherSimulated,
    files: [
      { path: here, what: "the run: run.json, events.jsonl, every stage's result" },
      { path: inFolder("student"), what: "the model, a folder that transformers loads too" },
      { path: inFolder("datasets"), what: "all rows as Parquet, each with where it came from" },
      { path: inFolder("report.html"), what: "all results on one page" },
    ],
    nextCommands: [
      { command: `npx prompt2model serve ${here}`, what: "a page on this machine to type into" },
      { command: `npx prompt2model predict --student ${inFolder("student")} --input FILE.jsonl`, what: "answers for a file" },
      { command: "npx prompt2model run PROMPT.txt --teacher openai:gpt-6-luna", what: "a prompt of your own, with a real teacher" },
    ],
  }
}

/** The rows to evaluate on: those named, or those beside the prompt. */
async function readTest(named: string | undefined, promptPath: string): Promise<Dataset | undefined> {
  const beside = `${promptPath.replace(/\.[^./\\]*$/, "")}.test.jsonl`
  const path = named ?? ((await exists(beside)) ? beside : undefined)
  if (!path) return undefined
  const test = await Dataset.from(path)
  if (test.length === 0) throw new InputError("test.empty", `${path} has no rows: give a file with input and output columns.`)
  return test
}
