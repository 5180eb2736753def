// prompt2model retrieve: the datasets and base models that fit a prompt.
import { inspect } from "node:util"
import { parsePrompt } from "../stages/parse-prompt/parse-prompt"
import { retrieveDatasets } from "../stages/retrieve-datasets/retrieve-datasets"
import { retrieveModels } from "../stages/retrieve-models/retrieve-models"
import { ephemeralRun } from "../store/run"
import { loadEmbedder } from "../students"
import {
  embedderOption,
  hubOption,
  indexOption,
  jsonOption,
  readHub,
  readPrompt,
  readTeacher,
  signalOfInterrupt,
  teacherOption,
  terminalReporter,
} from "./shared-options"
import { type Command, textOption } from "./usage"

export const retrieveCommand: Command = {
  name: "retrieve",
  subject: "PROMPT.txt",
  numSubjects: 1,
  summary: "finds datasets and base models for a prompt, and says why each ranks where it does",
  options: { hub: hubOption, index: indexOption, embedder: embedderOption, teacher: teacherOption, json: jsonOption },
  async run(words) {
    const reporter = terminalReporter()
    const text = await readPrompt(words.subjects[0])
    const model = textOption(words, "embedder")
    const embedder = model === undefined ? undefined : await loadEmbedder(model)
    const run = ephemeralRun({
      teacher: await readTeacher(words),
      hub: readHub(words, embedder),
      signal: signalOfInterrupt(reporter),
      reporter,
    })
    const spec = await parsePrompt(text, { run })
    const datasets = await retrieveDatasets(spec, { run })
    const models = await retrieveModels(spec, { run })
    embedder?.dispose()
    if (words.values.json) {
      for (const { card, configuration, split, inputColumns, outputColumn, score, votes, why, isChosen } of datasets) {
        writeLine({
          kind: "dataset",
          id: card.id,
          configuration,
          split,
          inputColumns,
          outputColumn,
          score,
          votes,
          why,
          isChosen,
          license: card.license,
          access: card.access,
        })
      }
      for (const { card, score, why, isChosen } of models)
        writeLine({ kind: "model", id: card.id, architecture: card.architecture, parameters: card.parameters, score, why, isChosen })
    } else {
      process.stdout.write(`${inspect(datasets)}\n\n${inspect(models)}\n`)
    }
    return 0
  },
}

function writeLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
