// Parquet's pages with limits. hyparquet believes what a page says of itself: a damaged one may promise thousands of millions of values in six bytes, and
// the browser's tab would go down with the worker that writes them all. tsdown.config.ts puts these functions in the place of hyparquet's own.
import { deserializeTCompactProtocol as readThrift } from "hyparquet/src/thrift.js"
import { Trouble } from "./trouble"

export { byteStreamSplit } from "hyparquet/src/encoding.js"

/** Of one column in one group of rows. */
export const mostValues = 2 ** 25
const mostBytes = 1e9

const left = { values: mostValues, bytes: mostBytes }

/** What was allowed to whoever read before is allowed again. */
export function allowPages(): void {
  left.values = mostValues
  left.bytes = mostBytes
}

/** A page's header. By the format's numbers, fields 2 and 3 are its sizes, and 5, 7 and 8 what is told of data, of a dictionary, and of newer data. */
export function deserializeTCompactProtocol(reader: Reader): ReturnType<typeof readThrift> {
  const header = readThrift(reader)
  const kinds = [header.field_5, header.field_7, header.field_8]
  const [data, dictionary, newer] = kinds.map((kind) =>
    typeof kind === "object" && kind !== null ? (kind as Readonly<Record<string, unknown>>) : undefined,
  )
  // hyparquet takes a size that is missing for a place, and reads the same bytes again and again.
  const levels = newer ? [newer.field_2, newer.field_3, newer.field_5, newer.field_6] : []
  if (![header.field_2, header.field_3, ...levels].every(isCount)) throw new Trouble("A page of it is damaged.")
  if (!take("bytes", header.field_2))
    throw new Trouble("A page of it promises %1 bytes: more than can be read at once.", String(header.field_2))
  for (const kind of [data, dictionary, newer])
    if (kind && !take("values", kind.field_1))
      throw new Trouble("A page of it promises %1 values: more than can be read at once.", String(kind.field_1))
  return header
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0
}

function take(what: keyof typeof left, count: unknown): boolean {
  if (!isCount(count) || count > left[what]) return false
  left[what] -= count
  return true
}

interface Reader {
  readonly view: DataView
  offset: number
}

/** The widest number of a dictionary's entry that is read: its bits stay in 32 while the next ones come. */
const widest = 24

/**
 * Runs of equal numbers and runs of packed ones, until `output` is full (the format's "RLE / bit-packed hybrid"). `length` bytes hold them; where it is
 * not given, it stands before them in four.
 */
export function readRleBitPackedHybrid(reader: Reader, width: number, output: number[], length?: number): void {
  if (!(width >= 0 && width <= widest)) throw new Trouble("A page of it has numbers of %1 bits.", width)
  const { view } = reader
  let bytes = length
  if (bytes === undefined) {
    bytes = view.getUint32(reader.offset, true)
    reader.offset += 4
  }
  const start = reader.offset
  const size = Math.ceil(width / 8)
  for (let seen = 0; seen < output.length; ) {
    const header = readVarInt(reader)
    const count = Math.min(header % 2 === 1 ? 8 * Math.floor(header / 2) : header / 2, output.length - seen)
    if (header % 2 === 1) unpack(view, reader.offset, width, output, seen, seen + count)
    else {
      let value = 0
      for (let index = 0; index < size; index++) value |= view.getUint8(reader.offset + index) << (8 * index)
      output.fill(value, seen, seen + count)
    }
    reader.offset += header % 2 === 1 ? width * Math.floor(header / 2) : size
    seen += count
  }
  reader.offset = start + bytes
}

/** Numbers of `width` bits, the lowest bit first. @throws RangeError where the bytes end */
function unpack(view: DataView, offset: number, width: number, output: number[], start: number, end: number): void {
  const mask = 2 ** width - 1
  let at = offset
  let held = 0
  let bits = 0
  for (let index = start; index < end; index++) {
    for (; bits < width; bits += 8) held |= view.getUint8(at++) << bits
    output[index] = held & mask
    held >>>= width
    bits -= width
  }
}

function readVarInt(reader: Reader): number {
  let value = 0
  for (let place = 1; ; place *= 128) {
    const byte = reader.view.getUint8(reader.offset++)
    value += (byte & 127) * place
    if (byte < 128) return value
    if (place >= 2 ** 28) throw new Trouble("A page of it is damaged.")
  }
}
