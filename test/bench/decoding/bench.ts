// npm run bench -- decoding [--quick] [--only WORDS]: answering rows with networks of T5-small's and SmolLM2-135M's shapes and random weights,
// we beside transformers' generate in length-sorted batches of the size that suits it best, on the same threads. The tokens of both are
// compared in the same run.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultThreads } from "../../../kernel-lib/src/engine/threads"
import { typeScriptContender, withContenders } from "../harness/contender"
import { openPythonEnvironment } from "../harness/python-environment"
import { type ResultRow, writeResults } from "../harness/results"
import { findPyTorchPeers } from "../training/pytorch-peers"
import { drawRows } from "../training/token-rows"
import { type Case, measureCase } from "./measure-case"

const words = process.argv.slice(2)
const isQuick = words.includes("--quick")
const only = words.includes("--only") ? words[words.indexOf("--only") + 1] : ""

const t5Small = { vocab_size: 32128, d_model: 512, d_kv: 64, d_ff: 2048, num_layers: 6, num_heads: 8, decoder_start_token_id: 0 }
const smolLm2 = {
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
  rope_theta: 100000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  bos_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
}

const maxNewTokens = 32
const cases: readonly Case[] = [
  { name: "greedy 200 rows", model: "t5", rows: 200, together: 200, beams: 1, maxNewTokens },
  { name: "beam4 200 rows", model: "t5", rows: 200, together: 200, beams: 4, maxNewTokens },
  { name: "greedy 1 row", model: "t5", rows: 12, together: 1, beams: 1, maxNewTokens },
  { name: "greedy 32 rows smollm2-135m", model: "llama", rows: 32, together: 32, beams: 1, maxNewTokens },
]

const python = openPythonEnvironment(["torch", "transformers", "accelerate", "numpy"])
const ours = typeScriptContender("ours", "decoding/ours.ts")
const { peers, note } = findPyTorchPeers(python, "decoding/peer.py")
const threads = defaultThreads()
const folder = mkdtempSync(join(tmpdir(), "prompt2model-bench-"))
const results: ResultRow[] = []
try {
  const versions = await withContenders([peers[0]], async ([peer]) => {
    await peer.ask("makeCheckpoint", { folder: join(folder, "t5"), model: "t5", configuration: t5Small })
    await peer.ask("makeCheckpoint", { folder: join(folder, "llama"), model: "llama", configuration: smolLm2 })
    return peer.ask<{ torch: string; transformers: string }>("describe")
  })
  const rows = drawRows(200, t5Small.vocab_size).map(({ inputIds }) => inputIds)
  for (const one of cases.filter(({ name }) => name.includes(only))) {
    console.error(`${one.name} ...`)
    results.push(...(await measureCase(one, { ours, peers }, { folder: join(folder, one.model), threads, isQuick, rows })))
  }
  const { torch, transformers } = versions
  writeResults("decoding", results, { threads, torch, transformers, rows: "lengths of the recorded Temporal rows", peers: note })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
