// One process at a time in a folder: a file that names who works there. Who was killed leaves it, and the next one takes it away.
import { randomBytes } from "node:crypto"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import { explainDiskError } from "../../store/atomic"

const lockName = ".lock"

/**
 * Answers with what ends the lock.
 * @throws InputError `index.busy` where a process of this machine, or of another one, has it; `disk.full`, `disk.not-writable`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, lockName)
  const own = `${process.pid} ${hostname()}`
  for (;;) {
    try {
      await mkdir(folder, { recursive: true })
      await writeFile(path, own, { flag: "wx" })
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw explainDiskError(error, folder)
    }
    const holder = await readFile(path, "utf8").catch(() => undefined)
    if (holder === undefined) continue
    const [id, host] = holder.split(" ")
    if (host !== hostname() || isAtWork(Number(id))) {
      throw new InputError(
        "index.busy",
        `Process ${id} on ${host} is indexing a hub in ${folder}: wait for it, or delete ${path} if it is no more.`,
      )
    }
    await takeAway(path, holder)
  }
}

/** Removes the lock of a process that is no more; of two that do so at once, neither removes the other's new one. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  if ((await readFile(aside, "utf8")) === holder) await rm(aside)
  else await rename(aside, path)
}

/** Whether a process of this machine runs; for this one itself the answer is yes. */
export function isAtWork(id: number): boolean {
  if (!Number.isSafeInteger(id) || id <= 0) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
