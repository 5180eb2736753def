// The golden files beside this one: small random T5s, and what transformers computes with them. Made by make_golden.py.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"
import type { Prediction } from "../../src/core/student"
import type { TrainingRow } from "../../src/students"
import { countNumbers, listTensors, WeightReader } from "../../src/students/safetensors"

export const goldenModels = ["relu-tied", "gated-untied", "bytes", "umt5"] as const
export type GoldenModel = (typeof goldenModels)[number]

export interface Golden {
  readonly rows: TrainingRow[]
  readonly loss: number
  readonly questions: number[][]
  readonly greedy: number[][]
  readonly confidences: number[]
  readonly beam4: number[][]
  /** The first eight questions, with other options. */
  readonly beam3Long: number[][]
  readonly beam2Early: number[][]
  readonly greedyLong: number[][]
  readonly batches: TrainingRow[][]
  readonly optimizer: { readonly learningRate: number; readonly weightDecay: number; readonly maxGradientNorm: number }
  readonly losses: number[]
  readonly gradientNorms: number[]
  readonly texts: { readonly text: string; readonly ids: number[]; readonly tokens: number[]; readonly output: string }[]
}

export function goldenFolder(name: string): string {
  return fileURLToPath(new URL(`./golden/${name}`, import.meta.url))
}

export function readGolden(name: GoldenModel): Golden {
  return JSON.parse(readFileSync(`${goldenFolder(name)}/golden.json`, "utf8"))
}

/** logits [rows, places, vocabulary], and `gradients/NAME`. */
export async function readGoldenTensors(name: GoldenModel): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const reader = new WeightReader()
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  for (const entry of (await listTensors(`${goldenFolder(name)}/golden.safetensors`)).values()) {
    const data = new Float32Array(countNumbers(entry.shape))
    await reader.readInto(entry, data)
    tensors.set(entry.name, { shape: entry.shape, data })
  }
  await reader.close()
  return tensors
}

/** The largest difference of two arrays, element by element. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i])
    if (!(difference <= largest)) largest = difference
  }
  return largest
}

/** Compares answers of one set of weights that were laid out in two ways: confidences may differ by rounding. */
export function expectSameAnswers(found: readonly Prediction[], wanted: readonly Prediction[]): void {
  expect(found).toEqual(wanted.map((answer) => ({ ...answer, confidence: expect.closeTo(answer.confidence, 5) })))
}
