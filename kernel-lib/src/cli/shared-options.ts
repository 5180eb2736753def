// Options that several commands take, and the objects that they stand for.
import { readFile } from "node:fs/promises"
import { InputError } from "../core/errors"
import type { Hub } from "../core/hub"
import type { EngineName, Reporter } from "../core/run"
import type { Teacher } from "../core/teacher"
import { createTerminalReporter } from "../display/terminal"
import type { TextEmbedder } from "../search"
import { bundledHub, huggingFaceHub } from "../services/hubs"
import { teacherFromName } from "../services/teachers"
import { type CommandOption, choiceOption, textOption, UsageError, type Words } from "./usage"

export const teacherOption: CommandOption = {
  value: "T",
  summary: "openai:MODEL (OPENAI_API_KEY, OPENAI_BASE_URL), recorded:FOLDER or simulated (default)",
}
export const hubOption: CommandOption = { value: "HUB", summary: "bundled (default, needs no network) or huggingface" }
export const indexOption: CommandOption = {
  value: "FOLDER",
  summary: "search in what prompt2model index keeps there of the hub huggingface, which is then the default",
}
export const embedderOption: CommandOption = {
  value: "MODEL_FOLDER",
  summary: "an embedding model, to search the index by meaning too (default: by words alone)",
}
export const engineOption: CommandOption = { value: "E", summary: "auto (default), onnx, tensorflow, xla or eager" }
export const seedOption: CommandOption = { value: "N", summary: "whole number that decides every random choice (default 1)" }
export const maxUsdOption: CommandOption = { value: "X", summary: "most US dollars to spend on the teacher, over the whole run" }
export const outOption: CommandOption = { value: "FOLDER", summary: "run folder (default runs/NAME-OF-THE-PROMPT)" }
export const jsonOption: CommandOption = { summary: "JSON lines on stdout and nothing else there" }

const engineNames: readonly EngineName[] = ["auto", "onnx", "tensorflow", "xla", "eager"]

export function readTeacher(words: Words): Promise<Teacher> {
  return teacherFromName(textOption(words, "teacher") ?? "simulated")
}

/** @param embedder the one that the index was built with, where there is one */
export function readHub(words: Words, embedder?: TextEmbedder): Hub {
  const index = textOption(words, "index")
  const name = choiceOption(words, "hub", ["bundled", "huggingface"], index === undefined ? "bundled" : "huggingface")
  if (name === "huggingface") return huggingFaceHub({ index, embedder })
  if (index === undefined) return bundledHub()
  throw new UsageError("--index is for --hub huggingface: the bundled hub is searched whole.")
}

export function readEngine(words: Words): EngineName {
  return choiceOption(words, "engine", engineNames, "auto")
}

/** The text of a prompt file. @throws InputError `prompt.no-such-file`, `prompt.empty` */
export async function readPrompt(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (error) {
    throw new InputError(
      "prompt.no-such-file",
      `The prompt file ${path} cannot be read: give the path of a text file with the task and a few examples.`,
      { cause: error },
    )
  }
  if (text.trim() === "")
    throw new InputError("prompt.empty", `The prompt file ${path} is empty: write what the model should do, and a few examples.`)
  return text
}

/** Where a run of this prompt goes when nobody says: runs/NAME. */
export function defaultRunFolder(promptPath: string): string {
  const name = promptPath
    .split(/[\\/]/)
    .at(-1)
    ?.replace(/\.[^.]*$/, "")
  if (!name) throw new UsageError(`Give a prompt file, not ${promptPath}.`)
  return `runs/${name}`
}

/** Stages as lines on stderr: a bar where it is a terminal, plain lines where it is piped. */
export function terminalReporter(title?: string, subtitle?: string): Reporter {
  return createTerminalReporter({ stream: process.stderr, isTerminal: process.stderr.isTTY ?? false, title, subtitle })
}

/** Aborts with the first Ctrl-C or SIGTERM, so that the work is saved; a second one ends the process at once. */
export function signalOfInterrupt(reporter?: Pick<Reporter, "notice">): AbortSignal {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130)
    reporter?.notice("Stopping: the work is being saved. Ctrl-C again ends at once.")
    controller.abort()
  }
  process.on("SIGINT", interrupt)
  process.on("SIGTERM", interrupt)
  return controller.signal
}
