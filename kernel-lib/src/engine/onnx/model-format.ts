// ONNX model files: the part of onnx.proto that the emitter writes, and its encoding as protocol buffers.
// Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { realpathSync } from "node:fs"
import { basename, dirname } from "node:path"
import protobuf from "protobufjs/light.js"

/** TensorProto.DataType */
export const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11, uint32: 12 } as const
export type ElementType = keyof typeof elementTypes

const someFile = realpathSync(process.execPath)

/** Where initializers lie that are handed over in memory: the runtime wants a file that exists, and reads nothing in it. */
export const elsewhere = { folder: dirname(someFile), file: basename(someFile) } as const

export interface AttributeProto {
  readonly name: string
  readonly type: number
  readonly f?: number
  readonly i?: number
  readonly s?: Uint8Array
  readonly ints?: readonly number[]
}

export interface TensorProto {
  readonly dims: readonly number[]
  readonly dataType: number
  readonly name: string
  readonly rawData?: Uint8Array
  readonly dataLocation?: number
  readonly externalData?: readonly { readonly key: string; readonly value: string }[]
}

export interface NodeProto {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly name: string
  readonly opType: string
  readonly domain?: string
  readonly attribute: readonly AttributeProto[]
}

/** A size, or the name of one that is open. */
export type DimensionProto = { readonly dimValue: number } | { readonly dimParam: string }

export interface ValueInfoProto {
  readonly name: string
  readonly type: {
    readonly tensorType: { readonly elemType: number; readonly shape: { readonly dim: readonly DimensionProto[] } }
  }
}

export interface GraphProto {
  readonly name: string
  readonly node: readonly NodeProto[]
  readonly initializer: readonly TensorProto[]
  readonly input: readonly ValueInfoProto[]
  readonly output: readonly ValueInfoProto[]
}

/** Attributes that are numbers with a fraction, whatever their value; all other numbers are whole. */
const fractionalAttributes = new Set(["alpha", "beta", "epsilon"])

/** AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, INTS 7. */
export function encodeAttribute(name: string, value: number | string | readonly number[]): AttributeProto {
  if (typeof value === "string") return { name, type: 3, s: new TextEncoder().encode(value) }
  if (typeof value !== "number") return { name, type: 7, ints: value }
  return fractionalAttributes.has(name) ? { name, type: 1, f: value } : { name, type: 2, i: value }
}

/** A model file with the standard operators of `opset` and ONNX Runtime's own. */
export function encodeModel(graph: GraphProto, opset: number): Uint8Array {
  const opsetImport = [
    { domain: "", version: opset },
    { domain: "com.microsoft", version: 1 },
  ]
  return modelType.encode(modelType.create({ irVersion: 9, producerName: "prompt2model", graph, opsetImport })).finish()
}

const single = (id: number, type: string) => ({ id, type })
const many = (id: number, type: string) => ({ id, type, rule: "repeated" })

const modelType = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: single(1, "int64"),
        producerName: single(2, "string"),
        graph: single(7, "Graph"),
        opsetImport: many(8, "OperatorSet"),
      },
    },
    OperatorSet: { fields: { domain: single(1, "string"), version: single(2, "int64") } },
    Graph: {
      fields: {
        node: many(1, "Node"),
        name: single(2, "string"),
        initializer: many(5, "Tensor"),
        input: many(11, "ValueInfo"),
        output: many(12, "ValueInfo"),
      },
    },
    Node: {
      fields: {
        input: many(1, "string"),
        output: many(2, "string"),
        name: single(3, "string"),
        opType: single(4, "string"),
        attribute: many(5, "Attribute"),
        domain: single(7, "string"),
      },
    },
    Attribute: {
      fields: {
        name: single(1, "string"),
        f: single(2, "float"),
        i: single(3, "int64"),
        s: single(4, "bytes"),
        ints: many(8, "int64"),
        type: single(20, "int32"),
      },
    },
    Tensor: {
      fields: {
        dims: many(1, "int64"),
        dataType: single(2, "int32"),
        name: single(8, "string"),
        rawData: single(9, "bytes"),
        externalData: many(13, "Entry"),
        dataLocation: single(14, "int32"),
      },
    },
    Entry: { fields: { key: single(1, "string"), value: single(2, "string") } },
    ValueInfo: { fields: { name: single(1, "string"), type: single(2, "Type") } },
    Type: { fields: { tensorType: single(1, "TensorType") } },
    TensorType: { fields: { elemType: single(1, "int32"), shape: single(2, "Shape") } },
    Shape: { fields: { dim: many(1, "Dimension") } },
    Dimension: { fields: { dimValue: single(1, "int64"), dimParam: single(2, "string") } },
  },
}).lookupType("Model")
