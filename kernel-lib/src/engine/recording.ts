export type DataType = "float32" | "int32" | "bool"
