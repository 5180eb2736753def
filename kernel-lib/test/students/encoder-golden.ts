// The golden files of ./golden-encoders: small random encoders, and what transformers computes with them. Made by make_encoder_golden.py.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { listTensors, WeightReader } from "../../src/students/safetensors"
import { countNumbers } from "../../src/students/weight-entry"

export const labelEncoders = ["bert-labels", "roberta-labels", "distilbert-labels", "mpnet-labels", "electra-labels"] as const
export const spanEncoders = ["bert-span", "roberta-span"] as const
export const goldenEncoders = [...labelEncoders, ...spanEncoders] as const
export type GoldenEncoder = (typeof goldenEncoders)[number]

/** A row in tokens: a label, or a span of a pair's second part. */
export interface GoldenRow {
  readonly ids: number[]
  readonly label?: number
  readonly secondPart?: number
  readonly start?: number
  readonly end?: number
}

export interface GoldenAnswer {
  readonly text?: string
  readonly ids?: number[]
  readonly output?: string
  readonly question?: string
  readonly context?: string
  /** The text of `tokens`, which may be a part of a word. */
  readonly span?: string
  readonly tokens?: number[]
  readonly confidence: number
}

export interface GoldenOfEncoder {
  readonly rows: GoldenRow[]
  readonly loss: number
  readonly batches: GoldenRow[][]
  readonly optimizer: { readonly learningRate: number; readonly weightDecay: number; readonly maxGradientNorm: number }
  readonly losses: number[]
  readonly gradientNorms: number[]
  readonly answers: GoldenAnswer[]
}

export function encoderFolder(name: string): string {
  return fileURLToPath(new URL(`./golden-encoders/${name}`, import.meta.url))
}

export function readEncoderGolden(name: GoldenEncoder): GoldenOfEncoder {
  return JSON.parse(readFileSync(`${encoderFolder(name)}/golden.json`, "utf8"))
}

/** logits, or starts and ends, and `gradients/NAME`. */
export async function readEncoderTensors(name: GoldenEncoder): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const reader = new WeightReader()
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const entry of (await listTensors(`${encoderFolder(name)}/golden.safetensors`)).values()) {
    const data = new Float32Array(countNumbers(entry.shape))
    await reader.readInto(entry, data)
    tensors.set(entry.name, { shape: entry.shape, data })
  }
  await reader.close()
  return tensors
}

/** The input of a question, as students read it. */
export function inputOf({ text, question, context }: GoldenAnswer): string {
  return text ?? (question === undefined ? context! : `Question: ${question}\nContext: ${context}`)
}
