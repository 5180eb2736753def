// npm run bench -- training [--quick] [--only WORDS]: training a T5 of T5-small's shape, we beside PyTorch with transformers, on the same
// machine, threads and batches, from the same weights; then whole epochs beside transformers' Trainer; then whether cost and memory stay flat.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultThreads } from "../../../kernel-lib/src/engine/threads"
import { type ContenderCommand, typeScriptContender, withContenders } from "../harness/contender"
import { openPythonEnvironment } from "../harness/python-environment"
import { formatTable, type ResultRow, writeResults } from "../harness/results"
import { measureEpochs } from "./measure-epochs"
import { measureFlatness } from "./measure-flatness"
import { type Case, measureSteps } from "./measure-steps"
import { planRows } from "./plan-rows"
import { findPyTorchPeers } from "./pytorch-peers"
import { padBatch, temporalRows } from "./token-rows"

const words = process.argv.slice(2)
const isQuick = words.includes("--quick")
const only = words.includes("--only") ? words[words.indexOf("--only") + 1] : ""

const t5Small = {
  vocab_size: 32128,
  d_model: 512,
  d_kv: 64,
  d_ff: 2048,
  num_layers: 6,
  num_heads: 8,
  decoder_start_token_id: 0,
}
const tiny = { ...t5Small, vocab_size: 384, d_model: 64, d_kv: 16, d_ff: 128, num_layers: 2, num_heads: 4 }

/** An engine's cases run where it is; `tolerance` is how far the first loss may be apart, as a share. */
const cases: readonly Case[] = [
  { name: "onnx fp32 t5-small", engine: "onnx", precision: "fp32", tolerance: 1e-4 },
  { name: "tensorflow fp32 t5-small", engine: "tensorflow", precision: "fp32", tolerance: 1e-4 },
  { name: "tensorflow bf16 t5-small", engine: "tensorflow", precision: "bf16", tolerance: 2e-2 },
]
const epochsCases = cases.map(({ engine, precision }) => ({ name: `whole epochs, ${engine} ${precision}`, engine, precision }))
const flatCase = "long training, onnx fp32"

const python = openPythonEnvironment(["torch", "transformers", "accelerate", "numpy"])
const ours: ContenderCommand = typeScriptContender("ours", "training/ours.ts")
const { peers, note } = findPyTorchPeers(python, "training/peer.py")
const threads = defaultThreads()
const folder = mkdtempSync(join(tmpdir(), "prompt2model-bench-"))
const isWanted = (name: string) => name.includes(only)
const results: ResultRow[] = []
const add = (rows: readonly ResultRow[]) => {
  console.error(formatTable(rows))
  results.push(...rows)
}
try {
  const { rows, source } = await temporalRows(t5Small.vocab_size)
  // Lengths near each other in a batch, so that no contender pads much in what is to show how fast a step is.
  const { batches: order, lengths } = planRows(rows, 8, { paddingShare: 1 })
  // In the planned order, which mixes lengths; every batch is whole.
  const batches = order.filter((batch) => batch.length === 8).slice(0, isQuick ? 6 : 12)
  const setting = { folder: join(folder, "t5-small"), tinyFolder: join(folder, "tiny"), threads, isQuick }
  const { versions, engines, form } = await withContenders([ours, peers[0]], async ([us, peer]) => {
    await peer.ask("makeCheckpoint", { folder: setting.folder, configuration: t5Small })
    await peer.ask("makeCheckpoint", { folder: setting.tinyFolder, configuration: tiny })
    return {
      versions: await peer.ask<Record<string, string>>("describe"),
      engines: await us.ask<{ name: string; isAvailable: boolean }[]>("engines"),
      form: (await peer.ask<{ form: string }>("chooseForm", { folder: setting.folder, threads, batch: padBatch(batches[0]) })).form,
    }
  })
  const wanted = <One extends { name: string; engine: string }>(all: readonly One[]) =>
    all.filter(({ name, engine }) => {
      const isHere = engines.some((other) => other.name === engine && other.isAvailable)
      if (isWanted(name) && !isHere) console.error(`${name}: left out, the engine ${engine} is not here.`)
      return isWanted(name) && isHere
    })
  for (const one of wanted(cases)) {
    console.error(`${one.name} ...`)
    add(await measureSteps(one, { ours, peers }, { ...setting, batches, lengths, form }))
  }
  const epochs = wanted(epochsCases)
  if (epochs.length > 0) {
    console.error(`${epochs.map(({ name }) => name).join("; ")} ...`)
    add(await measureEpochs(epochs, { ours, peers }, { ...setting, rows }))
  }
  if (isWanted(flatCase)) {
    console.error(`${flatCase} ...`)
    add(await measureFlatness(flatCase, ours, { ...setting, vocabularySize: tiny.vocab_size }))
  }
  writeResults("training", results, { threads, ...versions, optimizer: `torch.optim.AdamW, ${form}`, rows: source, peers: note })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
