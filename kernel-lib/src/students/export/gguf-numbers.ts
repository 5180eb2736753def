// Numbers as GGUF files hold them: halves, and 8-bit numbers in blocks of 32 with a half as their scale (ggml's q8_0).
import type { TensorType } from "./gguf-format"

const blockSize = 32
const blockBytes = blockSize + 2
const largest = 127

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The bits of the half that is nearest to `value`, even ones where two are. */
export function toHalf(value: number): number {
  float[0] = value
  const sign = (bits[0] >>> 16) & 0x8000
  const size = bits[0] & 0x7fffffff
  if (size > 0x7f800000) return sign | 0x7e00
  if (size >= 0x477ff000) return sign | 0x7c00
  if (size < 0x38800000) {
    // Adding a half leaves just the bits that a number below the normal ones has.
    float[0] = Math.abs(value) + 0.5
    return sign | (bits[0] - 0x3f000000)
  }
  return sign | (((size + 0xc8000fff + ((size >>> 13) & 1)) >>> 13) & 0xffff)
}

export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Whether rows of so many numbers can be of that type: a block never goes on in the next row. */
export function fitsBlocks(columns: number): boolean {
  return columns % blockSize === 0
}

export function packNumbers(data: Float32Array, type: TensorType): Uint8Array {
  if (type === "f32") return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (type === "f16") return new Uint8Array(Uint16Array.from(data, toHalf).buffer)
  const packed = new Uint8Array((data.length / blockSize) * blockBytes)
  const view = new DataView(packed.buffer)
  for (let block = 0; block < data.length / blockSize; block++) {
    const values = data.subarray(block * blockSize, (block + 1) * blockSize)
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / largest
    const at = block * blockBytes
    view.setUint16(at, toHalf(scale), true)
    for (const [i, value] of values.entries()) view.setInt8(at + 2 + i, scale === 0 ? 0 : roundAway(value / scale))
  }
  return packed
}

/** As C's roundf: halves go away from zero. */
function roundAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5)
}

export function unpackNumbers(bytes: Uint8Array, type: TensorType): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === "f32") return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true))
  if (type === "f16") return Float32Array.from({ length: bytes.length / 2 }, (_, i) => fromHalf(view.getUint16(i * 2, true)))
  return Float32Array.from({ length: (bytes.length / blockBytes) * blockSize }, (_, i) => {
    const at = Math.floor(i / blockSize) * blockBytes
    return fromHalf(view.getUint16(at, true)) * view.getInt8(at + 2 + (i % blockSize))
  })
}
