// Files that are either whole or not there: written beside their place, flushed, then renamed.
import { randomBytes } from "node:crypto"
import { constants } from "node:fs"
import { access, mkdir, open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { InputError } from "../core/errors"

/**
 * Writes `data` to `path`, making its folder where needed. A reader sees the old file or the new one, never a part.
 * @throws InputError `disk.full`, `disk.not-writable`
 */
export async function writeFileAtomically(path: string, data: string | Uint8Array): Promise<void> {
  await placeAtomically(path, async (temporary) => {
    const file = await open(temporary, "w")
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
  })
}

/**
 * Lets `write` fill a temporary path beside `path` (a file or a folder), then puts it in place; what stood there before is replaced.
 * On failure nothing is left behind.
 */
export async function placeAtomically(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await write(temporary)
    await replace(temporary, path)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    throw explainDiskError(error, path)
  }
}

/** A rename cannot replace a folder that is not empty, so the old one steps aside first. */
async function replace(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "EPERM" && code !== "EISDIR" && code !== "ENOTDIR") throw error
    const aside = `${temporary}.old`
    await rename(path, aside)
    await rename(temporary, path)
    await rm(aside, { recursive: true, force: true })
  }
}

/** Whether something is at `path`. */
export async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}

/** `error` as a sentence with its remedy, where it came from the disk; any other error as it is. */
export function explainDiskError(error: unknown, path: string): unknown {
  switch ((error as NodeJS.ErrnoException)?.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new InputError(
        "disk.full",
        `No space is left on the disk that holds ${path}: free some, or choose another folder with --out.`,
        { cause: error },
      )
    case "EFBIG":
      return new InputError(
        "disk.file-too-large",
        `${path} may not grow any more: raise the limit on the size of a file (ulimit -f), or choose a folder on another disk with --out.`,
        { cause: error },
      )
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new InputError(
        "disk.not-writable",
        `${path} may not be written: choose another folder with --out, or change its permissions.`,
        { cause: error },
      )
    default:
      return error
  }
}
