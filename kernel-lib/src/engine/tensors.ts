// What a tensor is to an engine: a shape, a type, and values row by row.

export type DataType = "float32" | "int32" | "bool"

/** Shape and type of a tensor. */
export interface TensorSpec {
  readonly shape: readonly number[]
  readonly dtype: DataType
}

/** Values of a tensor, row by row: float32, int32, or bool (0 and 1). The class is the type. */
export type TensorData = Float32Array | Int32Array | Uint8Array
