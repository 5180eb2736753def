// Whole numbers in as few bytes as they need: seven bits a byte, the highest bit says that more follow (LEB128).

/** Bytes that grow. */
export class NumberWriter {
  bytes = new Uint8Array(1 << 12)
  length = 0

  /** @param value from 0 to 2^32 - 1 */
  add(value: number): void {
    if (this.length + 5 > this.bytes.length) this.grow()
    let rest = value
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  private grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2)
    larger.set(this.bytes)
    this.bytes = larger
  }
}

export class NumberReader {
  at = 0

  constructor(readonly bytes: Uint8Array) {}

  /** The next number; past the end, 0. */
  next(): number {
    const { bytes } = this
    let byte = bytes[this.at++]
    if (byte < 128) return byte
    let value = byte & 127
    for (let shift = 7; byte > 127 && shift < 35; shift += 7) {
      byte = bytes[this.at++]
      value |= (byte & 127) << shift
    }
    return value >>> 0
  }
}
