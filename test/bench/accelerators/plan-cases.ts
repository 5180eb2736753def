// What is measured where: on an accelerator what its users train, on a CPU little enough to end.
import type { Precision } from "../../../kernel-lib/src/engine"
import type { TrainingRow } from "../../../kernel-lib/src/students"
import { planRows } from "../training/plan-rows"

interface Training {
  readonly model: "t5-small" | "t5-base"
  readonly precision: Precision
  readonly batchSize: number
  readonly numBatches: number
  readonly rounds: number
}

interface Decoding {
  readonly numRows: number
  readonly batchSizes: readonly number[]
  readonly rounds: number
}

interface Plan {
  readonly training: readonly Training[]
  readonly decoding: readonly Decoding[]
}

export function planCases({ onAccelerator, isQuick }: { onAccelerator: boolean; isQuick: boolean }): Plan {
  if (onAccelerator) {
    const models = ["t5-small", "t5-base"] as const
    const settings = { batchSize: 32, numBatches: isQuick ? 2 : 16, rounds: isQuick ? 5 : 12 }
    const precisions = isQuick ? (["fp32", "bf16"] as const) : (["fp32", "tf32", "bf16"] as const)
    const training = models.flatMap((model) => precisions.map((precision) => ({ model, precision, ...settings })))
    return {
      training,
      decoding: [{ numRows: isQuick ? 200 : 1000, batchSizes: isQuick ? [64, 200] : [64, 200, 500], rounds: isQuick ? 3 : 7 }],
    }
  }
  if (isQuick) {
    const settings = { model: "t5-small", batchSize: 8, numBatches: 1, rounds: 3 } as const
    return { training: [{ ...settings, precision: "fp32" }], decoding: [{ numRows: 32, batchSizes: [32], rounds: 2 }] }
  }
  const settings = { batchSize: 8, numBatches: 4, rounds: 5 } as const
  return {
    training: [
      { model: "t5-small", precision: "fp32", ...settings },
      { model: "t5-small", precision: "bf16", ...settings },
      { model: "t5-base", precision: "fp32", ...settings, numBatches: 1, rounds: 3 },
    ],
    decoding: [{ numRows: 200, batchSizes: [16, 32, 64], rounds: 5 }],
  }
}

/** Whole batches as fineTune plans them; of the shapes that come most often, so that no more are compiled than batches are measured. */
export function pickBatches(rows: readonly TrainingRow[], batchSize: number, count: number) {
  const { batches, lengths } = planRows(rows, batchSize, { paddingShare: 1 })
  const shapeOf = (batch: readonly TrainingRow[]) =>
    [batch.map(({ inputIds }) => inputIds.length), batch.map(({ labelIds }) => labelIds.length)]
      .map((values, kind) => lengths[kind].find((length) => length >= Math.max(...values)))
      .join()
  const byShape = new Map<string, (readonly TrainingRow[])[]>()
  for (const batch of batches.filter(({ length }) => length === batchSize)) {
    const shape = shapeOf(batch)
    byShape.set(shape, [...(byShape.get(shape) ?? []), batch])
  }
  const commonest = [...byShape.values()].sort((a, b) => b.length - a.length).slice(0, Math.ceil(count / 2))
  const picked = Array.from({ length: count }, (_, index) => commonest[index % commonest.length][Math.floor(index / commonest.length)])
  return { batches: picked.filter((batch) => batch !== undefined), lengths }
}
