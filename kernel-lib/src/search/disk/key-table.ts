// Numbers by name, for more names than a Map should hold: 64 bits of each name's hash, in 12 bytes a place, in memory while an index is built and
// on the disk afterwards. Two of a million names share a hash once in tens of millions of indexes.
import { createHash } from "node:crypto"
import type { FileReader, FileWriter } from "./files"

const wordsOfSlot = 3

/** The hash of a name. */
export function hashName(name: string): Buffer {
  return createHash("sha256").update(name).digest().subarray(0, 8)
}

export class KeyTable {
  private slots = new Uint32Array(1024 * wordsOfSlot)
  private size = 0

  /** @returns the number that was kept for this hash before, or undefined after keeping `number` */
  add(hash: Buffer, number: number): number | undefined {
    if (this.size * 2 * wordsOfSlot >= this.slots.length) this.grow()
    const [high, low] = [hash.readUInt32LE(0), hash.readUInt32LE(4)]
    const at = this.find(high, low)
    if (this.slots[at + 2] > 0) return this.slots[at + 2] - 1
    this.slots.set([high, low, number + 1], at)
    this.size++
    return undefined
  }

  get(hash: Buffer): number | undefined {
    const kept = this.slots[this.find(hash.readUInt32LE(0), hash.readUInt32LE(4)) + 2]
    return kept > 0 ? kept - 1 : undefined
  }

  write(file: FileWriter): void {
    file.write(new Uint8Array(this.slots.buffer))
  }

  /** Where the hash is, or would be. */
  private find(high: number, low: number): number {
    const { slots } = this
    let at = (low % (slots.length / wordsOfSlot)) * wordsOfSlot
    while (slots[at + 2] > 0 && (slots[at] !== high || slots[at + 1] !== low)) at = (at + wordsOfSlot) % slots.length
    return at
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += wordsOfSlot) {
      if (old[at + 2] > 0) this.slots.set(old.subarray(at, at + wordsOfSlot), this.find(old[at], old[at + 1]))
    }
  }
}

/** Finds what `KeyTable.write` wrote, a place at a time. */
export function findKey(file: FileReader, hash: Buffer): number | undefined {
  const slotBytes = wordsOfSlot * 4
  const numSlots = file.length / slotBytes
  let at = hash.readUInt32LE(4) % numSlots
  for (let looked = 0; looked < numSlots; looked++) {
    const slot = file.read(at * slotBytes, slotBytes)
    const kept = slot.readUInt32LE(8)
    if (kept === 0) return undefined
    if (slot.subarray(0, 8).equals(hash)) return kept - 1
    at = (at + 1) % numSlots
  }
  return undefined
}
