// prompt2model reproduce: a table of the paper from the authors' artefacts, or a training on their rows.
import { renderText } from "../display/text"
import { type ReproduceTrainingOptions, reproduceTable, reproduceTraining, type TableName, tableNames, trainingNames } from "../experiments"
import { openRunFolder } from "../store/run"
import { engineOption, hubOption, jsonOption, readEngine, readHub, seedOption, signalOfInterrupt, terminalReporter } from "./shared-options"
import { type Command, numberOption, textOption, UsageError, type Words } from "./usage"

const trainings = new Map(trainingNames.map((name) => [`${name}-training`, name]))
/** Options that only a training takes. */
const trainingOptions = {
  rows: { value: "LIST", summary: "a training: sizes of the training set, for the curve (default a quarter, half, all)" },
  epochs: { value: "LIST", summary: "a training: passes over the rows, for the curve (default 1,10, or 1,5 for a small base)" },
  seeds: { value: "LIST", summary: "a training: seeds, each of which does all of it (default --seed)" },
  model: { value: "M", summary: "a training: the base, of the hub or a folder (default Flan-T5, or a bundled one where the hub has none)" },
  generated: { value: "NAME", summary: "a training: which of the teacher's rows" },
  hub: hubOption,
  engine: engineOption,
  seed: seedOption,
  out: { value: "FOLDER", summary: "a training: its run folder (default runs/TABLE); the same command again goes on there" },
}

export const reproduceCommand: Command = {
  name: "reproduce",
  subject: "TABLE",
  numSubjects: 1,
  summary: `recomputes a table of the paper: ${tableNames.join(", ")}; or trains on its rows: ${[...trainings.keys()].join(", ")}`,
  options: {
    artifacts: { value: "FOLDER", summary: "a clone of github.com/zhaochenyang20/prompt2model_test", isRequired: true },
    ...trainingOptions,
    json: jsonOption,
  },
  async run(words) {
    const [name] = words.subjects
    const artifacts = textOption(words, "artifacts") ?? ""
    const training = trainings.get(name)
    if (!training) refuseTrainingOptions(name, words)
    const result = training
      ? await reproduceTraining(training, { artifacts, ...(await readTraining(name, words)) })
      : await reproduceTable(name as TableName, { artifacts })
    // Into a file or a pipe goes every name as a whole.
    const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
    process.stdout.write(words.values.json ? `${JSON.stringify(result)}\n` : `${renderText(result.toPayload(), width)}\n`)
    return 0
  },
}

async function readTraining(name: string, words: Words): Promise<Omit<ReproduceTrainingOptions, "artifacts">> {
  const options = {
    ...{ rows: listOption(words, "rows"), epochs: listOption(words, "epochs"), seeds: listOption(words, "seeds", 0) },
    ...{ model: textOption(words, "model"), generated: textOption(words, "generated") },
  }
  const reporter = terminalReporter()
  const run = await openRunFolder(textOption(words, "out") ?? `runs/${name}`, {
    ...{ hub: readHub(words), engine: readEngine(words), seed: numberOption(words, "seed", { isWhole: true }) },
    ...{ reporter, signal: signalOfInterrupt(reporter) },
  })
  return { ...options, run }
}

/** Whole numbers with commas between them. @throws UsageError */
function listOption(words: Words, name: string, least = 1): number[] | undefined {
  const text = textOption(words, name)
  if (text === undefined) return undefined
  const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)))
  if (values.every((value) => Number.isSafeInteger(value) && value >= least)) return values
  throw new UsageError(`--${name} takes whole numbers of at least ${least} with commas between them, not ${text}.`)
}

function refuseTrainingOptions(name: string, { values }: Words): void {
  const given = Object.keys(trainingOptions).find((option) => values[option] !== undefined)
  if (given !== undefined)
    throw new UsageError(
      `--${given} is for trainings (${[...trainings.keys()].join(", ")}): the table ${name} is made of stored predictions.`,
    )
}
