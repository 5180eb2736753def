// The files of a zip archive that are stored without compression, as torch.save writes its archives; zip64 too. Only directories are
// read, and every offset is checked against the archive before it is used.
// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
import type { FileHandle } from "node:fs/promises"
import { damaged, readExactly } from "./weight-entry"

/** A file in an archive: its bytes lie in one piece. */
export interface StoredFile {
  readonly name: string
  /** First byte, counted from the start of the archive. */
  readonly offset: number
  readonly bytes: number
  /** CRC-32 of the bytes; undefined where none was written. */
  readonly checksum?: number
}

interface Directory {
  readonly start: number
  readonly bytes: number
  readonly files: number
}

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locator64Signature = 0x07064b50
const directorySignature = 0x02014b50
const localSignature = 0x04034b50
const endBytes = 22
const locator64Bytes = 20
const entryBytes = 46
const localBytes = 30
const maxCommentBytes = 0xffff
/** A model has some thousand tensors; a directory of this size has a million. */
const maxDirectoryBytes = 100_000_000

/**
 * The files of the archive at `path`, by name.
 * @throws InputError `weights.damaged`
 */
export async function listStoredFiles(file: FileHandle, path: string): Promise<ReadonlyMap<string, StoredFile>> {
  const { size } = await file.stat()
  const directory = await findDirectory(file, path, size)
  const bytes = await readExactly(file, directory.start, directory.bytes, path)
  const files = new Map<string, StoredFile>()
  for (let at = 0, i = 0; i < directory.files; i++) {
    if (at + entryBytes > bytes.length || bytes.readUInt32LE(at) !== directorySignature) throw damaged(path, "its list of files is broken")
    const nameBytes = bytes.readUInt16LE(at + 28)
    const extraBytes = bytes.readUInt16LE(at + 30)
    const next = at + entryBytes + nameBytes + extraBytes + bytes.readUInt16LE(at + 32)
    if (next > bytes.length) throw damaged(path, "its list of files is broken")
    const name = bytes.toString("utf8", at + entryBytes, at + entryBytes + nameBytes)
    if (files.has(name)) throw damaged(path, `it has ${name} twice`)
    const extra = bytes.subarray(at + entryBytes + nameBytes, at + entryBytes + nameBytes + extraBytes)
    const sizes = readSizes(bytes, at, extra, path)
    if ((bytes.readUInt16LE(at + 8) & 1) !== 0 || bytes.readUInt16LE(at + 10) !== 0 || sizes.stored !== sizes.bytes)
      throw damaged(path, `${name} in it is compressed or encrypted, which torch.save never does`)
    const offset = await findData(file, path, sizes.header, sizes.bytes, directory.start)
    files.set(name, { name, offset, bytes: sizes.bytes, checksum: bytes.readUInt32LE(at + 16) || undefined })
    at = next
  }
  return files
}

async function findDirectory(file: FileHandle, path: string, size: number): Promise<Directory> {
  const tailBytes = Math.min(size, endBytes + maxCommentBytes + locator64Bytes)
  const tailStart = size - tailBytes
  const tail = await readExactly(file, tailStart, tailBytes, path)
  let at = tailBytes - endBytes
  while (at >= 0 && !(tail.readUInt32LE(at) === endSignature && at + endBytes + tail.readUInt16LE(at + 20) === tailBytes)) at--
  if (at < 0) throw damaged(path, "it has no end of a zip archive, so a part of it is missing or it is no torch file")
  const hasLocator = at >= locator64Bytes && tail.readUInt32LE(at - locator64Bytes) === locator64Signature
  const directory = hasLocator
    ? await readDirectory64(file, path, readLong(tail, at - locator64Bytes + 8), tailStart + at)
    : { start: tail.readUInt32LE(at + 16), bytes: tail.readUInt32LE(at + 12), files: tail.readUInt16LE(at + 10) }
  const { start, bytes, files } = directory
  if (!(start + bytes <= tailStart + at) || bytes > maxDirectoryBytes || files * entryBytes > bytes)
    throw damaged(path, "its list of files does not lie where its end says")
  return directory
}

async function readDirectory64(file: FileHandle, path: string, start: number, limit: number): Promise<Directory> {
  if (!(start + 56 <= limit)) throw damaged(path, "its list of files does not lie where its end says")
  const record = await readExactly(file, start, 56, path)
  if (record.readUInt32LE(0) !== end64Signature) throw damaged(path, "its list of files does not lie where its end says")
  return { start: readLong(record, 48), bytes: readLong(record, 40), files: readLong(record, 32) }
}

/** Sizes and the place of the local header; those that need more than 32 bits stand in the extra field. */
function readSizes(bytes: Buffer, at: number, extra: Buffer, path: string): { stored: number; bytes: number; header: number } {
  const values = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)]
  if (values.includes(0xffffffff)) {
    const long = findLongSizes(extra)
    let used = 0
    for (const [i, value] of values.entries()) {
      if (value !== 0xffffffff) continue
      if (used + 8 > long.length) throw damaged(path, "its list of files is broken")
      values[i] = readLong(long, used)
      used += 8
    }
  }
  return { bytes: values[0], stored: values[1], header: values[2] }
}

function findLongSizes(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
  return extra.subarray(0, 0)
}

async function findData(file: FileHandle, path: string, header: number, bytes: number, limit: number): Promise<number> {
  if (!(header + localBytes <= limit)) throw damaged(path, "a file in it lies past its end")
  const local = await readExactly(file, header, localBytes, path)
  if (local.readUInt32LE(0) !== localSignature) throw damaged(path, "a file in it does not lie where its list says")
  const offset = header + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28)
  if (!(offset + bytes <= limit)) throw damaged(path, "a file in it lies past its end")
  return offset
}

/** 64 bits; NaN where they are more than a safe integer, so that no check lets them pass. */
function readLong(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at))
  return Number.isSafeInteger(value) ? value : Number.NaN
}
