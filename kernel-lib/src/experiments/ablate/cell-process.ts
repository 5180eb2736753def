// A process that trains and scores one cell: started by `parallel-cells.ts` with the path of a job, it keeps its results in the run's folder.
import { appendFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { InterruptedError, isPrompt2ModelError, messageOf, redactSecrets } from "../../core/errors"
import { PromptSpec } from "../../core/prompt-spec"
import type { Run } from "../../core/run"
import { loadModel } from "../../stages/load-model/load-model"
import { ephemeralRun } from "../../store/run"
import { readDataset } from "../../store/tables"
import type { CellJob, CellMessage } from "./parallel-cells"
import { trainCell } from "./train-cell"

/** What a killed parent leaves behind would train on beside its successor. */
process.on("disconnect", () => process.exit(1))

const controller = new AbortController()
process.on("SIGINT", () => controller.abort())

async function work(path: string): Promise<CellMessage> {
  try {
    const job = JSON.parse(readFileSync(path, "utf8")) as CellJob
    const run: Run = {
      ...ephemeralRun({ seed: job.seed, engine: job.engine, maxSeconds: job.maxSeconds, signal: controller.signal }),
      folder: job.folder,
      record: (event) =>
        appendFileSync(join(job.folder, "events.jsonl"), `${redactSecrets(JSON.stringify({ at: new Date().toISOString(), ...event }))}\n`),
    }
    const [train, validation, test] = await Promise.all([job.train, job.validation, job.test].map((file) => readDataset(file)))
    const base = await loadModel(job.base, { run })
    await trainCell({ ...job, spec: new PromptSpec(job.spec), base, train, validation, test }, run)
    return { type: "done" }
  } catch (error) {
    const isInterrupted = controller.signal.aborted || error instanceof InterruptedError
    const code = isPrompt2ModelError(error) ? error.code : "unexpected"
    return { type: "failed", code: isInterrupted ? "run.interrupted" : code, message: messageOf(error) }
  }
}

work(process.argv[2]).then((message) => process.send!(message, () => process.exit(message.type === "done" ? 0 : 1)))
