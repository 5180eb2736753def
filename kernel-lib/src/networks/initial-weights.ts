// Weights before training, of the networks that draw them all alike (GPT-2, Llama): matrices from a normal distribution around 0, gains at
// 1, biases at 0.

/** A weight under transformers' name, and its first values. */
export interface InitialWeight {
  readonly name: string
  readonly shape: readonly number[]
  /** What the first values lie around. */
  readonly level: 0 | 1
  /** Their standard deviation. */
  readonly deviation: number
}

export function matrix(name: string, shape: readonly [number, number], deviation: number): InitialWeight {
  return { name: `${name}.weight`, shape, level: 0, deviation }
}

export function gain(name: string, size: number): InitialWeight {
  return { name: `${name}.weight`, shape: [size], level: 1, deviation: 0 }
}

export function bias(name: string, size: number): InitialWeight {
  return { name: `${name}.bias`, shape: [size], level: 0, deviation: 0 }
}

/** The first values of a weight, from a stream of standard normal numbers. */
export function drawInitialWeight({ shape, level, deviation }: InitialWeight, stream: { normal(): number }): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(level)
  if (deviation > 0) for (let i = 0; i < values.length; i++) values[i] += stream.normal() * deviation
  return values
}
