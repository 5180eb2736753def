// The tensors of a file that torch.save wrote (`pytorch_model.bin`): a zip archive with a pickle, which says what tensors there are,
// and a file for each storage that they lie in. Nothing of the pickle is executed: it may build dictionaries and tensors, and any
// other name in it is refused. Format: torch/serialization.py and torch/_utils.py
import { type FileHandle, open } from "node:fs/promises"
import { crc32 } from "node:zlib"
import { InputError, messageOf } from "../core/errors"
import { ForbiddenGlobalError, PickledGlobal, PickledTuple, type PickleRules, readPickle } from "./pickle"
import { bytesOf, countNumbers, damaged, isCount, readExactly, type TensorEntry } from "./weight-entry"
import { listStoredFiles, type StoredFile } from "./zip-archive"

/** torch's storages, as safetensors names their type. */
const storageTypes: ReadonlyMap<string, string> = new Map([
  ["torch.FloatStorage", "F32"],
  ["torch.DoubleStorage", "F64"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
])

/** Numbers in a row, of one type. */
class Storage {
  constructor(
    readonly dtype: string,
    readonly file: StoredFile,
    readonly count: number,
  ) {}
}

/** A view of a storage. */
class TorchTensor {
  constructor(
    readonly storage: Storage,
    readonly start: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Some 300 bytes a tensor are usual. */
const maxPickleBytes = 16_000_000

/**
 * The tensors of a torch file, in the order in which the file names them; what else its dictionary holds is left out.
 * @throws InputError `weights.damaged`, `weights.type` for a file of torch before 1.6, `weights.unsafe` for one that would run code
 */
export async function listTorchTensors(path: string): Promise<ReadonlyMap<string, TensorEntry>> {
  const file = await open(path, "r")
  try {
    await refuseOldFormat(file, path)
    const files = await listStoredFiles(file, path)
    const pickle = [...files.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name))
    if (!pickle || pickle.bytes > maxPickleBytes) throw damaged(path, "it has no data.pkl that says what tensors there are")
    const folder = pickle.name.slice(0, -"data.pkl".length)
    await refuseBigEndian(file, path, files.get(`${folder}byteorder`))
    const bytes = await readExactly(file, pickle.offset, pickle.bytes, path)
    if (pickle.checksum !== undefined && crc32(bytes) !== pickle.checksum) throw damaged(path, "its data.pkl is not what was written")
    return collectTensors(interpretPickle(bytes, new TorchRules(files, folder), path), path)
  } finally {
    await file.close()
  }
}

async function refuseOldFormat(file: FileHandle, path: string): Promise<void> {
  const { size } = await file.stat()
  const head = await readExactly(file, 0, Math.min(size, 4), path)
  if (head.length > 1 && head[0] === 0x80 && head[1] < 6)
    throw new InputError(
      "weights.type",
      `${path} is in torch's format from before version 1.6: load it with a current torch and save it again (torch.save, or save_pretrained of transformers).`,
    )
}

async function refuseBigEndian(file: FileHandle, path: string, order: StoredFile | undefined): Promise<void> {
  if (!order || order.bytes > 16) return
  if ((await readExactly(file, order.offset, order.bytes, path)).toString("latin1") === "big")
    throw new InputError(
      "weights.type",
      `${path} was written by a big-endian machine: save it as safetensors, which knows one order of bytes.`,
    )
}

function interpretPickle(bytes: Buffer, rules: PickleRules, path: string): unknown {
  try {
    return readPickle(bytes, rules)
  } catch (error) {
    if (error instanceof ForbiddenGlobalError && error.global.startsWith("torch."))
      throw new InputError(
        "weights.type",
        `${path} has tensors of a kind (${error.global}) that this library does not read: save the model as safetensors.`,
        { cause: error },
      )
    if (error instanceof ForbiddenGlobalError)
      throw new InputError(
        "weights.unsafe",
        `${path} asks for ${JSON.stringify(error.global)}, which is no part of a model's weights, so nothing of it was run: ` +
          "get the weights from a source that you trust, best as safetensors.",
        { cause: error },
      )
    throw new InputError("weights.damaged", `${path} cannot be read: ${messageOf(error)}. Fetch or save it anew.`, { cause: error })
  }
}

function collectTensors(value: unknown, path: string): ReadonlyMap<string, TensorEntry> {
  if (!(value instanceof Map)) throw damaged(path, "it holds no dictionary of tensors")
  const entries = new Map<string, TensorEntry>()
  for (const [name, tensor] of value) {
    if (typeof name === "string" && tensor instanceof TorchTensor) entries.set(name, describeTensor(name, tensor, path))
  }
  if (entries.size === 0 && value.size > 0)
    throw new InputError(
      "weights.damaged",
      `${path} holds no tensors but what a training kept: save the model's state_dict() alone, best as safetensors.`,
    )
  return entries
}

function describeTensor(name: string, { storage, start, shape, strides }: TorchTensor, path: string): TensorEntry {
  const width = bytesOf[storage.dtype]
  const span = spanOf(shape, strides)
  const { file } = storage
  const entry = { name, dtype: storage.dtype, shape, path, offset: file.offset + start * width, bytes: span * width }
  if (entry.offset === file.offset && entry.bytes === file.bytes && isContiguous(shape, strides))
    return { ...entry, checksum: file.checksum }
  return isContiguous(shape, strides) ? entry : { ...entry, strides }
}

/** How many numbers of its storage a view reaches over. */
function spanOf(shape: readonly number[], strides: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((span, size, axis) => span + (size - 1) * strides[axis], 1)
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]
  }
  return true
}

/** The few names that a dictionary of tensors is built with. */
class TorchRules implements PickleRules {
  constructor(
    private readonly files: ReadonlyMap<string, StoredFile>,
    private readonly folder: string,
  ) {}

  isAllowed(name: string): boolean {
    return Object.hasOwn(calls, name) || storageTypes.has(name)
  }

  call(name: string, values: readonly unknown[]): unknown {
    if (!Object.hasOwn(calls, name)) throw new Error(`it calls ${name}`)
    return calls[name](values)
  }

  /** A storage: the word "storage", its type, the name of its file, a device and how many numbers it has. */
  load(identifier: unknown): Storage {
    const [word, type, key, , count] = identifier instanceof PickledTuple ? identifier.items : []
    const dtype = type instanceof PickledGlobal ? storageTypes.get(type.name) : undefined
    if (word !== "storage" || !dtype || typeof key !== "string" || !isCount(count)) throw new Error("a storage in it is not described")
    const file = this.files.get(`${this.folder}data/${key}`)
    if (!file) throw new Error(`it has no file for the storage ${key}`)
    if (count * bytesOf[dtype] > file.bytes) throw new Error(`the storage ${key} is longer than its file`)
    return new Storage(dtype, file, count)
  }
}

const calls: Readonly<Record<string, (values: readonly unknown[]) => unknown>> = {
  "collections.OrderedDict": (values) => {
    if (values.length > 0) throw new Error("it fills a dictionary in a way that torch does not")
    return new Map()
  },
  "torch._utils._rebuild_tensor_v2": ([storage, start, shape, strides]) => rebuildTensor(storage, start, shape, strides),
  "torch._utils._rebuild_parameter": ([tensor]) => tensor,
  "torch._utils._rebuild_parameter_with_state": ([tensor]) => tensor,
  "torch.Size": ([items]) => items,
}

function rebuildTensor(storage: unknown, start: unknown, shape: unknown, strides: unknown): TorchTensor {
  const sizes = shape instanceof PickledTuple ? shape.items : undefined
  const steps = strides instanceof PickledTuple ? strides.items : undefined
  if (!(storage instanceof Storage) || !isCount(start) || !sizes?.every(isCount) || !steps?.every(isCount) || steps.length !== sizes.length)
    throw new Error("a tensor in it is not described")
  // Larger than its storage is a tensor only that repeats numbers, which no weight does; it could ask for any amount of memory.
  if (!(start + spanOf(sizes, steps) <= storage.count && countNumbers(sizes) <= storage.count))
    throw new Error("a tensor in it is larger than its storage")
  return new TorchTensor(storage, start, sizes, steps)
}
