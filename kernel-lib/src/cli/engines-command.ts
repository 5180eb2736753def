// prompt2model engines: what can train and answer on this machine, what would be chosen and why, and how to get the others.
import { describeEngines } from "../engine"
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
    for (const engine of engines) {
      const { name, isAvailable, isChosen, runtime, reason, howToGet } = engine
      const line = `${isChosen ? "*" : " "} ${name.padEnd(11)} ${isAvailable ? (runtime ?? "here") : "not here"}. ${reason}${howToGet ? ` ${howToGet}` : ""}`
      process.stdout.write(`${words.values.json ? JSON.stringify(engine) : line}\n`)
    }
    return 0
  },
}
