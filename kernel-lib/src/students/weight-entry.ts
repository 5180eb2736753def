// Where a tensor lies in a file, whatever the file's format, and how its bytes are read: shared by safetensors and torch files.
import type { FileHandle } from "node:fs/promises"
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
  /** Bytes from the first to the last number. */
  readonly bytes: number
  /** How many numbers apart neighbours lie along each axis, where they do not follow one another. */
  readonly strides?: readonly number[]
  /** CRC-32 of the bytes, where the format has it. */
  readonly checksum?: number
}

/** Bytes of a number of each type. */
export const bytesOf: Readonly<Record<string, number>> = {
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

/** How many numbers a shape holds; 1 for a scalar. */
export function countNumbers(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** `length` bytes from `position`, in memory of their own (so that typed views of them are aligned). */
export async function readExactly(file: FileHandle, position: number, length: number, path: string): Promise<Buffer> {
  const buffer = Buffer.from(new ArrayBuffer(length))
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done)
    if (bytesRead === 0) throw damaged(path, "it ends too early")
    done += bytesRead
  }
  return buffer
}

export function damaged(path: string, what: string): InputError {
  return new InputError("weights.damaged", `${path} cannot be read: ${what}. Fetch or save it anew.`)
}

export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError("weights.damaged", `${path} cannot be read: ${messageOf(error)}. Fetch or save it anew.`, { cause: error })
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
