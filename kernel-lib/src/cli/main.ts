// The command line: thin, the same names as the library. Results go to stdout, progress and errors to stderr.
// Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted with the work saved.
import { isPrompt2ModelError, messageOf } from "../core/errors"
import { describeEnginesCommand } from "./engines-command"
import { exportCommand } from "./export-command"
import { generateCommand } from "./generate-command"
import { indexCommand } from "./index-command"
import { predictCommand } from "./predict-command"
import { reproduceCommand } from "./reproduce-command"
import { retrieveCommand } from "./retrieve-command"
import { runCommand } from "./run-command"
import { scoreCommand } from "./score-command"
import { serveCommand } from "./serve-command"
import { type Command, parseWords, renderHelp, renderUsage, UsageError } from "./usage"
import { packageVersion } from "./version"
import { workerCommand } from "./worker-command"

const commands: readonly Command[] = [
  runCommand,
  retrieveCommand,
  indexCommand,
  generateCommand,
  predictCommand,
  scoreCommand,
  reproduceCommand,
  serveCommand,
  exportCommand,
  workerCommand,
  describeEnginesCommand,
]

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${packageVersion()}\n`)
    return 0
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const asked = commands.find((command) => command.name === rest[0])
    const isWrongUse = name === undefined
    ;(isWrongUse ? process.stderr : process.stdout).write(asked ? renderUsage(asked) : renderHelp(commands))
    return isWrongUse ? 2 : 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (!command) throw new UsageError(`There is no command ${name}; there are ${commands.map((known) => known.name).join(", ")}.`)
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(renderUsage(command))
    return 0
  }
  return command.run(parseWords(command, rest))
}

/** One sentence on stderr, and the exit code that goes with it. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`)
    return 2
  }
  if (isPrompt2ModelError(error)) {
    process.stderr.write(`${error.message}\n`)
    if (process.env.PROMPT2MODEL_DEBUG) process.stderr.write(`${error.code}\n${error.stack}\n`)
    return error.code === "run.interrupted" ? 130 : 1
  }
  process.stderr.write(`Unexpected error: ${messageOf(error)}\n`)
  process.stderr.write(
    process.env.PROMPT2MODEL_DEBUG && error instanceof Error
      ? `${error.stack}\n`
      : "This is a fault of prompt2model; set PROMPT2MODEL_DEBUG=1 to see where it came from.\n",
  )
  return 1
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that closed the pipe (`| head`) wants nothing more.
  if (error.code === "EPIPE") process.exit(0)
})
main(process.argv.slice(2))
  .catch(explain)
  .then(async (code) => {
    // What a slow reader has not taken yet would be lost with the process.
    for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write("", resolve))
    process.exit(code)
  })
