// What the first pass over a batch of sources is fed: an encoder's inputs, or a prompt's.
import type { FlexibleSpec, TensorValue } from "../engine"
import type { DecoderNetwork } from "./decoder"

/** Added to the scores of what may not be seen. */
export const unseen = -1e9

export interface SourceFeed {
  readonly spec: FlexibleSpec
  readonly value: TensorValue
}

/** The inputs of `network.encode` or `network.prefill` for up to `rows` sources, padded on the right to `length`. */
export function listSourceFeeds(
  network: DecoderNetwork,
  sources: readonly (readonly number[])[],
  rows: number,
  length: number,
): Readonly<Record<string, SourceFeed>> {
  const inputIds = new Int32Array(rows * length)
  sources.forEach((source, row) => {
    inputIds.set(source, row * length)
  })
  const wide = { spec: { shape: ["rows", "source"], dtype: "int32" }, value: { shape: [rows, length], data: inputIds } } as const
  return network.kind === "decoder-only"
    ? { inputIds: wide, ...listPromptFeeds(sources, rows, length) }
    : { inputIds: wide, ...listEncoderFeeds(network.bucketDistance, sources, rows, length) }
}

function listPromptFeeds(sources: readonly (readonly number[])[], rows: number, length: number): Record<string, SourceFeed> {
  const positions = Int32Array.from({ length: rows * length }, (_, i) => i % length)
  const mask = Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? unseen : 0))
  const ends = Int32Array.from({ length: rows }, (_, row) => row * length + Math.max(0, (sources[row]?.length ?? 0) - 1))
  return {
    positions: { spec: { shape: ["rows", "source"], dtype: "int32" }, value: { shape: [rows, length], data: positions } },
    mask: { spec: { shape: [1, 1, "source", "source"], dtype: "float32" }, value: { shape: [1, 1, length, length], data: mask } },
    ends: { spec: { shape: ["rows"], dtype: "int32" }, value: { shape: [rows], data: ends } },
  }
}

function listEncoderFeeds(
  bucketDistance: ((distance: number, isEncoder: boolean) => number) | undefined,
  sources: readonly (readonly number[])[],
  rows: number,
  length: number,
): Record<string, SourceFeed> {
  const mask = new Float32Array(rows * length)
  sources.forEach((source, row) => {
    mask.fill(1, row * length, row * length + source.length)
  })
  const inputMask = { spec: { shape: ["rows", "source"], dtype: "float32" }, value: { shape: [rows, length], data: mask } } as const
  if (!bucketDistance) return { inputMask }
  const byDistance = Int32Array.from({ length: 2 * length - 1 }, (_, i) => bucketDistance(i - length + 1, true))
  const buckets = Int32Array.from({ length: length * length }, (_, i) => byDistance[(i % length) - Math.floor(i / length) + length - 1])
  return {
    inputMask,
    sourceBuckets: { spec: { shape: ["source", "source"], dtype: "int32" }, value: { shape: [length, length], data: buckets } },
  }
}
