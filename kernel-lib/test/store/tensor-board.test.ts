// TensorBoard's files: the framing, read here by its own rules and, where Python's tensorboard is installed, by its reader.
import { spawnSync } from "node:child_process"
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { exportTensorBoard, writeTensorBoard } from "../../src/store/tensor-board"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensor-board-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** CRC-32C bit by bit, as RFC 3720 has it. */
function checksum(data: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of data) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0)
  }
  return ~sum >>> 0
}

const unmask = (masked: number) => {
  const turned = (masked - 0xa282ead8) >>> 0
  return ((turned << 15) | (turned >>> 17)) >>> 0
}

/** The records of a TFRecord file, checksums checked. */
function readRecords(file: Buffer): Buffer[] {
  const records: Buffer[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    expect(unmask(file.readUInt32LE(at + 8))).toBe(checksum(file.subarray(at, at + 8)))
    const data = file.subarray(at + 12, at + 12 + length)
    expect(unmask(file.readUInt32LE(at + 12 + length))).toBe(checksum(data))
    records.push(data)
    at += length + 16
  }
  return records
}

const scalars = [
  { tag: "loss", step: 0, value: 2.5, at: 1_700_000_000_000 },
  { tag: "loss", step: 300, value: 0.125, at: 1_700_000_001_500 },
  { tag: "größe/chrF++", step: 1, value: -3, at: 1_700_000_002_000 },
  { tag: "zero", step: 0, value: 0, at: 1_700_000_000_000 },
]

/** Name of each run below a folder -> tag -> [step, value], by Python's own reader. */
const reader = `
import json, os, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = {}
for path, _, files in os.walk(sys.argv[1]):
    if files:
        log = EventAccumulator(path).Reload()
        found[os.path.relpath(path, sys.argv[1])] = {tag: [[one.step, one.value, one.wall_time] for one in log.Scalars(tag)] for tag in log.Tags()["scalars"]}
print(json.dumps(found))`
const python = process.env.TENSORBOARD_PYTHON ?? "python3"
const hasReader = spawnSync(python, ["-c", "import tensorboard"]).status === 0

function readByTensorBoard(path: string): Record<string, Record<string, [number, number, number][]>> {
  const { stdout, stderr, status } = spawnSync(python, ["-c", reader, path], { encoding: "utf8" })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout)
}

describe("writeTensorBoard", () => {
  it("knows the checksum of RFC 3720", () => {
    expect(checksum(new TextEncoder().encode("123456789"))).toBe(0xe3069283)
  })

  it("writes one frame for the version and one for each scalar", async () => {
    const file = await writeTensorBoard(join(folder, "one/run"), scalars)
    const [version, ...events] = readRecords(await readFile(file))
    // Fields 1 (double), 3 (text); then 1, 2 (varint), 5 (message) with 1 (message) with 1 (text), 2 (float).
    expect(version.subarray(9).toString("latin1")).toBe("\x1a\x0dbrain.Event:2")
    expect(version.readDoubleLE(1)).toBe(1_700_000_000)
    expect(events).toHaveLength(4)
    expect(events[3].subarray(9).toString("hex").endsWith("2a0d0a0b0a047a65726f1500000000")).toBe(true)
    expect(events[1].readDoubleLE(1)).toBe(1_700_000_001.5)
    expect(events[1].subarray(9).toString("hex")).toBe("10ac022a0d0a0b0a046c6f7373150000003e")
    expect(events[2].includes(Buffer.from("größe/chrF++"))).toBe(true)
    await writeTensorBoard(join(folder, "one/run"), scalars.slice(0, 1))
    expect(await readdir(join(folder, "one/run"))).toHaveLength(1)
    expect(readRecords(await readFile(file))).toHaveLength(2)
  })

  it.skipIf(!hasReader)("is read by TensorBoard itself (TENSORBOARD_PYTHON)", async () => {
    await writeTensorBoard(join(folder, "two/run"), scalars)
    expect(readByTensorBoard(join(folder, "two"))).toEqual({
      run: {
        loss: [
          [0, 2.5, 1_700_000_000],
          [300, 0.125, 1_700_000_001.5],
        ],
        "größe/chrF++": [[1, -3, 1_700_000_002]],
        zero: [[0, 0, 1_700_000_000]],
      },
    })
  })
})

describe("exportTensorBoard", () => {
  const at = "2026-05-03T10:00:00.000Z"
  const step = (number: number, loss: number) => ({ at, type: "training.step", stage: "fineTune", step: number, loss, learningRate: 0.5 })
  const started = (fingerprint: string) => ({ at, type: "stage.started", stage: "fineTune", fingerprint })
  const writeRun = async (name: string, events: readonly object[]) => {
    const run = join(folder, name)
    await mkdir(run)
    await appendFile(join(run, "events.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""))
    return run
  }

  it("gives each training and each evaluated system a run, and counts a step that was done again once", async () => {
    const run = await writeRun("run", [
      started("a"),
      ...[step(10, 3), step(20, 2), step(30, 1.5)],
      started("b"),
      step(10, 9),
      started("a"),
      ...[step(20, 1.75), step(30, 1.25)],
      { at, type: "training.validation", stage: "fineTune", step: 30, epoch: 1, loss: 4 },
      {
        ...{ at, type: "evaluation.done", stage: "evaluate", rows: 3 },
        systems: [{ name: "student", scores: { exactMatch: 0.5 }, intervals: { exactMatch: { low: 0.25, high: 0.75 } } }],
      },
    ])
    const files = await exportTensorBoard({ folder: run }, join(run, "logs"))
    const names = files.map((file) => relative(join(run, "logs"), file).split("/").slice(0, -1).join("/"))
    expect(names).toEqual(["training-1/train", "training-2/train", "training-1/validation", "evaluation-1/student"])
    const counts = await Promise.all(files.map(async (file) => readRecords(await readFile(file)).length - 1))
    expect(counts).toEqual([6, 2, 1, 3])
    if (!hasReader) return
    const seen = readByTensorBoard(join(run, "logs"))
    expect(seen["training-1/train"].loss.map(([number, value]) => [number, value])).toEqual([
      [10, 3],
      [20, 1.75],
      [30, 1.25],
    ])
    expect(seen["training-1/validation"].loss[0].slice(0, 2)).toEqual([30, 4])
    expect(Object.keys(seen["evaluation-1/student"]).sort()).toEqual(["exactMatch", "exactMatch/high", "exactMatch/low"])
  })

  it("says what is missing where there is nothing to show", async () => {
    const run = await writeRun("fresh", [{ at, type: "stage.started", stage: "parsePrompt", fingerprint: "x" }])
    await expect(exportTensorBoard(run, join(run, "logs"))).rejects.toMatchObject({ code: "tensor-board.nothing" })
    await expect(exportTensorBoard({}, folder)).rejects.toMatchObject({ code: "tensor-board.nothing" })
  })
})
