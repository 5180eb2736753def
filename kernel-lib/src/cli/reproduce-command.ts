// prompt2model reproduce: a table of the paper, from the authors' artefacts.
import { renderText } from "../display/text"
import { reproduceTable, type TableName, tableNames } from "../experiments"
import { jsonOption } from "./shared-options"
import { type Command, textOption } from "./usage"

export const reproduceCommand: Command = {
  name: "reproduce",
  subject: "TABLE",
  numSubjects: 1,
  summary: `recomputes a table of the paper: ${tableNames.join(", ")}`,
  options: {
    artifacts: { value: "FOLDER", summary: "a clone of github.com/zhaochenyang20/prompt2model_test", isRequired: true },
    json: jsonOption,
  },
  async run(words) {
    const table = await reproduceTable(words.subjects[0] as TableName, { artifacts: textOption(words, "artifacts") ?? "" })
    // Into a file or a pipe goes every name as a whole.
    const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
    process.stdout.write(words.values.json ? `${JSON.stringify(table)}\n` : `${renderText(table.toPayload(), width)}\n`)
    return 0
  },
}
