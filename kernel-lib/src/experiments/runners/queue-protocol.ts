// What submitter and workers say to each other through Redis: short, plain data that is checked when it arrives. Rows, models, results and
// metrics go through the folder that they share; keys and passwords go nowhere.
import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { InputError } from "../../core/errors"
import { explainDiskError } from "../../store/atomic"
import { packageFolder } from "../../store/package-folder"
import { type CellTicket, isTicket } from "./cell-files"

/** The queue's name where nobody says: one Redis may serve several. */
export const usualQueueName = "prompt2model"

/** Job of the queue. */
export interface QueuedCell extends CellTicket {
  /** The submitter's: what another one computes may be something else. */
  readonly version: string
  /** The mark of the submitter's folder. */
  readonly folder: string
}

export function isQueuedCell(value: unknown): value is QueuedCell {
  const { version, folder } = (value ?? {}) as Partial<QueuedCell>
  return isTicket(value) && typeof version === "string" && version.length < 50 && typeof folder === "string" && folder.length < 50
}

/** What a worker says while it computes, or why it does not. */
export interface CellProgressMessage {
  readonly where: string
  readonly note: string
  readonly isRefused?: boolean
}

export function isProgressMessage(value: unknown): value is CellProgressMessage {
  const { where, note } = (value ?? {}) as Partial<CellProgressMessage>
  return typeof where === "string" && typeof note === "string"
}

/** Why a cell failed, as a job keeps it. */
export interface CellTrouble {
  readonly code: string
  readonly message: string
}

export function readTrouble(reason: string | undefined): CellTrouble {
  try {
    const { code, message } = JSON.parse(reason ?? "") as Partial<CellTrouble>
    if (typeof code === "string" && typeof message === "string") return { code, message }
  } catch {}
  if (/stalled/.test(reason ?? ""))
    return {
      code: "queue.worker-died",
      message: "Its workers died or went silent, one after the other: look at what they wrote, then run the same call again.",
    }
  return { code: "queue.failed", message: `The queue says: ${(reason ?? "nothing").slice(0, 300)}.` }
}

/** Where a worker hears of cells that nobody wants any more. */
export function cancelChannel(queueName: string): string {
  return `${queueName}:cancelled-cells`
}

/**
 * What tells a folder from all others: a file in it that whoever comes first writes.
 * @throws InputError `disk.full`, `disk.not-writable`
 */
export async function markFolder(folder: string): Promise<string> {
  const path = join(folder, "prompt2model-shared.json")
  try {
    writeFileSync(path, JSON.stringify({ mark: randomBytes(8).toString("hex") }), { flag: "wx" })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw explainDiskError(error, folder)
  }
  for (let attempt = 0; attempt < 20; attempt++) {
    const mark = readMark(path)
    if (mark !== undefined) return mark
    // Somebody is writing it.
    await wait(100)
  }
  throw new InputError("queue.folder-mark", `${path} cannot be read: delete it, and start again.`)
}

function readMark(path: string): string | undefined {
  try {
    const { mark } = JSON.parse(readFileSync(path, "utf8"))
    return typeof mark === "string" ? mark : undefined
  } catch {
    return undefined
  }
}

export function ownVersion(): string {
  return JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")).version
}
