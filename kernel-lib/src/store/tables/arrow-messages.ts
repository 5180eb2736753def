// The messages of an Arrow IPC stream, each checked before the Arrow library sees it: that library trusts the lengths and
// offsets in a message, and a damaged one can make it ask for more memory than there is.
// Format: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
import type { FileHandle } from "node:fs/promises"

const continuation = 0xffffffff
/** Members of the union `MessageHeader`. */
const headers = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const
const maxDepth = 32

/**
 * The stream's bytes, message by message, up to its end mark; no further than it is read.
 * @throws Error that says what is wrong, where the stream is cut short or a message points outside itself
 */
export async function* readArrowMessages(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  const { size } = await file.stat()
  let position = 0
  const take = async (length: number) => {
    if (position + length > size) throw new Error(`it ends at byte ${size}, inside a message`)
    const bytes = new Uint8Array(length)
    const { bytesRead } = await file.read(bytes, 0, length, position)
    if (bytesRead !== length) throw new Error(`byte ${position + bytesRead} is not there`)
    position += length
    return bytes
  }
  for (;;) {
    const prefix = await take(8)
    const words = new DataView(prefix.buffer)
    if (words.getUint32(0, true) !== continuation) throw new Error(`no Arrow stream message begins at byte ${position - 8}`)
    const length = words.getInt32(4, true)
    yield prefix
    if (length === 0) return
    if (length < 0) throw new Error(`a message of ${length} bytes at byte ${position}`)
    const metadata = await take(length)
    const bodyLength = checkMessage(new DataView(metadata.buffer))
    yield metadata
    if (bodyLength > 0) yield await take(bodyLength)
  }
}

/** Walks the message's FlatBuffers tables. Answers the length of the body that follows. */
function checkMessage(view: DataView): number {
  const buffer = new FlatBuffer(view)
  const message = buffer.table(buffer.follow(0))
  const bodyAt = message.field(3, 8)
  const bodyLength = bodyAt === undefined ? 0 : Number(view.getBigInt64(bodyAt, true))
  if (bodyLength < 0) throw new Error("a body of negative length")
  const headerAt = message.field(2, 4)
  const typeAt = message.field(1, 1)
  if (headerAt === undefined || typeAt === undefined) throw new Error("a message without a header")
  checkMetadata(buffer, message, 4)
  const header = buffer.table(buffer.follow(headerAt))
  const type = view.getUint8(typeAt)
  if (type === headers.schema) {
    checkMetadata(buffer, header, 2)
    for (const field of buffer.tables(header.field(1, 4))) checkField(buffer, field, 0)
  } else if (type === headers.recordBatch) {
    checkBatch(buffer, header, bodyLength)
  } else if (type === headers.dictionaryBatch) {
    const dataAt = header.field(1, 4)
    if (dataAt !== undefined) checkBatch(buffer, buffer.table(buffer.follow(dataAt)), bodyLength)
  } else {
    throw new Error(`a message of unknown type ${type}`)
  }
  return bodyLength
}

function checkField(buffer: FlatBuffer, field: FlatTable, depth: number): void {
  if (depth > maxDepth) throw new Error("a column nested too deep")
  buffer.text(field.field(0, 4))
  for (const index of [3, 4]) {
    const at = field.field(index, 4)
    if (at !== undefined) buffer.table(buffer.follow(at))
  }
  for (const child of buffer.tables(field.field(5, 4))) checkField(buffer, child, depth + 1)
  checkMetadata(buffer, field, 6)
}

function checkMetadata(buffer: FlatBuffer, table: FlatTable, index: number): void {
  for (const pair of buffer.tables(table.field(index, 4))) {
    buffer.text(pair.field(0, 4))
    buffer.text(pair.field(1, 4))
  }
}

function checkBatch(buffer: FlatBuffer, batch: FlatTable, bodyLength: number): void {
  const readLength = (at: number) => Number(buffer.view.getBigInt64(at, true))
  // Every row of every column takes at least one bit.
  const checkRows = (rows: number) => {
    if (!(rows >= 0 && rows <= bodyLength * 8)) throw new Error(`${rows} rows in ${bodyLength} bytes`)
  }
  const lengthAt = batch.field(0, 8)
  if (lengthAt !== undefined) checkRows(readLength(lengthAt))
  const nodes = buffer.vector(batch.field(1, 4), 16)
  for (let index = 0; index < nodes.length; index++) checkRows(readLength(nodes.start + 16 * index))
  const buffers = buffer.vector(batch.field(2, 4), 16)
  for (let index = 0; index < buffers.length; index++) {
    const start = readLength(buffers.start + 16 * index)
    const length = readLength(buffers.start + 16 * index + 8)
    if (!(start >= 0 && length >= 0 && start + length <= bodyLength))
      throw new Error(`bytes ${start} to ${start + length} of a body of ${bodyLength}`)
  }
  buffer.vector(batch.field(4, 4), 8)
}

interface FlatTable {
  /** Where the field with this index stands; undefined where it is left out. */
  field(index: number, size: number): number | undefined
}

/** Reads FlatBuffers structures, each only after it was found to lie inside the buffer. */
class FlatBuffer {
  /** A table takes four bytes at least; tables that are visited more often than there is room for form a loop. */
  private tablesLeft: number

  constructor(readonly view: DataView) {
    this.tablesLeft = view.byteLength / 4
  }

  /** The place that the offset at `position` points to. */
  follow(position: number): number {
    this.need(position, 4)
    return position + this.view.getUint32(position, true)
  }

  table(position: number): FlatTable {
    const { view } = this
    if (this.tablesLeft-- <= 0) throw new Error("tables that contain each other")
    this.need(position, 4)
    const vtable = position - view.getInt32(position, true)
    this.need(vtable, 4)
    const vtableSize = view.getInt16(vtable, true)
    const tableSize = view.getInt16(vtable + 2, true)
    this.need(vtable, vtableSize)
    this.need(position, tableSize)
    return {
      field: (index, size) => {
        const slot = 4 + 2 * index
        const offset = slot + 2 <= vtableSize ? view.getInt16(vtable + slot, true) : 0
        if (offset === 0) return undefined
        if (offset < 4 || offset + size > tableSize) throw new Error("a field outside its table")
        return position + offset
      },
    }
  }

  vector(at: number | undefined, itemSize: number): { start: number; length: number } {
    if (at === undefined) return { start: 0, length: 0 }
    const start = this.follow(at)
    this.need(start, 4)
    const length = this.view.getUint32(start, true)
    this.need(start + 4, length * itemSize)
    return { start: start + 4, length }
  }

  tables(at: number | undefined): FlatTable[] {
    const { start, length } = this.vector(at, 4)
    return Array.from({ length }, (_, index) => this.table(this.follow(start + 4 * index)))
  }

  text(at: number | undefined): void {
    this.vector(at, 1)
  }

  private need(position: number, length: number): void {
    if (!(position >= 0 && length >= 0 && position + length <= this.view.byteLength))
      throw new Error("a message that points outside itself")
  }
}
