// prompt2model index: keeps an index of a hub's cards in a folder, for `retrieve --index`.
import { type IndexHubOptions, indexHub } from "../services/hubs"
import { loadEmbedder } from "../students"
import { embedderOption, hubOption, jsonOption, readHub, signalOfInterrupt, terminalReporter } from "./shared-options"
import { type Command, choiceOption, textOption } from "./usage"

export const indexCommand: Command = {
  name: "index",
  subject: "FOLDER",
  numSubjects: 1,
  summary: "lists a hub's datasets and models into an index to search in; the same again takes in what was changed since",
  options: {
    hub: hubOption,
    what: { value: "KIND", summary: "both (default), datasets or models" },
    embedder: embedderOption,
    full: { summary: "lists everything again, so that what the hub no longer has leaves" },
    json: jsonOption,
  },
  async run(words) {
    const what = choiceOption(words, "what", ["both", "datasets", "models"] as const, "both")
    const reporter = terminalReporter()
    const model = textOption(words, "embedder")
    const embedder = model === undefined ? undefined : await loadEmbedder(model)
    const indexed = await indexHub(readHub(words), {
      ...{ folder: words.subjects[0], what: what === "both" ? undefined : [what], embedder, isFull: words.values.full === true },
      signal: signalOfInterrupt(reporter),
      onProgress: describeProgress((line) => reporter.notice(line)),
    })
    embedder?.dispose()
    for (const [kind, { folder, cards, listed, filtered, embedded, reused, isFull }] of Object.entries(indexed)) {
      if (words.values.json) {
        process.stdout.write(`${JSON.stringify({ kind, folder, cards, listed, filtered, embedded, reused, isFull })}\n`)
        continue
      }
      const left = Object.entries(filtered).map(([reason, count]) => `${count.toLocaleString("en")} ${reason}`)
      const without = left.length > 0 ? ` (without ${left.join(", ")})` : ""
      process.stdout.write(`${cards.toLocaleString("en")} ${kind} in ${folder}, ${listed.toLocaleString("en")} listed${without}\n`)
    }
    return 0
  },
}

/** A line for every ten thousand entries. */
function describeProgress(write: (line: string) => void): IndexHubOptions["onProgress"] {
  const each = 10_000
  let said = 0
  return ({ what, listed, indexed }) => {
    const step = Math.floor(Math.max(listed, indexed) / each)
    if (step === said) return
    said = step
    if (step > 0) write(indexed > 0 ? `${indexed.toLocaleString("en")} ${what} indexed` : `${listed.toLocaleString("en")} ${what} listed`)
  }
}
