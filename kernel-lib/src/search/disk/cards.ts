// The cards of an index, as JSON one behind the other, and where each lies: offset (float64), length and checksum (uint32 each).
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { corruptIndex, FileReader, FileWriter } from "./files"

const placeBytes = 16

export class CardWriter {
  count = 0
  private readonly cards: FileWriter
  private readonly places: FileWriter

  constructor(folder: string) {
    this.cards = new FileWriter(join(folder, "cards"))
    this.places = new FileWriter(join(folder, "card-places"))
  }

  add(card: unknown): void {
    const bytes = Buffer.from(JSON.stringify(card))
    const place = Buffer.alloc(placeBytes)
    place.writeDoubleLE(this.cards.length, 0)
    place.writeUInt32LE(bytes.length, 8)
    place.writeUInt32LE(crc32(bytes), 12)
    this.cards.write(bytes)
    this.places.write(place)
    this.count++
  }

  close(): void {
    this.cards.close()
    this.places.close()
  }
}

export class CardReader<Card> {
  private readonly cards: FileReader
  private readonly places: FileReader

  constructor(folder: string) {
    this.cards = new FileReader(join(folder, "cards"))
    this.places = new FileReader(join(folder, "card-places"))
  }

  get count(): number {
    return this.places.length / placeBytes
  }

  /** @throws InputError `index.corrupt` */
  read(row: number): Card {
    const place = this.places.read(row * placeBytes, placeBytes)
    const bytes = this.cards.read(place.readDoubleLE(0), place.readUInt32LE(8))
    if (crc32(bytes) !== place.readUInt32LE(12)) throw corruptIndex(this.cards.path, `card ${row} is not what was written`)
    return JSON.parse(bytes.toString("utf8")) as Card
  }

  close(): void {
    this.cards.close()
    this.places.close()
  }
}
