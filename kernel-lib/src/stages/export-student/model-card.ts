// The model card of a bundle: README.md with the front matter that the Hugging Face hub reads. Everything in it that came from data stands
// in code, so that it can say what it likes and mean nothing.
import { countOf, formatCount, formatUsd } from "../../display/wording"
import { metricNamed } from "../../measures/metrics"
import type { ExportFormat } from "../../students/export"
import type { CardFacts } from "./card-facts"
import { describeAgreement, describeScore, type ExportData, formatBytes } from "./student-export"
import { describeUse, taskOf } from "./use-snippets"

export interface CardParts {
  readonly data: ExportData
  readonly facts: CardFacts
  readonly architecture: string
  /** transformers' class: `T5ForConditionalGeneration`. */
  readonly modelClass: string
  /** The text that the model reads, with `{input}` where the input goes. */
  readonly template: string
  readonly history?: Readonly<Record<string, unknown>>
  readonly hasPage: boolean
}

const libraries: Readonly<Record<ExportFormat, string>> = {
  huggingface: "transformers",
  onnx: "transformers.js",
  "onnx-int8": "transformers.js",
  gguf: "llama.cpp",
  "gguf-q8_0": "llama.cpp",
}

export function writeModelCard(parts: CardParts): string {
  const { data } = parts
  const sections = [
    writeFrontMatter(parts),
    `# ${escapeMarkdown(data.student.name)}`,
    `A model of type ${code(parts.architecture)} with ${formatCount(data.student.parameters)} parameters, made with prompt2model and exported as ${data.format}.`,
    writeTask(parts.facts),
    writeCertificate(data),
    describeUse(data.format, parts.modelClass, parts.hasPage),
    writeData(parts.facts),
    writeTraining(parts),
    `## Prompt template\n\nThe model reads this, with the input in place of \`{input}\`:\n\n${fence(parts.template)}`,
    writeFiles(data),
  ]
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`
}

/** JSON's texts are YAML's too. */
function writeFrontMatter({ data, facts, architecture, modelClass }: CardParts): string {
  const list = (values: readonly string[]) => values.map((value) => `\n- ${JSON.stringify(value)}`).join("")
  const datasets = facts.sources.filter(({ kind }) => kind === "retrieved").map(({ name }) => name)
  return [
    "---",
    `license: ${JSON.stringify(facts.license)}`,
    `library_name: ${libraries[data.format]}`,
    `pipeline_tag: ${taskOf(modelClass)}`,
    ...(facts.baseModel ? [`base_model: ${JSON.stringify(facts.baseModel.id)}`] : []),
    ...(datasets.length > 0 ? [`datasets:${list(datasets)}`] : []),
    `tags:${list(["prompt2model", architecture, data.format])}`,
    "---",
  ].join("\n")
}

function writeTask({ instruction, examples }: CardFacts): string {
  if (instruction === undefined) return ""
  const tries = examples.length > 0 ? `\n\nInputs from the prompt:\n\n${fence(examples.join("\n"))}` : ""
  return `## Task\n\n${fence(instruction)}${tries}`
}

function writeCertificate({ certificate, student, files, format, notes }: ExportData): string {
  const said = notes.map((note) => `\n\n${note}`).join("")
  if (!certificate) return `## Certificate\n\nThis bundle was not run on test rows.${said}`
  const metrics = certificate.metrics.map(metricNamed)
  const size = files.filter(({ name }) => /\.(onnx|safetensors|gguf)$/.test(name)).reduce((sum, { bytes }) => sum + bytes, 0)
  const row = (name: string, agreement: string, bytes: number, system: typeof certificate.student) =>
    `| ${[name, agreement, ...metrics.map((metric) => describeScore(system, metric.name, metric.scale)), formatBytes(bytes), `${(1000 * system.secondsPerAnswer).toFixed(1)} ms`].join(" | ")} |`
  const head = ["system", "same answers", ...metrics.map(({ label }) => `${label} (95% interval)`), "weights", "one answer"]
  const differing = certificate.disagreements
    .slice(0, 20)
    .map((one) => `- row ${one.row}, ${code(one.input)}: the student answers ${code(one.student)}, the export ${code(one.export)}`)
  const listed =
    certificate.disagreements.length === 0
      ? "The export answers every row as the student does."
      : `${countOf(certificate.disagreements.length, "row")} differ${certificate.disagreements.length === 1 ? "s" : ""}; all are in export.json:\n\n${differing.join("\n")}`
  return [
    `## Certificate\n\n${countOf(certificate.rows, "test row")}, answered by ${certificate.runtime} beside the student itself:`,
    `| ${head.join(" | ")} |\n|${head.map(() => " --- |").join("")}\n${row("student", "", student.bytes, certificate.student)}\n${row(format, describeAgreement(certificate), size, certificate.export)}`,
    `${listed}${said}`,
  ].join("\n\n")
}

function writeData({ sources, numTrainRows, teacher, spending, sent }: CardFacts): string {
  if (sources.length === 0) return "## Data\n\nNothing is known of the rows that it learned from."
  const generated = sources.filter(({ kind }) => kind === "generated").reduce((sum, { rows }) => sum + rows, 0)
  const lines = sources.map(
    ({ name, rows, kind, license }) => `| ${code(name)} | ${kind} | ${formatCount(rows)} | ${escapeMarkdown(license)} |`,
  )
  const cost = spending
    ? ` The teacher${teacher === undefined ? "" : `, ${code(teacher)},`} was asked ${countOf(spending.requestsSent + spending.requestsReused, "time")} and cost ${formatUsd(spending.usd)}.`
    : ""
  const left = sent.map(
    ({ to, purpose, requests, usd }) => `- ${code(to)}, ${escapeMarkdown(purpose)}: ${countOf(requests, "request")}, ${formatUsd(usd)}`,
  )
  return [
    `## Data\n\n${countOf(numTrainRows, "training row")}, ${Math.round((100 * generated) / Math.max(1, numTrainRows))}% of them generated by a model.${cost}`,
    `| source | kind | rows | licence |\n| --- | --- | --- | --- |\n${lines.join("\n")}`,
    ...(left.length > 0 ? [`What left the machine:\n\n${left.join("\n")}`] : []),
  ].join("\n\n")
}

function writeTraining({ facts, history, data }: CardParts): string {
  const base = facts.baseModel ? `Trained from ${code(facts.baseModel.id)} (licence ${escapeMarkdown(facts.baseModel.license)}). ` : ""
  const settings = history ? `\n\n${fence(JSON.stringify(history, null, 2), "json")}` : ""
  return `## Training\n\n${base}Fingerprint of the student: \`${data.student.fingerprint}\`.${settings}`
}

function writeFiles({ files }: ExportData): string {
  const lines = files.map(({ name, bytes, sha256 }) => `| ${code(name)} | ${formatCount(bytes)} | \`${sha256}\` |`)
  return `## Files\n\n| file | bytes | SHA-256 |\n| --- | --- | --- |\n${lines.join("\n")}`
}

/** A block of text, whatever stands in it. */
function fence(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const ticks = "`".repeat(longest + 1)
  return `${ticks}${language}\n${text}\n${ticks}`
}

/** Text in a line or in a table's cell, whatever stands in it. */
function code(text: string): string {
  const flat = text.slice(0, 200).replace(/\s+/g, " ").replaceAll("|", "\\|")
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const ticks = "`".repeat(longest + 1)
  const isPadded = flat.startsWith("`") || flat.endsWith("`")
  return flat === "" ? "(empty)" : `${ticks}${isPadded ? ` ${flat} ` : flat}${ticks}`
}

function escapeMarkdown(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>#|~]/g, "\\$&")
}
