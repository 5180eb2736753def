// Compiled programs on disk, in the user's cache folder: a second process starts without compiling. An entry is named by everything that it
// depends on, and carries its checksum; one that is damaged costs a compilation.
import { createHash, randomBytes } from "node:crypto"
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises"
import { cpus, homedir } from "node:os"
import { join } from "node:path"

/** Says where compiled programs are kept; empty: nowhere. */
export const cacheVariable = "PROMPT2MODEL_XLA_CACHE"
const checksumBytes = 32
const ending = ".xla"

export class ProgramCache {
  /** @param identity plug-in, device and their versions */
  constructor(
    private readonly identity: string,
    private readonly folder = process.env[cacheVariable] ?? defaultFolder(),
    /** Bytes; those that were used longest ago go first. */
    private readonly largest = 2 ** 31,
  ) {}

  /** The bytes that were kept for a program; undefined when there are none, or damaged ones. */
  async find(text: string): Promise<Uint8Array | undefined> {
    if (!this.folder) return undefined
    const path = this.pathOf(text)
    try {
      const file = await readFile(path)
      const bytes = file.subarray(checksumBytes)
      if (!checksum(bytes).equals(file.subarray(0, checksumBytes))) throw new Error("damaged")
      const now = new Date()
      await utimes(path, now, now).catch(() => {})
      return bytes
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") await rm(path, { force: true }).catch(() => {})
      return undefined
    }
  }

  /** Keeps `bytes`; a folder that cannot be written keeps nothing. */
  async keep(text: string, bytes: Uint8Array): Promise<void> {
    if (!this.folder) return
    const path = this.pathOf(text)
    const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`
    try {
      await mkdir(this.folder, { recursive: true })
      await writeFile(temporary, Buffer.concat([checksum(bytes), bytes]))
      await rename(temporary, path)
      await this.makeRoom()
    } catch {
      await rm(temporary, { force: true }).catch(() => {})
    }
  }

  private pathOf(text: string): string {
    const key = createHash("sha256").update(JSON.stringify([this.identity, process.arch, processor(), text]))
    return join(this.folder, `${key.digest("hex")}${ending}`)
  }

  private async makeRoom(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(ending))
    const entries = await Promise.all(
      names.map(async (name) => {
        const path = join(this.folder, name)
        const { size, mtimeMs } = await stat(path)
        return { path, size, mtimeMs }
      }),
    )
    let total = 0
    for (const { path, size } of entries.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
      total += size
      if (total > this.largest) await rm(path, { force: true })
    }
  }
}

function defaultFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "prompt2model", "xla")
}

/** Programs for a CPU use the instructions of the one they were compiled on. */
function processor(): string {
  return cpus()[0]?.model ?? ""
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest()
}
