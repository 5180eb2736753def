// prompt2model worker: trains the cells that an experiment on another machine, or on this one, puts into a queue.
import { runWorker } from "../experiments/runners/worker"
import { signalOfInterrupt } from "./shared-options"
import { type Command, numberOption, textOption, UsageError } from "./usage"

export const workerCommand: Command = {
  name: "worker",
  subject: "",
  numSubjects: 0,
  summary: "trains cells of ablations and searches that run on a queue; Ctrl-C or SIGTERM hands back what it has",
  options: {
    redis: { value: "URL", summary: "redis://:PASSWORD@HOST:PORT (default PROMPT2MODEL_REDIS; a password may be in REDIS_PASSWORD)" },
    folder: { value: "FOLDER", summary: "the folder that the submitter names, as this machine sees it", isRequired: true },
    devices: { value: "N", summary: "cells at once, each on a GPU of its own where there are some (default 1)" },
    queue: { value: "NAME", summary: "the queue's name (default prompt2model)" },
    lease: { value: "SECONDS", summary: "silence after which a worker is taken for dead, the same for all workers (default 30)" },
  },
  async run(words) {
    const redis = textOption(words, "redis") ?? process.env.PROMPT2MODEL_REDIS
    if (!redis) throw new UsageError("prompt2model worker needs --redis URL, or PROMPT2MODEL_REDIS.")
    const notice = (sentence: string) => process.stderr.write(`${sentence}\n`)
    const handedBack = await runWorker({
      ...{ redis, folder: textOption(words, "folder") ?? "", name: textOption(words, "queue") },
      devices: numberOption(words, "devices", { isWhole: true, least: 1 }),
      leaseSeconds: numberOption(words, "lease", { least: 1 }),
      ...{ signal: signalOfInterrupt({ notice }), notice },
    })
    return handedBack > 0 ? 130 : 0
  },
}
