// A line of the response store: its key, what it is, a checksum over all that follows, and the members of the entry, as one object of JSON.
import { createHash } from "node:crypto"

/** `answer` and `failure` are what a request came to; `forgotten` takes a failure back. */
export type EntryKind = "answer" | "failure" | "forgotten"

export interface LogEntry {
  readonly key: string
  readonly kind: EntryKind
  /** The line as it is on disk. */
  readonly line: string
  // biome-ignore lint/suspicious/noExplicitAny: whoever wrote an entry knows its members
  readonly content: any
}

/** Raised when the members of a line change their meaning. */
const format = 2
const head = /^\{"format":(\d+),"key":"([0-9a-f]{32})","kind":"(answer|failure|forgotten)","check":"([0-9a-f]{32})",/
/** Longest head of a line, in bytes. */
const headBytes = 140

/** The line of an entry. `members` are its further ones, as JSON. */
export function writeLine(key: string, kind: EntryKind, members: object): string {
  const body = JSON.stringify(members).slice(1)
  return `{"format":${format},"key":"${key}","kind":"${kind}","check":"${checkOf(key, kind, body)}",${body}`
}

/** The entry in `line`; undefined where it is none, or was damaged. */
export function readLine(line: string): LogEntry | undefined {
  const told = readHead(line)
  if (!told || told.check !== checkOf(told.key, told.kind, line.slice(told.length))) return undefined
  return { key: told.key, kind: told.kind, line, content: JSON.parse(line) }
}

/** What a line's head tells, if the line is whole; its members are not read. */
export function checkLine(line: Buffer): { key: string; kind: EntryKind; check: string } | undefined {
  const told = readHead(line.toString("latin1", 0, headBytes))
  return told && told.check === checkOf(told.key, told.kind, line.subarray(told.length)) ? told : undefined
}

function readHead(text: string): { length: number; key: string; kind: EntryKind; check: string } | undefined {
  const found = head.exec(text)
  if (!found || Number(found[1]) !== format) return undefined
  return { length: found[0].length, key: found[2], kind: found[3] as EntryKind, check: found[4] }
}

function checkOf(key: string, kind: string, body: string | Uint8Array): string {
  return createHash("sha256").update(`${key} ${kind} `).update(body).digest("hex").slice(0, 32)
}
