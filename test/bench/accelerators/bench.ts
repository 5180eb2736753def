// npm run bench -- accelerators [--quick] [--only WORDS] [--python PYTHON]: training steps and greedy answers on the accelerator that the engine
// xla finds, beside PyTorch, eager and compiled, on the same device; on a machine without one on the CPU, where our other engines run beside it.
// PYTHON is one that has PyTorch and transformers; by default the benchmark makes one.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultThreads } from "../../../kernel-lib/src/engine/threads"
import { pythonContender, withContenders } from "../harness/contender"
import { openPythonEnvironment } from "../harness/python-environment"
import { formatTable, type ResultRow, writeResults } from "../harness/results"
import { drawRows, temporalRows } from "../training/token-rows"
import { type Entrants, listEntrants } from "./entrants"
import { measureDecoding } from "./measure-decoding"
import { measureTraining } from "./measure-training"
import { pickBatches, planCases } from "./plan-cases"

const words = process.argv.slice(2)
const isQuick = words.includes("--quick")
const wordAfter = (option: string) => (words.includes(option) ? words[words.indexOf(option) + 1] : undefined)
const only = wordAfter("--only") ?? ""

const t5Small = { vocab_size: 32128, d_model: 512, d_kv: 64, d_ff: 2048, num_layers: 6, num_heads: 8, decoder_start_token_id: 0 }
const shapes = { "t5-small": t5Small, "t5-base": { ...t5Small, d_model: 768, d_ff: 3072, num_layers: 12, num_heads: 12 } }

const python = wordAfter("--python") ?? openPythonEnvironment(["torch", "transformers", "accelerate", "numpy", "xla-cpu-pjrt==0.0.1"])
const all = listEntrants(python)
const threads = defaultThreads()
const home = mkdtempSync(join(tmpdir(), "prompt2model-bench-"))
const results: ResultRow[] = []

interface Description {
  readonly platform: string
  readonly version: string
  readonly device: string
  readonly engines: readonly { readonly name: string; readonly isAvailable: boolean }[]
}

/** Runs one case without those who cannot take part, and says why they cannot. */
async function measure(name: string, entrants: Entrants, body: (entrants: Entrants) => Promise<ResultRow[]>): Promise<void> {
  if (!name.includes(only)) return
  console.error(`${name} ...`)
  try {
    const rows = await body(entrants)
    console.error(formatTable(rows))
    results.push(...rows)
  } catch (error) {
    const failed = entrants.pytorch.find((peer) => peer.name.includes("compile") && String(error).includes(peer.name))
    if (!failed) throw error
    console.error(`${name}: ${failed.name} is left out. ${String(error).trim().split("\n").at(-1)}`)
    await measure(name, { ...entrants, pytorch: entrants.pytorch.filter((peer) => peer !== failed) }, body)
  }
}

try {
  const { platform, version, device, engines } = await withContenders([all.ours], ([us]) => us.ask<Description>("describe"))
  const onAccelerator = platform !== "cpu"
  const here = all.engines.filter(({ parameters }) => engines.some(({ name, isAvailable }) => isAvailable && name === parameters.at(-1)))
  // torch.compile takes minutes on a CPU with few cores.
  const pytorch = onAccelerator || !isQuick ? all.pytorch : all.pytorch.slice(0, 1)
  const entrants = { ...all, pytorch, engines: onAccelerator ? [] : here }
  const { training, decoding } = planCases({ onAccelerator, isQuick })
  const { rows, source } = await temporalRows(t5Small.vocab_size)
  const versions = await withContenders([all.pytorch[0]], ([peer]) => peer.ask<Record<string, string>>("describe"))
  if (onAccelerator && versions.torchDevice.startsWith("cpu"))
    throw new Error(`PyTorch of ${python} sees no GPU: name one that does by --python.`)
  const makers = [pythonContender("PyTorch", python, "training/peer.py"), pythonContender("PyTorch", python, "decoding/peer.py")]
  await withContenders(makers, async ([trainer, decoder]) => {
    for (const model of new Set(training.map((one) => one.model)))
      await trainer.ask("makeCheckpoint", { folder: join(home, model), configuration: shapes[model] })
    await decoder.ask("makeCheckpoint", { folder: join(home, "answers"), model: "t5", configuration: t5Small })
  })
  const memory = onAccelerator ? "peak device memory" : "peak memory"
  for (const { model, precision, batchSize, numBatches, rounds } of training) {
    const name = `training ${model} ${precision} batch ${batchSize}`
    const batches = pickBatches(rows, batchSize, numBatches)
    const tolerance = precision === "bf16" ? 2e-2 : 1e-3
    const one = { name, folder: join(home, model), precision, ...batches, tolerance, threads, rounds }
    // On the CPU, onnx multiplies in fp32 alone.
    const able = entrants.engines.filter((engine) => precision === "fp32" || engine.parameters.at(-1) !== "onnx")
    await measure(name, { ...entrants, engines: able }, (those) => measureTraining(one, those, memory))
  }
  for (const { numRows, batchSizes, rounds } of decoding) {
    const name = `greedy ${numRows} rows t5-small fp32`
    const inputs = drawRows(numRows, t5Small.vocab_size).map(({ inputIds }) => inputIds)
    const one = { name, folder: join(home, "answers"), rows: inputs, maxNewTokens: 32, batchSizes, threads, rounds }
    // transformers compiles its decoding for GPUs alone.
    const able = { ...entrants, pytorch: onAccelerator ? entrants.pytorch : entrants.pytorch.slice(0, 1) }
    await measure(name, able, (those) => measureDecoding(one, those, memory))
  }
  writeResults("accelerators", results, { device, platform, plugin: version, threads, ...versions, rows: source })
} finally {
  rmSync(home, { recursive: true, force: true })
}
