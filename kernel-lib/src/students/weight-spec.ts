// A weight that a network has.

export interface WeightSpec {
  /** transformers' name. */
  readonly name: string
  readonly shape: readonly number[]
}
