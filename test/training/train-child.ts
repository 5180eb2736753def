// A process that trains a tiny student in the run folder that it is given, until it is done or killed. It says its id and each step on stdout.
import { Dataset } from "../../kernel-lib/src/core/dataset"
import { fineTune } from "../../kernel-lib/src/stages/fine-tune/fine-tune"
import { openRunFolder } from "../../kernel-lib/src/store/run"
import { createByteTokenizer, createStudent } from "../../kernel-lib/src/students"

const configuration = {
  model_type: "t5",
  vocab_size: 259,
  d_model: 32,
  d_kv: 8,
  d_ff: 64,
  num_layers: 2,
  num_heads: 4,
  feed_forward_proj: "gated-gelu",
  decoder_start_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
}

const [folder, optimizer] = process.argv.slice(-2)
const base = await createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" })
const rows = Dataset.from(
  Array.from({ length: 60 }, (_, i) => ({ input: `number ${i} of ${"many ".repeat(i % 4)}`, output: String(i * 37).repeat(1 + (i % 2)) })),
)
const run = await openRunFolder(folder, { seed: 5, engine: "onnx" })
const say = (text: string) => process.stdout.write(`${text}\n`)
// What runs TypeScript may have started this process: a kill must hit the one that trains.
say(`process ${process.pid}`)
await fineTune(base, {
  train: rows,
  validation: Dataset.from([...rows].slice(0, 10)),
  epochs: 10,
  batchSize: 8,
  learningRate: 5e-3,
  dropout: 0.1,
  optimizer: optimizer as "adamw" | "adafactor",
  // A checkpoint after every step: a kill often hits one that is being written.
  checkpointSeconds: 0,
  run: {
    ...run,
    record: (event) => run.record(event),
    sent: () => run.sent(),
    reporter: {
      ...run.reporter,
      stageStarted() {},
      stageEnded() {},
      notice() {},
      stageProgress: (_stage, { done }) => say(`step ${done}`),
    },
  },
})
say("done")
