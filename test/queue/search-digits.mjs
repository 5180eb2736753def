// A process that searches settings of a tiny training, on this machine or on a queue, and writes what it found beside the run. Its word is JSON:
// `{ run, parallel }`, with `redis` and `folder` for a queue.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Dataset, loadModel, localProcesses, openRun, queue, searchHyperparameters } from "prompt2model"
import { writeSmallModel } from "./small-model.mjs"

const { run: folder, parallel, redis, folder: shared } = JSON.parse(process.argv[2])
const rows = (count, word) =>
  Dataset.from(Array.from({ length: count }, (_, index) => ({ input: `${word} ${index}`, output: String(index % 3) })))
const run = await openRun(folder, { seed: 3, engine: "onnx" })
const base = await loadModel(writeSmallModel(join(folder, "../tiny")), { seed: 3, engine: "onnx" })
const search = await searchHyperparameters(base, {
  run,
  ...{ train: rows(24, "row"), validation: rows(8, "other"), trials: 7, stopAfter: 2 },
  space: { learningRate: { low: 1e-4, high: 3e-2, scale: "log" } },
  training: { epochs: 3, batchSize: 8, maxOutputTokens: 2 },
  runOn: redis ? queue({ redis, folder: shared, parallel }) : localProcesses({ parallel }),
})
writeFileSync(join(folder, "search.json"), JSON.stringify({ csv: search.toCsv(), statuses: search.trials.map(({ status }) => status) }))
