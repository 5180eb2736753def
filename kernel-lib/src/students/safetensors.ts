// Weights on disk, as Hugging Face's safetensors: eight bytes of header length, a JSON header, then the tensors one after another.
// Everything that the header says is checked against the file before a byte is read by it. Tensors are read and written one at a
// time, so that a file is never held in memory beside its weights. Where a folder has only torch's files, their tensors are listed and
// read in the same way. Format: https://huggingface.co/docs/safetensors
import type { FileHandle } from "node:fs/promises"
import { open, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { InputError } from "../core/errors"
import { writeFileAtomically } from "../store/atomic"
import { listTorchTensors } from "./torch-checkpoint"
import { bytesOf, countNumbers, damaged, isCount, isRecord, parseJson, readExactly, type TensorEntry } from "./weight-entry"
import { type Widening, widenings } from "./widen-numbers"

export { countNumbers, type TensorEntry } from "./weight-entry"

/** A tensor to write. `data` has as many numbers as `shape` asks for. */
export interface NamedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** The reference reader's own limit. */
const maxHeaderBytes = 100_000_000
const chunkBytes = 4 << 20

/** Lists the tensors of one file. */
type Lister = (path: string) => Promise<ReadonlyMap<string, TensorEntry>>

/** The files that weights come in, in the order in which transformers prefers them. */
const formats: readonly { single: string; shard: RegExp; list: Lister }[] = [
  { single: "model.safetensors", shard: /^[\w.-]+\.safetensors$/, list: listTensors },
  { single: "pytorch_model.bin", shard: /^[\w.-]+\.bin$/, list: listTorchTensors },
]

/**
 * The tensors of `folder`, from `model.safetensors`, else from `pytorch_model.bin`, or from the shards that `model.safetensors.index.json`
 * or `pytorch_model.bin.index.json` names. Only headers are read.
 * @throws InputError `weights.missing`, `weights.damaged`, `weights.type`, `weights.unsafe`
 */
export async function listWeights(folder: string): Promise<ReadonlyMap<string, TensorEntry>> {
  for (const { single, shard, list } of formats) {
    if (await isFile(join(folder, single))) return list(join(folder, single))
    const indexPath = join(folder, `${single}.index.json`)
    if (await isFile(indexPath)) return listShards(folder, indexPath, shard, list)
  }
  throw new InputError(
    "weights.missing",
    `${folder} has neither model.safetensors nor pytorch_model.bin: is it a folder that transformers or this library wrote?`,
  )
}

async function listShards(folder: string, indexPath: string, shardName: RegExp, list: Lister): Promise<ReadonlyMap<string, TensorEntry>> {
  const index = parseJson(await readFile(indexPath, "utf8"), indexPath)
  const weightMap = isRecord(index) ? index.weight_map : undefined
  if (!isRecord(weightMap)) throw damaged(indexPath, "it has no weight_map")
  const shards = new Map<string, ReadonlyMap<string, TensorEntry>>()
  const entries = new Map<string, TensorEntry>()
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== "string" || !shardName.test(shard)) throw damaged(indexPath, `the file of ${name} is no file name`)
    if (!shards.has(shard)) {
      if (!(await isFile(join(folder, shard)))) throw damaged(indexPath, `${shard} is not in the folder`)
      shards.set(shard, await list(join(folder, shard)))
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
   * Reads a tensor into `target`, which has exactly its number of numbers, as 32-bit floats.
   * @throws InputError `weights.damaged`, `weights.type`
   */
  async readInto(entry: TensorEntry, target: Float32Array): Promise<void> {
    const count = countNumbers(entry.shape)
    if (target.length !== count) throw new RangeError(`${entry.name} has ${count} numbers, and the target ${target.length}`)
    const widen = widenings[entry.dtype]
    if (!widen)
      throw new InputError(
        "weights.type",
        `${entry.name} in ${entry.path} is ${entry.dtype}, which this library does not read: save the model as float32, float16 or bfloat16.`,
      )
    if (entry.strides === undefined) return this.readNumbers(entry, target, widen)
    const span = new Float32Array(entry.bytes / bytesOf[entry.dtype])
    await this.readNumbers(entry, span, widen)
    gather(span, entry.shape, entry.strides, target)
  }

  private async readNumbers(entry: TensorEntry, target: Float32Array, widen: Widening): Promise<void> {
    const file = await this.openFile(entry.path)
    const width = bytesOf[entry.dtype]
    const chunkLength = chunkBytes / width
    let checksum = 0
    for (let start = 0; start < target.length; start += chunkLength) {
      const end = Math.min(target.length, start + chunkLength)
      const chunk = await readExactly(file, entry.offset + start * width, (end - start) * width, entry.path)
      if (entry.checksum !== undefined) checksum = crc32(chunk, checksum)
      widen(chunk, target.subarray(start, end))
    }
    if (entry.checksum !== undefined && checksum !== entry.checksum)
      throw damaged(entry.path, `the numbers of ${entry.name} are not what was written`)
  }

  private async openFile(path: string): Promise<FileHandle> {
    let file = this.files.get(path)
    if (!file) {
      file = await open(path, "r")
      this.files.set(path, file)
    }
    return file
  }

  async close(): Promise<void> {
    const open = [...this.files.values()]
    this.files.clear()
    await Promise.all(open.map((file) => file.close()))
  }
}

/** Puts the numbers of a view in the order of its axes. */
function gather(span: Float32Array, shape: readonly number[], strides: readonly number[], target: Float32Array): void {
  const places = shape.map(() => 0)
  let from = 0
  for (let i = 0; i < target.length; i++) {
    target[i] = span[from]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++places[axis] < shape[axis]) break
      from -= shape[axis] * strides[axis]
      places[axis] = 0
    }
  }
}

export interface WriteWeightsOptions {
  /** Stands in the files' metadata beside `format: "pt"`. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Bytes of numbers in one file; a larger model is written as several with an index. Default: 5e9. */
  readonly maxShardBytes?: number
}

/**
 * Writes `tensors` to `folder` as transformers does: `model.safetensors`, or `model-00001-of-0000N.safetensors` ... with
 * `model.safetensors.index.json` where they are more than `maxShardBytes`. A tensor is never divided.
 * Not atomic: write into a folder that is placed atomically.
 */
export async function writeWeights(folder: string, tensors: readonly NamedTensor[], options: WriteWeightsOptions = {}): Promise<void> {
  const { metadata = {}, maxShardBytes = 5e9 } = options
  const shards = divideTensors(tensors, maxShardBytes)
  if (shards.length <= 1) return writeSafetensors(join(folder, "model.safetensors"), tensors, metadata)
  const weightMap: Record<string, string> = {}
  for (const [i, shard] of shards.entries()) {
    const file = `model-${padNumber(i + 1)}-of-${padNumber(shards.length)}.safetensors`
    for (const { name } of shard) weightMap[name] = file
    await writeSafetensors(join(folder, file), shard, metadata)
  }
  const total = tensors.reduce((sum, { data }) => sum + data.byteLength, 0)
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(Object.entries(weightMap).sort()) }
  await writeFileAtomically(join(folder, "model.safetensors.index.json"), `${JSON.stringify(index, null, 2)}\n`)
}

function divideTensors(tensors: readonly NamedTensor[], maxShardBytes: number): NamedTensor[][] {
  const shards: NamedTensor[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const tensor of tensors) {
    if (bytes + tensor.data.byteLength > maxShardBytes) {
      shards.push([])
      bytes = 0
    }
    shards[shards.length - 1].push(tensor)
    bytes += tensor.data.byteLength
  }
  return shards
}

function padNumber(value: number): string {
  return String(value).padStart(5, "0")
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

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
