// Builds a TensorFlow graph: nodes, constants that are stored once, names. A value is known by its name, `node` or `node:1`.
import type { DataType } from "../tensors"
import { type AttributeProto, type ElementType, elementTypes, encodeGraph, encodeShape, type NodeProto } from "./graph-format"

/** The name of a value in the graph. */
export type Name = string

type Attributes = Readonly<Record<string, AttributeProto>>

const arrayTypes = new Map<unknown, ElementType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
  [Uint8Array, "bool"],
])

/** Constants of more elements are not looked for among the others. */
const largestShared = 64

/** Attributes of nodes, in the forms that TensorFlow tells apart. */
export const attribute = {
  type: (type: ElementType): AttributeProto => ({ type: elementTypes[type] }),
  flag: (b: boolean): AttributeProto => ({ b }),
  integer: (i: number): AttributeProto => ({ i }),
  float: (f: number): AttributeProto => ({ f }),
  text: (text: string): AttributeProto => ({ s: new TextEncoder().encode(text) }),
  shape: (shape: readonly number[]): AttributeProto => ({ shape: encodeShape(shape) }),
}

export class GraphBuilder {
  /** The part of the network that nodes belong to from here on: the runtime names it in its errors. */
  scope = ""
  private readonly nodes: NodeProto[] = []
  private readonly known = new Map<string, Name>()

  /** @param prefix begins the name of every node: unlike those of the graphs that share a session */
  constructor(private readonly prefix: string) {}

  /** Adds a node; names that begin with `^` are only waited for. Its first result has the node's name. */
  node(op: string, input: readonly Name[], attr: Attributes = {}): Name {
    const scope = this.scope && `${this.scope.replace(/[^A-Za-z0-9_./-]/g, "_")}/`
    const name = `${this.prefix}/${scope}${op}_${this.nodes.length}`
    // TensorFlow wants what is only waited for at the end.
    const ordered = [...input.filter((value) => !value.startsWith("^")), ...input.filter((value) => value.startsWith("^"))]
    this.nodes.push({ name, op, input: ordered, attr })
    return name
  }

  /** What a run is fed with. */
  placeholder(dtype: DataType, shape: readonly number[]): Name {
    return this.node("Placeholder", [], { dtype: attribute.type(dtype), shape: attribute.shape(shape) })
  }

  /** The handle of a variable that all graphs of a session share by its name. */
  variable(name: string, shape: readonly number[]): Name {
    const known = this.known.get(`variable ${name}`)
    if (known) return known
    const handle = this.node("VarHandleOp", [], {
      dtype: attribute.type("float32"),
      shape: attribute.shape(shape),
      shared_name: attribute.text(name),
      container: attribute.text(""),
    })
    this.known.set(`variable ${name}`, handle)
    return handle
  }

  read(handle: Name, after: readonly Name[] = []): Name {
    return this.node("ReadVariableOp", [handle, ...after.map(waitFor)], { dtype: attribute.type("float32") })
  }

  assign(
    op: "AssignVariableOp" | "AssignAddVariableOp" | "AssignSubVariableOp",
    handle: Name,
    value: Name,
    after: readonly Name[] = [],
  ): Name {
    return this.node(op, [handle, value, ...after.map(waitFor)], { dtype: attribute.type("float32") })
  }

  constant(values: Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array, shape: readonly number[]): Name {
    const type = arrayTypes.get(values.constructor)!
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const key = values.length <= largestShared ? `${type} ${shape.join()}: ${bytes.join()}` : undefined
    const known = key && this.known.get(key)
    if (known) return known
    const tensor = { dtype: elementTypes[type], tensorShape: encodeShape(shape), tensorContent: bytes }
    const name = this.node("Const", [], { dtype: attribute.type(type), value: { tensor } })
    if (key) this.known.set(key, name)
    return name
  }

  /** Zeros that are made when they are needed. */
  zeros(shape: readonly number[]): Name {
    if (shape.length === 0) return this.float(0)
    return this.node("Fill", [this.sizes(shape), this.float(0)], { T: attribute.type("float32"), index_type: attribute.type("int32") })
  }

  float(value: number): Name {
    return this.constant(Float32Array.of(value), [])
  }

  integer(value: number): Name {
    return this.constant(Int32Array.of(value), [])
  }

  /** What operations take as shape, axes and positions. */
  sizes(values: readonly number[]): Name {
    return this.constant(Int32Array.from(values), [values.length])
  }

  /** A GraphDef. */
  encode(): Uint8Array {
    return encodeGraph(this.nodes)
  }
}

/** As an input: the node is waited for, its value is not read. */
export function waitFor(name: Name): Name {
  return `^${name.replace(/:\d+$/, "")}`
}
