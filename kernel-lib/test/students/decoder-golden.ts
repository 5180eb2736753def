// The golden files in ./golden-decoders: small random models that go on with a text, and what transformers computes with them. Made by
// make_decoder_golden.py.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Architecture } from "../../src/students/architecture"
import { gpt2Family } from "../../src/students/gpt2-architecture"
import { llamaFamily } from "../../src/students/llama-architecture"
import { countNumbers, listTensors, WeightReader } from "../../src/students/safetensors"
import { WeightFiles } from "../../src/students/weight-files"
import type { Golden } from "./golden"

export const decoderModels = ["gpt2", "gpt2-untied", "llama3", "qwen2", "mistral", "qwen3", "smollm3"] as const
export type DecoderModel = (typeof decoderModels)[number]

export function decoderFolder(name: string): string {
  return fileURLToPath(new URL(`./golden-decoders/${name}`, import.meta.url))
}

export function readDecoderGolden(name: DecoderModel): Golden {
  return JSON.parse(readFileSync(`${decoderFolder(name)}/golden.json`, "utf8"))
}

export function readDecoderConfiguration(name: DecoderModel): Record<string, unknown> {
  return JSON.parse(readFileSync(`${decoderFolder(name)}/config.json`, "utf8"))
}

/** The model's architecture and weights. */
export async function readDecoderModel(name: DecoderModel) {
  const family = name.startsWith("gpt2") ? gpt2Family : llamaFamily
  const described: Architecture = family.read(readDecoderConfiguration(name), "config.json")
  return described.readWeights(await WeightFiles.open(decoderFolder(name)), () => ({ normal: () => 0 }))
}

/** logits [rows, places, vocabulary], and `gradients/NAME`. */
export async function readDecoderTensors(name: DecoderModel): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const reader = new WeightReader()
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const entry of (await listTensors(`${decoderFolder(name)}/golden.safetensors`)).values()) {
    const data = new Float32Array(countNumbers(entry.shape))
    await reader.readInto(entry, data)
    tensors.set(entry.name, { shape: entry.shape, data })
  }
  await reader.close()
  return tensors
}
