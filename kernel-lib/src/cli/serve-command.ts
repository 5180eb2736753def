// prompt2model serve: a page on loopback to type into, for a run or a student folder.
import { join } from "node:path"
import { InputError } from "../core/errors"
import { parsePrompt } from "../stages/parse-prompt/parse-prompt"
import { serve } from "../stages/serve/serve"
import { exists } from "../store/atomic"
import { ephemeralRun, readRunFile } from "../store/run"
import { readDataset } from "../store/tables"
import { loadStudent } from "../students"
import { signalOfInterrupt } from "./shared-options"
import { type Command, numberOption, textOption } from "./usage"

export const serveCommand: Command = {
  name: "serve",
  subject: "RUN_OR_STUDENT",
  numSubjects: 1,
  summary: "opens a page on this machine to type into; Ctrl-C closes it",
  options: {
    port: { value: "N", summary: "port (default 8642; 0 for any free one)" },
    host: { value: "ADDRESS", summary: "address to listen at (default 127.0.0.1); others need a key in PROMPT2MODEL_SERVE_KEY" },
  },
  async run(words) {
    const [path] = words.subjects
    const port = numberOption(words, "port", { isWhole: true }) ?? 8642
    const isStudent = await exists(join(path, "config.json"))
    const prompt = isStudent ? undefined : (await readRunFile(path)).prompt
    const folder = isStudent ? path : join(path, "student")
    if (!isStudent && !(await exists(join(folder, "config.json")))) {
      throw new InputError("run.no-student", `The run ${path} has no student yet: let prompt2model run end first.`)
    }
    const student = await loadStudent(folder)
    const signal = signalOfInterrupt()
    const run = ephemeralRun({ signal })
    const spec = typeof prompt === "string" ? await parsePrompt(prompt, { run }).catch(() => undefined) : undefined
    const rows = join(path, "datasets", "train.parquet")
    const train = !isStudent && (await exists(rows)) ? await readDataset(rows) : undefined
    const host = textOption(words, "host")
    const apiKey = process.env.PROMPT2MODEL_SERVE_KEY || undefined
    const demo = await serve(student, { spec, train, port, host, apiKey, run })
    const whom = host ? "whoever has the key" : "this machine only"
    process.stdout.write(
      `${student.name} answers at ${demo.url}, for ${whom}; OpenAI's clients ask it at ${demo.url}v1. Ctrl-C ends it when all is answered.\n`,
    )
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
    await demo.close()
    return 0
  },
}
