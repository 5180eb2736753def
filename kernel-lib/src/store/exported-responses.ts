// A teacher's answers as one file, for a class without keys or a paper's supplement: the response store's lines, one after another,
// gzipped where the name ends in .gz.
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { InputError } from "../core/errors"
import { writeFileAtomically } from "./atomic"
import { type LogEntry, readLine } from "./response-line"
import type { KeptTeacher } from "./response-store"

export interface ExportedResponses {
  readonly file: string
  /** Requests whose answer, or final failure, is in the file. */
  readonly responses: number
}

/**
 * Writes all answers that a run has had to one file, which `recordedTeacher(file)` and `openaiTeacher(model, { responses: file })` replay:
 * the same notebook then runs without a key and gives the same rows. The prompts are in it; keys are not, since the store never holds any.
 *
 * @param source a run, or its folder
 * @param file path to write; gzipped where it ends in `.gz`
 * @throws InputError `responses.none`, `disk.full`, `disk.not-writable`
 * @example
 * const run = await openRun("runs/lesson", { teacher: simulatedTeacher() })
 * await generateDataset(spec, { run, numExamples: 8 })
 * const { responses } = await exportResponses(run, "runs/lesson.responses.jsonl.gz")
 */
export async function exportResponses(source: string | { readonly folder?: string }, file: string): Promise<ExportedResponses> {
  const folder = typeof source === "string" ? source : source.folder
  if (folder === undefined) {
    throw new InputError("responses.none", "This run has no folder and so no answers of its own: open one with openRun(folder, ...).")
  }
  const entries = await readResponses(folder)
  if (entries.size === 0)
    throw new InputError("responses.none", `${folder} holds no answers of a teacher: give the folder of a run that had some.`)
  const text = [...entries.values()].map(({ line }) => `${line}\n`).join("")
  await writeFileAtomically(file, file.endsWith(".gz") ? gzipSync(text) : text)
  return { file, responses: entries.size }
}

/** All answers and final failures that a run's folder, or a store's, has; by key. */
export async function readResponses(folder: string): Promise<Map<string, LogEntry>> {
  const entries = new Map<string, LogEntry>()
  for (const path of await findLogs(folder)) for (const [key, entry] of readEntries(await readFile(path, "utf8"))) entries.set(key, entry)
  return entries
}

/** The entries of an exported file, by key; undefined where the file is no such file. @throws what reading a file throws */
export async function readExportedResponses(file: string): Promise<Map<string, LogEntry> | undefined> {
  if (!(await stat(file)).isFile()) return undefined
  const bytes = await readFile(file)
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  if (!isZipped && !bytes.toString("latin1", 0, 2000).trimStart().startsWith('{"format":')) return undefined
  const entries = readEntries((isZipped ? unzip(bytes, file) : bytes).toString("utf8"))
  return entries.size > 0 ? entries : undefined
}

/** The teachers whose answers these are. */
export function teachersOf(entries: ReadonlyMap<string, LogEntry>): KeptTeacher[] {
  const byIdentity = new Map<string, KeptTeacher>()
  for (const { content } of entries.values()) byIdentity.set(content.teacher.identity, content.teacher)
  return [...byIdentity.values()]
}

async function findLogs(folder: string): Promise<string[]> {
  const inFolder = async (path: string) =>
    (await readdir(path).catch(() => [])).filter((name) => /^[0-9a-f]{16}\.jsonl$/.test(name)).map((name) => join(path, name))
  const own = await inFolder(join(folder, "responses"))
  return own.length > 0 ? own : inFolder(folder)
}

/** Entries by key; of two answers the first, and no failure that was forgotten or answered later. */
function readEntries(text: string): Map<string, LogEntry> {
  const entries = new Map<string, LogEntry>()
  for (const line of text.split("\n")) {
    const entry = line ? readLine(line) : undefined
    if (!entry) continue
    const before = entries.get(entry.key)?.kind
    if (before === "answer" || (before === "failure" && entry.kind === "failure")) continue
    if (entry.kind === "forgotten") entries.delete(entry.key)
    else entries.set(entry.key, entry)
  }
  return entries
}

function unzip(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes)
  } catch (cause) {
    throw new InputError("responses.damaged", `${file} is damaged and cannot be unpacked: fetch it again.`, { cause })
  }
}
