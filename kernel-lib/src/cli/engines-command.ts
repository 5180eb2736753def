// prompt2model engines: what can train and answer on this machine, what would be chosen and why, and how to get the others.
import { describeEngines, type EngineDescription } from "../engine"
import { jsonOption } from "./shared-options"
import type { Command } from "./usage"

export const describeEnginesCommand: Command = {
  name: "engines",
  subject: "",
  numSubjects: 0,
  summary: "says which engines are on this machine, which is chosen and why, and how to get the others",
  options: { json: jsonOption },
  async run(words) {
    const engines = await describeEngines()
    for (const engine of engines) process.stdout.write(`${words.values.json ? JSON.stringify(engine) : describe(engine)}\n`)
    return 0
  },
}

function describe({ name, isAvailable, isChosen, runtime, reason, howToGet, variants = [] }: EngineDescription): string {
  const line = `${isChosen ? "*" : " "} ${name.padEnd(11)} ${isAvailable ? (runtime ?? "here") : "not here"}. ${addRemedy(reason, howToGet)}`
  const others = variants.map((variant) => {
    return `  ${" ".repeat(11)} ${variant.setting}: ${variant.isAvailable ? "here" : "not here"}. ${addRemedy(variant.reason, variant.howToGet)}`
  })
  return [line, ...others].join("\n")
}

function addRemedy(sentence: string, howToGet: string | undefined): string {
  return howToGet ? `${sentence} To get it: ${howToGet}` : sentence
}
