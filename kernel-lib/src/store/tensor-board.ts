// Files that TensorBoard reads: scalars as TensorFlow's Event messages in TFRecord frames. And a run's events as such files.
// Fields as in https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto and framework/summary.proto
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import protobuf from "protobufjs/light.js"
import { InputError } from "../core/errors"
import type { RunEvent } from "../core/run"
import { explainDiskError, writeFileAtomically } from "./atomic"
import { readEvents } from "./event-log"

export interface Scalar {
  /** Under which chart it stands; slashes make groups. */
  readonly tag: string
  readonly step: number
  readonly value: number
  /** When, in milliseconds since 1970. */
  readonly at: number
}

/** Each folder is shown as a run of its own; its one file is written anew each time, so that nothing is shown twice. */
const fileName = "events.out.tfevents.0000000000.prompt2model"

const root = protobuf.Root.fromJSON({
  nested: {
    // In a choice as in TensorFlow's own file, or else a score of 0 would be left out as a default.
    Value: {
      fields: { tag: { type: "string", id: 1 }, simpleValue: { type: "float", id: 2 } },
      oneofs: { value: { oneof: ["simpleValue"] } },
    },
    Summary: { fields: { value: { rule: "repeated", type: "Value", id: 1 } } },
    Event: {
      fields: {
        wallTime: { type: "double", id: 1 },
        step: { type: "int64", id: 2 },
        fileVersion: { type: "string", id: 3 },
        summary: { type: "Summary", id: 5 },
      },
    },
  },
})
const eventType = root.lookupType("Event")

/**
 * Writes scalars as a run that TensorBoard shows.
 * @param folder the run's folder, in TensorBoard's `--logdir` or below it
 * @returns the file's path
 * @throws InputError `disk.full`, `disk.not-writable`
 */
export async function writeTensorBoard(folder: string, scalars: readonly Scalar[]): Promise<string> {
  const file = join(folder, fileName)
  const first = { wallTime: (scalars[0]?.at ?? 0) / 1000, fileVersion: "brain.Event:2" }
  const events = scalars.map(({ tag, step, value, at }) => ({
    wallTime: at / 1000,
    step,
    summary: { value: [{ tag, simpleValue: value }] },
  }))
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw explainDiskError(error, folder)
  })
  await writeFileAtomically(file, Buffer.concat([first, ...events].map((event) => frameRecord(eventType.encode(event).finish()))))
  return file
}

/**
 * Writes what a run's events say of trainings and evaluations as files for `tensorboard --logdir FOLDER`: losses, learning rate, gradient norm
 * and speed by step under `training-1/train` and `training-1/validation`, scores with their intervals under `evaluation-1/SYSTEM`.
 *
 * @param source a run, or its folder
 * @returns the files
 * @throws InputError `tensor-board.nothing`, `disk.full`, `disk.not-writable`
 * @example
 * const run = await openRun("runs/curves", { hub })
 * const base = await loadModel("bundled/byte-t5-tiny", { run })
 * await fineTune(base, { train: own, epochs: 1, run })
 * const files = await exportTensorBoard(run, "runs/curves/tensor-board")
 */
export async function exportTensorBoard(source: string | { readonly folder?: string }, folder: string): Promise<string[]> {
  const runFolder = typeof source === "string" ? source : source.folder
  if (runFolder === undefined) {
    throw new InputError("tensor-board.nothing", "This run has no folder and so no events: open one with openRun(folder, ...).")
  }
  const scalars = gatherScalars(readEvents(runFolder))
  if (scalars.size === 0) {
    throw new InputError(
      "tensor-board.nothing",
      `${runFolder} has no training and no evaluation yet: export it after fineTune or evaluate.`,
    )
  }
  return Promise.all([...scalars].map(([name, ofRun]) => writeTensorBoard(join(folder, name), ofRun)))
}

const stepFigures = ["loss", "learningRate", "gradientNorm", "epoch", "tokensPerSecond"]

/** By TensorBoard run. A training that was resumed goes on under its own name, and a step that was done again counts once. */
function gatherScalars(events: readonly RunEvent[]): Map<string, Scalar[]> {
  const bySteps = new Map<string, Map<string, Scalar>>()
  const trainings: unknown[] = []
  let training = 1
  let evaluations = 0
  const add = (name: string, scalar: Scalar) => {
    if (!Number.isFinite(scalar.value)) return
    const known = bySteps.get(name) ?? new Map<string, Scalar>()
    bySteps.set(name, known.set(`${scalar.tag} ${scalar.step}`, scalar))
  }
  for (const event of events) {
    const at = Date.parse(String(event.at))
    const step = Number(event.step)
    if (event.type === "stage.started" && event.stage === "fineTune") {
      if (!trainings.includes(event.fingerprint)) trainings.push(event.fingerprint)
      training = trainings.indexOf(event.fingerprint) + 1
    } else if (event.type === "training.step") {
      for (const tag of stepFigures.filter((one) => typeof event[one] === "number"))
        add(`training-${training}/train`, { tag, step, value: Number(event[tag]), at })
    } else if (event.type === "training.validation") {
      add(`training-${training}/validation`, { tag: "loss", step, value: Number(event.loss), at })
    } else if (event.type === "evaluation.done") {
      evaluations++
      for (const [system, tag, value] of readScores(event)) add(`evaluation-${evaluations}/${system}`, { tag, step: 0, value, at })
    }
  }
  return new Map([...bySteps].map(([name, scalars]) => [name, [...scalars.values()].sort((a, b) => a.step - b.step)]))
}

function readScores({ systems }: RunEvent): (readonly [system: string, tag: string, value: number])[] {
  const scored = systems as readonly {
    readonly name: string
    readonly scores: Readonly<Record<string, number>>
    readonly intervals?: Readonly<Record<string, { readonly low: number; readonly high: number }>>
  }[]
  return scored.flatMap(({ name, scores, intervals = {} }) => [
    ...Object.entries(scores).map(([metric, value]) => [name, metric, value] as const),
    ...Object.entries(intervals).flatMap(
      ([metric, { low, high }]) =>
        [
          [name, `${metric}/low`, low],
          [name, `${metric}/high`, high],
        ] as const,
    ),
  ])
}

/** TFRecord: the length and its checksum, the data and its checksum. */
function frameRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(data.length + 16)
  record.writeBigUInt64LE(BigInt(data.length), 0)
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8)
  record.set(data, 12)
  record.writeUInt32LE(maskedChecksum(data), data.length + 12)
  return record
}

/** CRC-32C (Castagnoli), reflected. */
const checksumTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** TensorFlow turns and shifts a checksum, since those of data that holds checksums are weak. */
function maskedChecksum(data: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of data) sum = (sum >>> 8) ^ checksumTable[(sum ^ byte) & 0xff]
  sum = ~sum >>> 0
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0
}
