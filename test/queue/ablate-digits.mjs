// A process that ablates a tiny task in the run folder that it is given, as a notebook's cell would, and writes the table beside it. Its word is
// JSON: `{ run, redis, folder }` for a queue, `{ run }` for this machine.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { ablate, Dataset, openRun, queue } from "prompt2model"
import { writeSmallModel } from "./small-model.mjs"

const {
  run: folder,
  redis,
  folder: shared,
  epochs = [2, 3, 4],
  learningRate = [1e-3, 2e-3, 3e-3, 4e-3],
  distillFrom,
} = JSON.parse(process.argv[2])
const model = writeSmallModel(join(folder, "../tiny"))
const rows = (count, word) => Array.from({ length: count }, (_, index) => ({ input: `${word} ${index}`, output: String(index % 3) }))
const notices = []
const reporter = {
  stageStarted() {},
  stageProgress: (_, { note }) => console.log(note),
  stageEnded() {},
  notice: (sentence) => notices.push(sentence),
}
const run = await openRun(folder, { seed: 3, engine: "onnx", reporter })
try {
  const ablation = await ablate('Copy the digit.\n\ninput="digit 3"\noutput="3"', {
    run,
    own: Dataset.from(rows(160, "row")),
    test: Dataset.from(rows(9, "test")),
    grid: { source: ["own"], model: [model], epochs, labelSmoothing: [0, 0.1], learningRate },
    training: { batchSize: 4, maxOutputTokens: 2, ...(distillFrom && { distillFrom: () => {} }) },
    ...(redis && { runOn: queue({ redis, folder: shared }) }),
  })
  writeFileSync(join(folder, "table.json"), JSON.stringify({ csv: ablation.toCsv(), payload: ablation.toPayload(), notices }))
} catch (error) {
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = error.code === "run.interrupted" ? 130 : 1
}
