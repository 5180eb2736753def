// prompt2model score: metrics of predictions in a file or a folder.
import { scorePredictions } from "../measures"
import { readTable } from "../store/tables"
import { jsonOption } from "./shared-options"
import { type Command, textOption } from "./usage"

export const scoreCommand: Command = {
  name: "score",
  subject: "",
  numSubjects: 0,
  summary: "scores predictions against references",
  options: {
    predictions: { value: "PATH", summary: "a Hugging Face save_to_disk folder, .parquet, .jsonl or .csv", isRequired: true },
    hypothesis: { value: "COLUMN", summary: "column of the predictions", isRequired: true },
    reference: { value: "COLUMN", summary: "column of the right answers", isRequired: true },
    metrics: { value: "LIST", summary: "names with commas: chrF++,exactMatch", isRequired: true },
    json: jsonOption,
  },
  async run(words) {
    const [path, hypothesis, reference] = ["predictions", "hypothesis", "reference"].map((name) => textOption(words, name) ?? "")
    const metrics = (textOption(words, "metrics") ?? "").split(",").map((name) => name.trim())
    const table = await readTable(path)
    const { rows, scores } = scorePredictions(table, { hypothesis, reference, metrics })
    if (words.values.json) process.stdout.write(`${JSON.stringify({ rows, scores })}\n`)
    else
      process.stdout.write(
        `${rows} rows\n${Object.entries(scores)
          .map(([name, score]) => `${name.padEnd(14)} ${score.toFixed(4)}\n`)
          .join("")}`,
      )
    return 0
  },
}
