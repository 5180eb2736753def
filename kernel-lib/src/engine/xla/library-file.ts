// Looks at a shared library's file before it is loaded: the loader trusts what the file says of itself, and one that was cut short would
// end the process. Files of other systems than Linux are left to their loaders.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs"
import { EngineError, messageOf } from "../../core/errors"

/** Offsets in the header of a 64-bit little-endian ELF file. */
const header = { size: 64, segments: 32, sections: 40, segmentSize: 54, numSegments: 56, sectionSize: 58, numSections: 60 } as const
const magic = "\x7fELF\x02\x01"
/** Of one segment: where it lies in the file, and how many bytes. */
const segment = { offset: 8, bytes: 32 } as const

/** @throws EngineError `engine.xla-broken` for a file that is missing, no library, or cut short */
export function checkLibraryFile(path: string): void {
  const file = openFile(path)
  try {
    if (process.platform === "linux") checkElf(path, file)
  } finally {
    closeSync(file)
  }
}

function openFile(path: string): number {
  try {
    if (!statSync(path).isFile()) throw new Error("it is no file")
    return openSync(path, "r")
  } catch (cause) {
    throw new EngineError(
      "engine.xla-broken",
      `The PJRT plug-in ${path} cannot be read (${messageOf(cause)}): name a file that is there.`,
      {
        cause,
      },
    )
  }
}

function checkElf(path: string, file: number): void {
  const { size } = fstatSync(file)
  const read = (offset: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes)
    if (offset + bytes > size || readSync(file, buffer, 0, bytes, offset) < bytes) throw refuse(path, "is cut short")
    return buffer
  }
  if (size < header.size || read(0, magic.length).toString("latin1") !== magic) throw refuse(path, "is no shared library")
  const start = read(0, header.size)
  const sections = Number(start.readBigUInt64LE(header.sections))
  if (sections + start.readUInt16LE(header.sectionSize) * start.readUInt16LE(header.numSections) > size) throw refuse(path, "is cut short")
  const segmentSize = start.readUInt16LE(header.segmentSize)
  const table = read(Number(start.readBigUInt64LE(header.segments)), segmentSize * start.readUInt16LE(header.numSegments))
  if (segmentSize < segment.bytes + 8) throw refuse(path, "is no shared library")
  for (let at = 0; at < table.length; at += segmentSize) {
    const end = table.readBigUInt64LE(at + segment.offset) + table.readBigUInt64LE(at + segment.bytes)
    if (end > BigInt(size)) throw refuse(path, "is cut short")
  }
}

function refuse(path: string, what: string): EngineError {
  return new EngineError("engine.xla-broken", `The PJRT plug-in ${path} ${what}: install its package again.`)
}
