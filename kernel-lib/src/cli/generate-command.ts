// prompt2model generate: training rows for a prompt, from the teacher.

import { type OpenAITeacherOptions, teacherFromName } from "../services/teachers"
import { type GeneratedDataset, generateDataset } from "../stages/generate-dataset/generate-dataset"
import { parsePrompt } from "../stages/parse-prompt/parse-prompt"
import { exportResponses } from "../store/exported-responses"
import { openRunFolder } from "../store/run"
import { writeDataset } from "../store/tables"
import {
  defaultRunFolder,
  jsonOption,
  maxUsdOption,
  outOption,
  readPrompt,
  seedOption,
  signalOfInterrupt,
  teacherOption,
  terminalReporter,
} from "./shared-options"
import { type Command, numberOption, textOption, type Words } from "./usage"

export const generateCommand: Command = {
  name: "generate",
  subject: "PROMPT.txt",
  numSubjects: 1,
  summary: "lets the teacher make training rows for a prompt; the same command again goes on",
  options: {
    "num-examples": { value: "N", summary: "rows to accept", isRequired: true },
    teacher: teacherOption,
    "max-usd": maxUsdOption,
    "max-tokens": { value: "N", summary: "most tokens, in and out together, over the whole run" },
    "max-seconds": { value: "N", summary: "seconds after which nothing more is asked" },
    "max-concurrency": { value: "N", summary: "requests in flight at once (default 16); another number gives other rows" },
    batch: { summary: "with openai:MODEL, ask through the batch API: half the price, within a day" },
    "reasoning-effort": { value: "E", summary: "with openai:MODEL, how much a reasoning model thinks: none, low, medium, high ..." },
    seed: seedOption,
    out: outOption,
    rows: { value: "FILE.jsonl", summary: "also write the accepted rows here (.jsonl, .csv or .parquet)" },
    "export-responses": {
      value: "FILE.jsonl.gz",
      summary: "also write the teacher's answers here; --teacher recorded:FILE replays them without a key",
    },
    json: jsonOption,
  },
  async run(words) {
    const [path] = words.subjects
    const numExamples = numberOption(words, "num-examples", { isWhole: true, least: 1 })
    const maxConcurrency = numberOption(words, "max-concurrency", { isWhole: true, least: 1 })
    const limits = {
      maxUsd: numberOption(words, "max-usd"),
      maxTokens: numberOption(words, "max-tokens", { isWhole: true }),
      maxSeconds: numberOption(words, "max-seconds"),
    }
    const seed = numberOption(words, "seed", { isWhole: true })
    const reporter = terminalReporter()
    const text = await readPrompt(path)
    const out = textOption(words, "out") ?? defaultRunFolder(path)
    const reasoningEffort = textOption(words, "reasoning-effort")
    const teacher = await readGenerationTeacher(words, { maxConcurrency, batch: words.values.batch === true, reasoningEffort })
    const run = await openRunFolder(out, { teacher, seed, ...limits, signal: signalOfInterrupt(reporter), reporter })
    const generated = await generateDataset(await parsePrompt(text, { run }), { numExamples, maxConcurrency, run })
    const [rowsFile, responsesFile] = [textOption(words, "rows"), textOption(words, "export-responses")]
    if (rowsFile) await writeDataset(generated, rowsFile)
    if (responsesFile) await exportResponses(run, responsesFile)
    await run.write({
      status: generated.status,
      reason: generated.reason,
      rows: { generated: generated.length },
      spending: { ...run.spending },
    })
    const summary = `${generated.length} rows in ${rowsFile ?? out}${generated.reason ? ` (${generated.reason})` : ""}\n`
    await writeOut(words.values.json ? describeAsJsonLines(generated) : summary)
    await teacher.close?.()
    return 0
  },
}

function readGenerationTeacher(words: Words, openai: OpenAITeacherOptions) {
  return teacherFromName(textOption(words, "teacher") ?? "simulated", { openai })
}

/** The rows, then the ledger: asked = accepted + rejected + failed. */
function describeAsJsonLines(generated: GeneratedDataset): string {
  const { status, reason, asked, failed, requests, usage, usd } = generated
  const rejected = Object.fromEntries(generated.rejectedByReason.map((count) => [count.reason, count.rows]))
  const ledger = { status, reason, asked, accepted: generated.length, rejected, failed, requests, usage: { ...usage, usd } }
  const rows = Array.from(generated, ({ id, input, output, from }) => ({ id, input, output, from }))
  return [...rows, ledger].map((line) => `${JSON.stringify(line)}\n`).join("")
}

/** The process ends with its command: what a slow reader has not taken by then would be lost. */
function writeOut(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}
