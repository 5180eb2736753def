// prompt2model score: metrics of predictions in a file or a folder.
import { type Answer, bertScore, describeMetric, metricNamed, needsEncoder, type Reference, readPredictions } from "../measures"
import { readTable } from "../store/tables"
import { loadTokenEncoder } from "../students"
import { jsonOption } from "./shared-options"
import { type Command, numberOption, textOption, UsageError, type Words } from "./usage"

export const scoreCommand: Command = {
  name: "score",
  subject: "",
  numSubjects: 0,
  summary: "scores predictions against references",
  options: {
    predictions: { value: "PATH", summary: "a Hugging Face save_to_disk folder, .parquet, .jsonl, .csv or .arrow", isRequired: true },
    hypothesis: { value: "COLUMN", summary: "column of the predictions", isRequired: true },
    reference: {
      value: "COLUMN",
      summary: "column of the right answers, texts or lists of them; several columns with commas",
      isRequired: true,
    },
    metrics: { value: "LIST", summary: "names with commas: chrF++,exactMatch", isRequired: true },
    split: { value: "NAME", summary: "which split of a folder that holds several" },
    encoder: { value: "FOLDER", summary: "a BERT, for BERTScore" },
    layer: { value: "N", summary: "the encoder's layer (default: its last)" },
    idf: { summary: "BERTScore with tokens that are rare in the references counting more" },
    json: jsonOption,
  },
  async run(words) {
    const metrics = readMetrics(words)
    const [path, hypothesis, reference] = ["predictions", "hypothesis", "reference"].map((name) => textOption(words, name) ?? "")
    const table = await readTable(path, { split: textOption(words, "split") })
    // A name may have commas in it.
    const columns = table.columns.includes(reference) ? reference : splitList(reference)
    const { answers, references } = readPredictions(table, { hypothesis, reference: columns })
    const scores: Record<string, number> = {}
    for (const metric of metrics)
      scores[metric] = needsEncoder(metric)
        ? await scoreByEncoder(answers, references, words)
        : metricNamed(metric).corpus(answers, references)
    if (words.values.json) process.stdout.write(`${JSON.stringify({ rows: answers.length, scores })}\n`)
    else writeScores(answers.length, scores)
    return 0
  },
}

/** @throws UsageError where nothing is named, or an encoder is; InputError `metric.unknown` */
function readMetrics(words: Words): string[] {
  const metrics = splitList(textOption(words, "metrics") ?? "")
  if (metrics.length === 0) throw new UsageError("--metrics takes names with commas between them, for instance chrF++,exactMatch.")
  for (const metric of metrics) {
    const { label } = describeMetric(metric)
    if (needsEncoder(metric) && !textOption(words, "encoder"))
      throw new UsageError(`${label} needs --encoder FOLDER, the folder of a BERT, RoBERTa, DistilBERT or MPNet.`)
  }
  return metrics
}

async function scoreByEncoder(answers: readonly Answer[], references: readonly Reference[], words: Words): Promise<number> {
  const layer = numberOption(words, "layer", { isWhole: true, least: 1 })
  const encoder = await loadTokenEncoder(textOption(words, "encoder") ?? "", { layer })
  try {
    return (await bertScore(answers, references, { encoder, useIdf: words.values.idf === true })).f1
  } finally {
    encoder.dispose()
  }
}

function writeScores(rows: number, scores: Readonly<Record<string, number>>): void {
  const width = Math.max(...Object.keys(scores).map((name) => name.length))
  const lines = Object.entries(scores).map(([name, score]) => `${name.padEnd(width)}  ${score.toFixed(4)}\n`)
  process.stdout.write(`${rows} rows\n${lines.join("")}`)
}

function splitList(text: string): string[] {
  const names = text.split(",").map((name) => name.trim())
  return [...new Set(names)].filter((name) => name !== "")
}
