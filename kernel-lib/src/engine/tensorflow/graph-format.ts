// TensorFlow's graphs as protocol buffers: the part of graph.proto and config.proto that the emitter writes.
// Field numbers are those of https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework
import protobuf from "protobufjs/light.js"

/** DataType of types.proto. */
export const elementTypes = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint32: 22,
} as const
export type ElementType = keyof typeof elementTypes

/** AttrValue: one of its fields is set. */
export interface AttributeProto {
  readonly s?: Uint8Array
  readonly i?: number
  readonly f?: number
  readonly b?: boolean
  readonly type?: number
  readonly shape?: ShapeProto
  readonly tensor?: { readonly dtype: number; readonly tensorShape: ShapeProto; readonly tensorContent: Uint8Array }
}

interface ShapeProto {
  readonly dim: readonly { readonly size: number }[]
}

export interface NodeProto {
  readonly name: string
  readonly op: string
  readonly input: readonly string[]
  readonly attr: Readonly<Record<string, AttributeProto>>
}

export const encodeShape = (shape: readonly number[]): ShapeProto => ({ dim: shape.map((size) => ({ size })) })

/** The version of GraphDef's meaning that the nodes are written for (versions.h); runtimes accept all from the last years. */
const graphVersion = 987

/** A GraphDef. */
export function encodeGraph(node: readonly NodeProto[]): Uint8Array {
  return graphType.encode(graphType.create({ node, versions: { producer: graphVersion } })).finish()
}

/** A ConfigProto. Runs of a graph take `threads`, within operations and beside each other. */
export function encodeConfiguration({ threads }: { readonly threads: number }): Uint8Array {
  // Our passes did the work: TensorFlow's own optimizers take twice as long to start and make no step shorter.
  const graphOptions = { optimizerOptions: { level: noOptimization }, rewriteOptions: { isDisabled: true } }
  const pools = { intraOpParallelismThreads: threads, interOpParallelismThreads: threads }
  return configurationType.encode(configurationType.create({ ...pools, graphOptions, gpuOptions: { allowGrowth: true } })).finish()
}

/** OptimizerOptions.Level.L0 */
const noOptimization = -1

const single = (id: number, type: string) => ({ id, type })
const many = (id: number, type: string) => ({ id, type, rule: "repeated" })

/** A map, which the library's own types do not foresee here. */
const mapOf = (id: number, type: string) => ({ id, keyType: "string", type })

const root = protobuf.Root.fromJSON({
  nested: {
    Graph: { fields: { node: many(1, "Node"), versions: single(4, "Versions") } },
    Versions: { fields: { producer: single(1, "int32") } },
    Node: {
      fields: {
        name: single(1, "string"),
        op: single(2, "string"),
        input: many(3, "string"),
        attr: mapOf(5, "Attribute"),
      },
    },
    Attribute: {
      // Zeros of a union are written too.
      oneofs: { value: { oneof: ["s", "i", "f", "b", "type", "shape", "tensor"] } },
      fields: {
        s: single(2, "bytes"),
        i: single(3, "int64"),
        f: single(4, "float"),
        b: single(5, "bool"),
        type: single(6, "int32"),
        shape: single(7, "Shape"),
        tensor: single(8, "Tensor"),
      },
    },
    Tensor: { fields: { dtype: single(1, "int32"), tensorShape: single(2, "Shape"), tensorContent: single(4, "bytes") } },
    Shape: { fields: { dim: many(2, "Dimension") } },
    Dimension: { fields: { size: single(1, "int64") } },
    Configuration: {
      fields: {
        intraOpParallelismThreads: single(2, "int32"),
        interOpParallelismThreads: single(5, "int32"),
        gpuOptions: single(6, "GpuOptions"),
        graphOptions: single(10, "GraphOptions"),
      },
    },
    GraphOptions: { fields: { optimizerOptions: single(3, "OptimizerOptions"), rewriteOptions: single(10, "RewriteOptions") } },
    OptimizerOptions: { fields: { level: single(3, "int32") } },
    RewriteOptions: { fields: { isDisabled: single(19, "bool") } },
    GpuOptions: { fields: { allowGrowth: single(4, "bool") } },
  },
})
const graphType = root.lookupType("Graph")
const configurationType = root.lookupType("Configuration")
