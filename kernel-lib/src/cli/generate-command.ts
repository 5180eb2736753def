// prompt2model generate: training rows for a prompt, from the teacher.

import { generateDataset } from "../stages/generate-dataset/generate-dataset"
import { parsePrompt } from "../stages/parse-prompt/parse-prompt"
import { openRunFolder } from "../store/run"
import { writeDataset } from "../store/tables"
import {
  defaultRunFolder,
  jsonOption,
  maxUsdOption,
  outOption,
  readPrompt,
  readTeacher,
  seedOption,
  signalOfInterrupt,
  teacherOption,
  terminalReporter,
} from "./shared-options"
import { type Command, numberOption, textOption } from "./usage"

export const generateCommand: Command = {
  name: "generate",
  subject: "PROMPT.txt",
  numSubjects: 1,
  summary: "lets the teacher make training rows for a prompt",
  options: {
    "num-examples": { value: "N", summary: "rows to accept", isRequired: true },
    teacher: teacherOption,
    "max-usd": maxUsdOption,
    seed: seedOption,
    out: outOption,
    rows: { value: "FILE.jsonl", summary: "also write the accepted rows here (.jsonl, .csv or .parquet)" },
    json: jsonOption,
  },
  async run(words) {
    const [path] = words.subjects
    const numExamples = numberOption(words, "num-examples", { isWhole: true, least: 1 })
    const [maxUsd, seed] = [numberOption(words, "max-usd"), numberOption(words, "seed", { isWhole: true })]
    const reporter = terminalReporter()
    const text = await readPrompt(path)
    const out = textOption(words, "out") ?? defaultRunFolder(path)
    const run = await openRunFolder(out, {
      teacher: await readTeacher(words),
      seed,
      maxUsd,
      signal: signalOfInterrupt(reporter),
      reporter,
    })
    const generated = await generateDataset(await parsePrompt(text, { run }), { numExamples, run })
    const rowsFile = textOption(words, "rows")
    if (rowsFile) await writeDataset(generated, rowsFile)
    await run.write({
      status: generated.status,
      reason: generated.reason,
      rows: { generated: generated.length },
      spending: { ...run.spending },
    })
    const ledger = {
      status: generated.status,
      reason: generated.reason,
      accepted: generated.length,
      rejected: Object.fromEntries(generated.rejectedByReason.map(({ reason, rows }) => [reason, rows])),
      failed: generated.failed,
      requests: generated.requests,
      usage: { ...generated.usage, usd: generated.usd },
    }
    if (words.values.json) {
      for (const { id, input, output, from } of generated) process.stdout.write(`${JSON.stringify({ id, input, output, from })}\n`)
      process.stdout.write(`${JSON.stringify(ledger)}\n`)
    } else {
      process.stdout.write(`${generated.length} rows in ${rowsFile ?? out}${generated.reason ? ` (${generated.reason})` : ""}\n`)
    }
    return 0
  },
}
