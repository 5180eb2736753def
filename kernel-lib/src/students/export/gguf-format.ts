// GGUF files: metadata by name, then tensors, each at a multiple of 32 bytes. Source: ggml's docs/gguf.md, version 3.
import { type FileHandle, open } from "node:fs/promises"
import { InputError } from "../../core/errors"

const magic = "GGUF"
const version = 3
const alignment = 32

/** gguf_metadata_value_type */
const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const

/** A value with its type; lists are of one type. */
export type MetadataValue =
  | { readonly type: "uint32" | "int32" | "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "float32s" | "int32s"; readonly value: readonly number[] }

/** ggml_type */
export const tensorTypes = { f32: 0, f16: 1, q8_0: 8 } as const
export type TensorType = keyof typeof tensorTypes

export interface GgufTensor {
  readonly name: string
  /** Rows first, as everywhere in this library; the file has them the other way round. */
  readonly shape: readonly number[]
  readonly type: TensorType
  readonly bytes: Uint8Array
}

export type Metadata = Readonly<Record<string, MetadataValue>>

/** Writes and flushes a file. */
export async function writeGguf(path: string, metadata: Metadata, tensors: readonly GgufTensor[]): Promise<void> {
  const head = [Buffer.from(magic), uint32(version), uint64(tensors.length), uint64(Object.keys(metadata).length)]
  for (const [name, value] of Object.entries(metadata)) head.push(text(name), ...encodeValue(value))
  let offset = 0
  for (const { name, shape, type, bytes } of tensors) {
    head.push(text(name), uint32(shape.length), ...[...shape].reverse().map(uint64), uint32(tensorTypes[type]), uint64(offset))
    offset += bytes.length + padding(bytes.length)
  }
  const file = await open(path, "w")
  try {
    const start = Buffer.concat(head)
    await writeAll(file, start)
    await writeAll(file, Buffer.alloc(padding(start.length)))
    for (const { bytes } of tensors) {
      await writeAll(file, bytes)
      await writeAll(file, Buffer.alloc(padding(bytes.length)))
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, Math.min(bytes.length - done, 1 << 28))).bytesWritten
}

function padding(length: number): number {
  return (alignment - (length % alignment)) % alignment
}

function encodeValue(value: MetadataValue): Buffer[] {
  switch (value.type) {
    case "uint32":
    case "int32":
    case "float32":
      return [uint32(valueTypes[value.type]), number(value.type, value.value)]
    case "bool":
      return [uint32(valueTypes.bool), Buffer.of(Number(value.value))]
    case "string":
      return [uint32(valueTypes.string), text(value.value)]
    case "strings":
      return [uint32(valueTypes.array), uint32(valueTypes.string), uint64(value.value.length), ...value.value.map(text)]
    case "float32s":
    case "int32s": {
      const type = value.type === "float32s" ? "float32" : "int32"
      return [
        uint32(valueTypes.array),
        uint32(valueTypes[type]),
        uint64(value.value.length),
        ...value.value.map((one) => number(type, one)),
      ]
    }
  }
}

function number(type: "uint32" | "int32" | "float32", value: number): Buffer {
  const buffer = Buffer.alloc(4)
  if (type === "float32") buffer.writeFloatLE(value)
  else if (type === "int32") buffer.writeInt32LE(value)
  else buffer.writeUInt32LE(value)
  return buffer
}

function uint32(value: number): Buffer {
  return number("uint32", value)
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8")
  return Buffer.concat([uint64(bytes.length), bytes])
}

/** The tensors of a file that `writeGguf` wrote. @throws InputError `export.damaged` */
export function readGgufTensors(file: Uint8Array): GgufTensor[] {
  const reader = new Reader(file)
  if (reader.string(4) !== magic || reader.uint32() !== version) throw damaged()
  const [numTensors, numValues] = [reader.uint64(), reader.uint64()]
  for (let i = 0; i < numValues; i++) {
    reader.text()
    reader.skipValue(reader.uint32())
  }
  const names = Object.keys(tensorTypes) as TensorType[]
  const entries = Array.from({ length: numTensors }, () => {
    const name = reader.text()
    const shape = Array.from({ length: reader.uint32() }, () => reader.uint64()).reverse()
    const code = reader.uint32()
    const type = names.find((one) => tensorTypes[one] === code)
    if (!type) throw damaged()
    return { name, shape, type, offset: reader.uint64() }
  })
  const start = reader.place + padding(reader.place)
  return entries.map(({ offset, ...entry }) => ({ ...entry, bytes: reader.slice(start + offset, byteLength(entry)) }))
}

function byteLength({ shape, type }: Pick<GgufTensor, "shape" | "type">): number {
  const count = shape.reduce((product, size) => product * size, 1)
  return type === "f32" ? count * 4 : type === "f16" ? count * 2 : (count / 32) * 34
}

function damaged(): InputError {
  return new InputError("export.damaged", "The GGUF file is not what was written: export the student again.")
}

class Reader {
  place = 0
  private readonly view: DataView

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  slice(start: number, length: number): Uint8Array {
    if (!(start >= 0 && length >= 0 && start + length <= this.bytes.length)) throw damaged()
    return this.bytes.subarray(start, start + length)
  }

  private take(length: number): number {
    this.slice(this.place, length)
    this.place += length
    return this.place - length
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  uint64(): number {
    return Number(this.view.getBigUint64(this.take(8), true))
  }

  string(length: number): string {
    return Buffer.from(this.slice(this.take(length), length)).toString("utf8")
  }

  text(): string {
    return this.string(this.uint64())
  }

  skipValue(type: number): void {
    if (type === valueTypes.string) this.text()
    else if (type === valueTypes.array) {
      const inner = this.uint32()
      for (let left = this.uint64(); left > 0; left--) this.skipValue(inner)
    } else this.take(type === valueTypes.bool ? 1 : 4)
  }
}
