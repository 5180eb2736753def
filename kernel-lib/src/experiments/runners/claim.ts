// A claim on work in a folder that several machines share: a file that its holder writes anew while it computes. Clocks are not compared, since
// machines disagree about the time: a holder is dead when its process is gone, or when its claim has stood still for as long as a lease.
import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { dirname } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { explainDiskError } from "../../store/atomic"

interface Holder {
  readonly host: string
  readonly process: number
  /** Of this very claim. */
  readonly mark: string
  readonly beat: number
}

/** Beats in a lease. */
const beatsPerLease = 5

export class Claim {
  private beat = 0
  private timer?: NodeJS.Timeout

  private constructor(
    private readonly path: string,
    private readonly mark: string,
  ) {}

  /**
   * The claim, or undefined where somebody who lives has it. `onLost` is called when another took it, who must have thought that this one is
   * dead: the work is theirs then.
   * @throws InputError `disk.full`, `disk.not-writable`; the signal's reason
   */
  static async take(
    path: string,
    { leaseSeconds, onLost, signal }: { readonly leaseSeconds: number; onLost(): void; readonly signal?: AbortSignal },
  ): Promise<Claim | undefined> {
    const claim = new Claim(path, randomBytes(8).toString("hex"))
    try {
      mkdirSync(dirname(path), { recursive: true })
      if (!claim.create()) {
        if (await isHeld(path, leaseSeconds, signal)) return undefined
        claim.write()
      }
    } catch (error) {
      throw explainDiskError(error, path)
    }
    claim.timer = setInterval(() => claim.renew(onLost), (leaseSeconds * 1000) / beatsPerLease)
    claim.timer.unref()
    return claim
  }

  release(): void {
    clearInterval(this.timer)
    if (readHolder(this.path)?.mark === this.mark) rmSync(this.path, { force: true })
  }

  private create(): boolean {
    try {
      writeFileSync(this.path, this.describe(), { flag: "wx" })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false
      throw error
    }
  }

  private renew(onLost: () => void): void {
    const holder = readHolder(this.path)
    if (holder && holder.mark !== this.mark) {
      clearInterval(this.timer)
      onLost()
      return
    }
    this.beat++
    try {
      this.write()
    } catch {
      // A disk that is full for a while ends no work; one that stays so ends it where results are written.
    }
  }

  private write(): void {
    const temporary = `${this.path}.${this.mark}.tmp`
    writeFileSync(temporary, this.describe())
    renameSync(temporary, this.path)
  }

  private describe(): string {
    const holder: Holder = { host: hostname(), process: process.pid, mark: this.mark, beat: this.beat }
    return JSON.stringify(holder)
  }
}

/** Watches a claim for as long as a lease, where its process cannot simply be looked up. */
async function isHeld(path: string, leaseSeconds: number, signal?: AbortSignal): Promise<boolean> {
  const first = readHolder(path)
  if (first?.host === hostname()) {
    if (first.process === process.pid) return true
    if (!isAlive(first.process)) return false
  }
  for (let beat = 0; beat < beatsPerLease; beat++) {
    await wait((leaseSeconds * 1000) / beatsPerLease, undefined, { signal })
    const now = readHolder(path)
    if (now && (now.mark !== first?.mark || now.beat !== first.beat)) return true
  }
  return false
}

/** Undefined where there is none, or where it is being written. */
function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder
  } catch {
    return undefined
  }
}

/** Whether a process of this machine is there. */
function isAlive(id: number): boolean {
  if (!(id > 0)) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}
