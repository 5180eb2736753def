// What a command is, and how its words are read.
import { parseArgs } from "node:util"

export interface Command {
  readonly name: string
  /** Words behind the name, as shown: `PROMPT.txt`. */
  readonly subject: string
  /** How many of them it takes. */
  readonly numSubjects: number
  readonly summary: string
  readonly options: Readonly<Record<string, CommandOption>>
  run(words: Words): Promise<number>
}

export interface CommandOption {
  /** Shown behind the name; without one it is a switch. */
  readonly value?: string
  readonly summary: string
  readonly isRequired?: boolean
}

/** The words of one call. */
export interface Words {
  readonly subjects: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | undefined>>
}

/** The words do not fit the command: exit code 2. */
export class UsageError extends Error {}

/** @throws UsageError where they do not fit the command */
export function parseWords(command: Command, words: readonly string[]): Words {
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] }
  try {
    parsed = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(command.options).map(([name, { value }]) => [
          name,
          { type: value === undefined ? ("boolean" as const) : ("string" as const) },
        ]),
      ),
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(". ")[0]}. See prompt2model ${command.name} --help.`)
  }
  if (parsed.positionals.length !== command.numSubjects) {
    throw new UsageError(
      `prompt2model ${command.name} takes ${command.numSubjects === 0 ? "no word" : command.subject} behind its name. See prompt2model ${command.name} --help.`,
    )
  }
  for (const [name, { isRequired, value }] of Object.entries(command.options)) {
    if (isRequired && parsed.values[name] === undefined) throw new UsageError(`prompt2model ${command.name} needs --${name} ${value}.`)
  }
  return { subjects: parsed.positionals, values: parsed.values }
}

/** A text option. */
export function textOption({ values }: Words, name: string): string | undefined {
  const value = values[name]
  return typeof value === "string" ? value : undefined
}

/** A number option. @throws UsageError */
export function numberOption(words: Words, name: string, { isWhole = false, least = 0 } = {}): number | undefined {
  const text = textOption(words, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === "" || !Number.isFinite(value) || value < least || (isWhole && !Number.isInteger(value))) {
    throw new UsageError(`--${name} takes a ${isWhole ? "whole " : ""}number of at least ${least}, not ${text}.`)
  }
  return value
}

/** An option with fixed choices. @throws UsageError */
export function choiceOption<Choice extends string>(words: Words, name: string, choices: readonly Choice[], usual: Choice): Choice {
  const text = textOption(words, name)
  if (text === undefined) return usual
  if (!choices.includes(text as Choice)) throw new UsageError(`--${name} is one of ${choices.join(", ")}, not ${text}.`)
  return text as Choice
}

export function renderUsage(command: Command): string {
  const width = Math.max(0, ...Object.entries(command.options).map(([name, { value }]) => `--${name} ${value ?? ""}`.length))
  const options = Object.entries(command.options).map(
    ([name, { value, summary }]) => `  ${`--${name} ${value ?? ""}`.padEnd(width)}  ${summary}\n`,
  )
  return `prompt2model ${command.name} ${command.subject}${options.length > 0 ? " [options]" : ""}\n  ${command.summary}\n\n${options.join("")}`
}

export function renderHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => `${command.name} ${command.subject}`.length))
  const lines = commands.map((command) => `  ${`${command.name} ${command.subject}`.padEnd(width)}  ${command.summary}\n`)
  return `prompt2model: a prompt becomes a small, deployable model\n\n${lines.join("")}\nprompt2model COMMAND --help says more.\n`
}
