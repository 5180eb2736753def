// prompt2model predict: answers of a student folder, ours or one that transformers wrote, for a file of inputs.
import { InputError } from "../core/errors"
import type { Decoding } from "../core/student"
import { readTable } from "../store/tables"
import { loadStudent } from "../students"
import { engineOption, jsonOption, readEngine, signalOfInterrupt } from "./shared-options"
import { type Command, numberOption, textOption, UsageError, type Words } from "./usage"

export const predictCommand: Command = {
  name: "predict",
  subject: "",
  numSubjects: 0,
  summary: "answers each row of a file",
  options: {
    student: { value: "FOLDER", summary: "a student, ours or one that transformers wrote", isRequired: true },
    input: { value: "FILE.jsonl", summary: "rows with a column input (.jsonl, .csv, .parquet)", isRequired: true },
    decoding: { value: "D", summary: "greedy (default), beam:K, top-k:K or top-p:P" },
    "max-new-tokens": { value: "N", summary: "most new tokens of an answer" },
    engine: engineOption,
    json: jsonOption,
  },
  async run(words) {
    const file = textOption(words, "input") ?? ""
    const decoding = readDecoding(words)
    const maxNewTokens = numberOption(words, "max-new-tokens", { isWhole: true, least: 1 })
    const table = await readTable(file)
    const column = ["input", "input_col"].find((name) => table.columns.includes(name))
    if (!column) throw new InputError("predict.no-input", `${file} has no column input; it has ${table.columns.join(", ") || "none"}.`)
    const student = await loadStudent(textOption(words, "student") ?? "", { engine: readEngine(words) })
    const inputs = table.rows.map((row) => String(row[column] ?? ""))
    const predictions = await student.predict(inputs, { decoding, maxNewTokens, signal: signalOfInterrupt() })
    for (const { output, tokens, confidence } of predictions) {
      process.stdout.write(words.values.json ? `${JSON.stringify({ output, tokens, confidence })}\n` : `${output}\n`)
    }
    return 0
  },
}

/** @throws UsageError */
function readDecoding(words: Words): Decoding | undefined {
  const text = textOption(words, "decoding")
  if (text === undefined) return undefined
  if (text === "greedy") return { kind: "greedy" }
  const [kind, number] = text.split(":")
  const value = Number(number)
  if (kind === "beam" && Number.isInteger(value) && value >= 1) return { kind, beams: value }
  if (kind === "top-k" && Number.isInteger(value) && value >= 1) return { kind, k: value }
  if (kind === "top-p" && value > 0 && value <= 1) return { kind, p: value }
  throw new UsageError(`--decoding is greedy, beam:K, top-k:K or top-p:P, not ${text}.`)
}
