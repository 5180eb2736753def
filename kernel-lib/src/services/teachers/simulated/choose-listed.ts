// Choices between listed things, made by the words that their descriptions share with the task: what the simulated teacher has for judgement.
import type { Random } from "../../../core/random"
import { fromIso } from "./calendar"
import { findExamples } from "./read-examples"

/** How far one random unit of judgement may be off at temperature 1, in shared words. */
const noise = 0.4
/** Words that a description must share with the task to be taken for the same subject. */
const leastShared = 3
const commonWords = new Set(
  "the and for with from that this into are was were its one two dataset datasets task tasks description columns sample row name input output example examples text word form written as".split(
    " ",
  ),
)

/** The name of the listed dataset that fits the task best: its rows hold answers of the examples' form, and its words are the task's. */
export function chooseDataset(message: string, temperature: number, random: Random): string {
  const [task, ...entries] = message.split(/^\s*[-*]\s+name:\s*/m)
  const wanted = wordsOf(task)
  const forms = new Set(findExamples(task).examples.map(({ output }) => formOf(output)))
  let best = { name: "none", score: leastShared }
  for (const entry of entries) {
    const isOfForm = forms.size === 0 || Object.values(readSample(entry)).some((value) => forms.has(formOf(String(value))))
    const shared = [...wordsOf(entry)].filter((word) => wanted.has(word)).length
    const score = shared + noise * temperature * random.normal()
    if (isOfForm && score >= best.score) best = { name: entry.split("\n", 1)[0].trim(), score }
  }
  return best.name
}

/** Digits one by one, letters as one: `1999-05-03` and `2024-12-31` have the same form. */
function formOf(text: string): string {
  return text
    .trim()
    .replace(/\d/g, "0")
    .replace(/\p{L}+/gu, "a")
}

/** The columns for input and output, by a sample row's form and by usual names. */
export function chooseColumns(message: string): { input: string[]; output: string } {
  const columns = (/^\s*columns:\s*(.+)$/im.exec(message)?.[1] ?? "").split(",").map((name) => name.trim())
  const sample = readSample(message)
  const output =
    columns.find((name) => fromIso(String(sample[name] ?? "")) !== undefined) ??
    columns.find((name) => /output|target|label|answer|iso/i.test(name)) ??
    columns[columns.length - 1]
  const others = columns.filter((name) => name !== output && !/^(?:id|idx|index)$/i.test(name))
  const input = others.find((name) => /input|source|text|question|date|written/i.test(name)) ?? others[0]
  return { input: input === undefined ? [] : [input], output }
}

function readSample(message: string): Record<string, unknown> {
  try {
    return JSON.parse(/^\s*sample row:\s*(\{.*\})\s*$/im.exec(message)?.[1] ?? "{}")
  } catch {
    return {}
  }
}

/** Words of three letters and more, singular where that is a matter of one `s`. */
function wordsOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\d]{3,}/gu) ?? []
  return new Set(words.filter((word) => !commonWords.has(word)).map((word) => (word.length > 3 ? word.replace(/s$/, "") : word)))
}
