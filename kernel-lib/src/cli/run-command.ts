// prompt2model run: the main job, from a prompt to a student with its report.
import { stat } from "node:fs/promises"
import { basename, join, relative } from "node:path"
import { type Dataset, Dataset as Rows } from "../core/dataset"
import { InputError } from "../core/errors"
import { type EndOfRun, renderEndOfRun } from "../display/end-of-run"
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
  terminalReporter,
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
    test: { value: "PATH", summary: "rows with right answers to evaluate on (default: PROMPT.test.jsonl where it is there, else a tenth of the rows)" },
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
    const reporter = terminalReporter("Prompt2Model", `${basename(path)} -> ${out}${teacher.isSimulated ? "   no key, no network: the teacher is simulated" : ""}`)
    const run = await openRunFolder(out, { ...options, teacher, signal: signalOfInterrupt(), reporter })
    try {
      const result = await prompt2model(text, { run, test, numExamples, training: { epochs } })
      process.stdout.write(renderEndOfRun(await describeEnd(result, run.folder, path)))
      return 0
    } finally {
      await teacher.close?.()
    }
  },
}

/** The rows to evaluate on: those named, or those beside the prompt. */
async function readTest(named: string | undefined, promptPath: string): Promise<Dataset | undefined> {
  const beside = promptPath.replace(/\.[^./\\]*$/, "") + ".test.jsonl"
  const path = named ?? ((await exists(beside)) ? beside : undefined)
  if (!path) return undefined
  const test = await Rows.from(path)
  if (test.length === 0) throw new InputError("test.empty", `${path} has no rows: give a file with input and output columns.`)
  return test
}
