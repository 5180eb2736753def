// Numbers of the types that weights are stored in, as 32-bit floats. What a 32-bit float cannot hold is rounded to the nearest one.

/** Writes the numbers of `source`, whose start is aligned to their size, to `target`; it has as many numbers as `target`. */
export type Widening = (source: Buffer, target: Float32Array) => void

/** By safetensors' names of the types; those that are missing are no weights. */
export const widenings: Readonly<Record<string, Widening | undefined>> = {
  F32: copyFrom(Float32Array),
  F64: copyFrom(Float64Array),
  I8: copyFrom(Int8Array),
  U8: copyFrom(Uint8Array),
  I16: copyFrom(Int16Array),
  U16: copyFrom(Uint16Array),
  I32: copyFrom(Int32Array),
  U32: copyFrom(Uint32Array),
  I64: copyLong(BigInt64Array),
  U64: copyLong(BigUint64Array),
  BOOL: (source, target) => {
    for (let i = 0; i < target.length; i++) target[i] = source[i] === 0 ? 0 : 1
  },
  BF16: (source, target) => {
    const bits = bitsOf(target)
    const halves = new Uint16Array(source.buffer, source.byteOffset, target.length)
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i] << 16
  },
  F16: (source, target) => {
    const bits = bitsOf(target)
    const halves = new Uint16Array(source.buffer, source.byteOffset, target.length)
    for (let i = 0; i < bits.length; i++) bits[i] = widenHalf(halves[i])
  },
}

type NumberArray = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayLike<number>

function copyFrom(Numbers: NumberArray): Widening {
  return (source, target) => target.set(new Numbers(source.buffer, source.byteOffset, target.length))
}

type LongArray = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayLike<bigint>

function copyLong(Numbers: LongArray): Widening {
  return (source, target) => {
    const numbers = new Numbers(source.buffer, source.byteOffset, target.length)
    for (let i = 0; i < target.length; i++) target[i] = Number(numbers[i])
  }
}

function bitsOf(target: Float32Array): Uint32Array {
  return new Uint32Array(target.buffer, target.byteOffset, target.length)
}

/** IEEE 754: 16 bits to 32. */
function widenHalf(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | ((fraction << (shift + 13)) & 0x7fffff)
}
