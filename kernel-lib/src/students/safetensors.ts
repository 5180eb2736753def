// Weights on disk, as Hugging Face's safetensors: eight bytes of header length, a JSON header, then the tensors one after another.
// Everything that the header says is checked against the file before a byte is read by it. Tensors are read and written one at a
// time, so that a file is never held in memory beside its weights. Format: https://huggingface.co/docs/safetensors
import type { FileHandle } from "node:fs/promises"
import { open, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { InputError, messageOf } from "../core/errors"

/** Where a tensor lies, as its file's header says and as it was checked. */
export interface TensorEntry {
  readonly name: string
  /** safetensors' name of the type: `F32`, `F16`, `BF16` ... */
  readonly dtype: string
  readonly shape: readonly number[]
  readonly path: string
  /** First byte, counted from the start of the file. */
  readonly offset: number
  readonly bytes: number
}

/** A tensor to write. `data` has as many numbers as `shape` asks for. */
export interface NamedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const bytesOf: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
}
/** The reference reader's own limit. */
const maxHeaderBytes = 100_000_000
const chunkBytes = 4 << 20

/**
 * The tensors of `folder`, from `model.safetensors` or the shards that `model.safetensors.index.json` names. Only headers are read.
 * @throws InputError `weights.missing`, `weights.damaged`
 */
export async function listWeights(folder: string): Promise<ReadonlyMap<string, TensorEntry>> {
  const single = join(folder, "model.safetensors")
  if (await isFile(single)) return listTensors(single)
  const indexPath = join(folder, "model.safetensors.index.json")
  if (await isFile(indexPath)) return listShards(folder, indexPath)
  const hasTorchFile = (await isFile(join(folder, "pytorch_model.bin"))) || (await isFile(join(folder, "pytorch_model.bin.index.json")))
  throw new InputError(
    "weights.missing",
    hasTorchFile
      ? `${folder} has its weights as a torch file only: save the model as safetensors (save_pretrained of a current transformers does).`
      : `${folder} has no model.safetensors: is it a folder that transformers or this library wrote?`,
  )
}

async function listShards(folder: string, indexPath: string): Promise<ReadonlyMap<string, TensorEntry>> {
  const weightMap = (parseJson(await readFile(indexPath, "utf8"), indexPath) as { weight_map?: unknown }).weight_map
  if (!isRecord(weightMap)) throw damaged(indexPath, "it has no weight_map")
  const shards = new Map<string, ReadonlyMap<string, TensorEntry>>()
  const entries = new Map<string, TensorEntry>()
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== "string" || !/^[\w.-]+\.safetensors$/.test(shard)) throw damaged(indexPath, `the file of ${name} is no file name`)
    if (!shards.has(shard)) {
      if (!(await isFile(join(folder, shard)))) throw damaged(indexPath, `${shard} is not in the folder`)
      shards.set(shard, await listTensors(join(folder, shard)))
    }
    const entry = shards.get(shard)?.get(name)
    if (!entry) throw damaged(indexPath, `${shard} has no tensor ${name}`)
    entries.set(name, entry)
  }
  return entries
}

/**
 * The tensors of one safetensors file, in the order of their bytes.
 * @throws InputError `weights.damaged` when the header does not fit the file
 */
export async function listTensors(path: string): Promise<ReadonlyMap<string, TensorEntry>> {
  const file = await open(path, "r")
  try {
    const { size } = await file.stat()
    const length = size < 8 ? Number.NaN : Number((await readExactly(file, 0, 8, path)).readBigUInt64LE())
    if (!(length <= Math.min(maxHeaderBytes, size - 8))) throw damaged(path, "its header is longer than the file")
    const header = parseJson((await readExactly(file, 8, length, path)).toString("utf8"), path)
    if (!isRecord(header)) throw damaged(path, "its header is no JSON object")
    const entries = Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, value]) => checkEntry(name, value, path, 8 + length))
    checkLayout(entries, path, 8 + length, size)
    return new Map(entries.map((entry) => [entry.name, entry]))
  } finally {
    await file.close()
  }
}

function checkEntry(name: string, value: unknown, path: string, dataStart: number): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : ({} as Record<string, unknown>)
  if (typeof dtype !== "string" || !Object.hasOwn(bytesOf, dtype)) throw damaged(path, `${name} is of an unknown type`)
  if (!Array.isArray(shape) || !shape.every(isCount)) throw damaged(path, `${name} has no valid shape`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) throw damaged(path, `${name} has no valid offsets`)
  const bytes = countNumbers(shape) * bytesOf[dtype]
  if (!Number.isSafeInteger(bytes) || offsets[1] - offsets[0] !== bytes)
    throw damaged(path, `${name} has not as many bytes as its shape asks for`)
  return { name, dtype, shape, path, offset: dataStart + offsets[0], bytes }
}

/** The format allows neither overlaps nor holes, and the last tensor ends with the file. */
function checkLayout(entries: TensorEntry[], path: string, dataStart: number, size: number): void {
  entries.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)
  let end = dataStart
  for (const entry of entries) {
    if (entry.offset !== end)
      throw damaged(path, `${entry.name} ${entry.offset < end ? "overlaps the tensor before it" : "leaves a hole before it"}`)
    end += entry.bytes
  }
  if (end !== size) throw damaged(path, end > size ? "it ends before its last tensor does" : "it goes on after its last tensor")
}

/** Reads tensors of one or several files; close it when done. */
export class WeightReader {
  private readonly files = new Map<string, FileHandle>()

  /**
   * Reads a tensor of F32, F16 or BF16 into `target`, which has exactly its number of numbers.
   * @throws InputError `weights.damaged`, `weights.type`
   */
  async readInto(entry: TensorEntry, target: Float32Array): Promise<void> {
    const count = countNumbers(entry.shape)
    if (target.length !== count) throw new RangeError(`${entry.name} has ${count} numbers, and the target ${target.length}`)
    const widen = widenings[entry.dtype]
    if (!widen)
      throw new InputError(
        "weights.type",
        `${entry.name} in ${entry.path} is ${entry.dtype}; weights are read as F32, F16 or BF16: convert the model.`,
      )
    let file = this.files.get(entry.path)
    if (!file) {
      file = await open(entry.path, "r")
      this.files.set(entry.path, file)
    }
    const width = bytesOf[entry.dtype]
    const bits = new Uint32Array(target.buffer, target.byteOffset, count)
    for (let start = 0; start < count; start += chunkBytes / width) {
      const end = Math.min(count, start + chunkBytes / width)
      const chunk = await readExactly(file, entry.offset + start * width, (end - start) * width, entry.path)
      widen(chunk, bits.subarray(start, end))
    }
  }

  async close(): Promise<void> {
    const open = [...this.files.values()]
    this.files.clear()
    await Promise.all(open.map((file) => file.close()))
  }
}

/** Numbers of a file as the bits of 32-bit floats. */
const widenings: Readonly<Record<string, (source: Buffer, target: Uint32Array) => void>> = {
  F32: (source, target) => target.set(new Uint32Array(source.buffer, source.byteOffset, target.length)),
  BF16: (source, target) => {
    const halves = new Uint16Array(source.buffer, source.byteOffset, target.length)
    for (let i = 0; i < target.length; i++) target[i] = halves[i] << 16
  },
  F16: (source, target) => {
    const halves = new Uint16Array(source.buffer, source.byteOffset, target.length)
    for (let i = 0; i < target.length; i++) target[i] = widenHalf(halves[i])
  },
}

/** IEEE 754: 16 bits to 32. */
function widenHalf(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | ((fraction << (shift + 13)) & 0x7fffff)
}

/**
 * Writes `tensors` as F32 to `path` and flushes it; `format: "pt"` stands in its metadata, as transformers expects.
 * Not atomic: write into a folder that is placed atomically.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))
  const header: Record<string, unknown> = { __metadata__: { format: "pt", ...metadata } }
  let end = 0
  for (const { name, shape, data } of sorted) {
    if (data.length !== countNumbers(shape))
      throw new RangeError(`${name} has ${data.length} numbers, its shape asks for ${countNumbers(shape)}`)
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] }
    end += data.byteLength
  }
  const json = Buffer.from(JSON.stringify(header))
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ")
  head.writeBigUInt64LE(BigInt(head.length - 8))
  json.copy(head, 8)
  const file = await open(path, "w")
  try {
    await file.writeFile(head)
    for (const { data } of sorted) await writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, Math.min(bytes.length - done, 1 << 28))).bytesWritten
}

/** `length` bytes from `position`, in memory of their own (so that typed views of them are aligned). */
async function readExactly(file: FileHandle, position: number, length: number, path: string): Promise<Buffer> {
  const buffer = Buffer.from(new ArrayBuffer(length))
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done)
    if (bytesRead === 0) throw damaged(path, "it ends too early")
    done += bytesRead
  }
  return buffer
}

/** How many numbers a shape holds; 1 for a scalar. */
export function countNumbers(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

function damaged(path: string, what: string): InputError {
  return new InputError("weights.damaged", `${path} cannot be read: ${what}. Fetch or save it anew.`)
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError("weights.damaged", `${path} cannot be read: ${messageOf(error)}. Fetch or save it anew.`, { cause: error })
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
