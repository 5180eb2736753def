// Builds an ONNX graph: nodes, constants that are stored once, names. Values are known by their names.
import { EngineError } from "../../core/errors"
import type { NamedSizes, OpenSize } from "../named-sizes"
import type { TensorSpec } from "../session"
import {
  type ElementType,
  elementTypes,
  elsewhere,
  encodeAttribute,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./model-format"

/** The name of a value in the graph. */
export type Name = string

type OnnxAttributes = Readonly<Record<string, number | string | readonly number[]>>

/** Shape and type of an input or an output; sizes as they were traced. */
export interface ValueSpec {
  readonly shape: readonly number[]
  readonly dtype: ElementType
}

interface PendingNode {
  readonly opType: string
  readonly domain: string
  readonly input: readonly Name[]
  readonly output: readonly Name[]
  readonly attributes: OnnxAttributes
  readonly scope: string
}

const arrayTypes = new Map<unknown, ElementType>([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int32Array, "int32"],
  [Uint32Array, "uint32"],
  [BigInt64Array, "int64"],
  [Uint8Array, "bool"],
])

/** TensorProto.DataLocation */
const external = 1

/** Constants of more elements are not looked for among the others. */
const largestShared = 64

export class GraphBuilder {
  /** The part of the network that nodes belong to from here on: the runtime names it in its errors. */
  scope = ""
  private readonly nodes: PendingNode[] = []
  private readonly constants: TensorProto[] = []
  private readonly known = new Map<string, Name>()
  private readonly inputs: ValueInfoProto[] = []
  private readonly outputs: ValueInfoProto[] = []
  private readonly aliases = new Map<Name, Name>()
  private readonly made = new Set<Name>()
  /** Where the graph reads an open size: an input and its axis. */
  private readonly measured = new Map<string, { readonly input: Name; readonly axis: number }>()
  private readonly computed = new Map<string, Name>()
  private count = 0

  /** @param named the sizes that are known when the graph runs */
  constructor(private readonly named?: NamedSizes) {}

  /** Adds a node with one result. */
  node(opType: string, input: readonly Name[], attributes: OnnxAttributes = {}, domain = ""): Name {
    return this.nodeWithResults(1, opType, input, attributes, domain)[0]
  }

  /** Adds a node with `results` results. */
  nodeWithResults(results: number, opType: string, input: readonly Name[], attributes: OnnxAttributes = {}, domain = ""): Name[] {
    const output = Array.from({ length: results }, () => this.makeName())
    this.nodes.push({ opType, domain, input, output, attributes, scope: this.scope })
    for (const name of output) this.made.add(name)
    return output
  }

  /** An operator that ONNX Runtime adds to the standard. */
  runtimeNode(opType: string, input: readonly Name[], attributes: OnnxAttributes = {}): Name {
    return this.node(opType, input, attributes, "com.microsoft")
  }

  input(name: Name, spec: ValueSpec): Name {
    this.inputs.push(this.describeValue(name, spec))
    for (const [axis, size] of spec.shape.entries()) {
      const open = this.named?.takeApart(size)
      if (open?.factor === 1 && open.names.length === 1 && !this.measured.has(open.names[0])) {
        this.measured.set(open.names[0], { input: name, axis })
      }
    }
    return name
  }

  /** A parameter whose values are handed over when the session is made. */
  storedParameter(name: Name, { shape }: TensorSpec): Name {
    this.constants.push({
      name,
      dims: shape,
      dataType: elementTypes.float32,
      dataLocation: external,
      externalData: [{ key: "location", value: elsewhere.file }],
    })
    return name
  }

  /** A constant of any type under a name of its own, its bytes row by row. */
  stored(name: Name, bytes: Uint8Array, shape: readonly number[], type: ElementType): Name {
    this.constants.push({ name, dims: shape, dataType: elementTypes[type], rawData: bytes })
    return name
  }

  /** Whether a constant of that name is stored. */
  has(name: Name): boolean {
    return this.constants.some((constant) => constant.name === name)
  }

  /** Says what an open size is that no input has: `length` is one int64. */
  setLength(size: string, length: Name): void {
    this.computed.set(size, length)
  }

  /** Makes `value` an output called `name`. */
  output(name: Name, value: Name, spec: ValueSpec): void {
    // An Identity node would copy: a computed value takes the output's name instead.
    if (this.made.has(value) && !this.aliases.has(value)) this.aliases.set(value, name)
    else this.nodes.push({ opType: "Identity", domain: "", input: [value], output: [name], attributes: {}, scope: this.scope })
    this.outputs.push(this.describeValue(name, spec))
  }

  constant(values: Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | Uint8Array, shape: readonly number[]): Name {
    if (this.named?.isOpen(shape)) {
      throw new EngineError(
        "engine.open-size",
        `The network holds a constant as long as an input${this.scope && ` in ${this.scope}`}, whose length is open: hand it over as an input.`,
      )
    }
    const dtype = arrayTypes.get(values.constructor)!
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const key = values.length <= largestShared ? `${dtype} ${shape.join()}: ${rawData.join()}` : undefined
    const known = key && this.known.get(key)
    if (known) return known
    const name = this.makeName()
    this.constants.push({ name, dims: shape, dataType: elementTypes[dtype], rawData })
    if (key) this.known.set(key, name)
    return name
  }

  float(value: number): Name {
    return this.constant(Float32Array.of(value), [])
  }

  integer(value: number): Name {
    return this.constant(Int32Array.of(value), [])
  }

  /** What operators take as shape, axes and positions: int64. */
  sizes(values: readonly number[]): Name {
    const parts = values.map((size) => this.named?.takeApart(size))
    if (!parts.some((open) => open)) return this.constant(BigInt64Array.from(values, BigInt), [values.length])
    const key = values.join()
    const known = this.computed.get(key)
    if (known) return known
    const each = parts.map((open, index) => (open ? this.measure(open) : this.sizes([values[index]])))
    const name = each.length === 1 ? each[0] : this.node("Concat", each, { axis: 0 })
    this.computed.set(key, name)
    return name
  }

  /** `x` of shape `from` in the shape `to`. */
  reshape(x: Name, from: readonly number[], to: readonly number[]): Name {
    if (!this.named?.isOpen(to)) return this.node("Reshape", [x, this.sizes(to)])
    // 0 keeps the size of that axis, one -1 is what is left: cheaper than computing with shapes.
    const kept = to.map((size, axis) => (size === from[axis] && this.named?.takeApart(size) ? 0 : size))
    const open = kept.filter((size) => this.named?.takeApart(size))
    // A size that is computed may be 0, and is then meant.
    if (open.length > 1) return this.node("Reshape", [x, this.sizes(to)], { allowzero: 1 })
    const target = kept.map((size) => (size === open[0] ? -1 : size))
    return this.node("Reshape", [x, this.constant(BigInt64Array.from(target, BigInt), [target.length])])
  }

  private measure({ factor, names }: OpenSize): Name {
    const lengths = names.map((name) => {
      const known = this.computed.get(name)
      if (known) return known
      const { input, axis } = this.measured.get(name)!
      const length = this.node("Shape", [input], { start: axis, end: axis + 1 })
      this.computed.set(name, length)
      return length
    })
    const product = lengths.reduce((a, b) => this.node("Mul", [a, b]))
    return factor === 1 ? product : this.node("Mul", [product, this.sizes([factor])])
  }

  /** A model file of the graph. */
  encode(name: string, opset: number): Uint8Array {
    const rename = (value: Name) => this.aliases.get(value) ?? value
    const node: NodeProto[] = this.selectNeeded().map(({ opType, domain, input, output, attributes, scope }, index) => ({
      opType,
      domain: domain || undefined,
      name: `${scope && `${scope}/`}${opType}_${index}`,
      input: input.map(rename),
      output: output.map(rename),
      attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value)),
    }))
    const used = new Set(node.flatMap(({ input }) => input))
    const initializer = this.constants.filter((constant) => used.has(constant.name))
    return encodeModel({ name, node, initializer, input: this.inputs, output: this.outputs }, opset)
  }

  /** The nodes that an output needs. */
  private selectNeeded(): PendingNode[] {
    const needed = new Set(this.outputs.map(({ name }) => name))
    for (const [value, name] of this.aliases) if (needed.has(name)) needed.add(value)
    const kept: PendingNode[] = []
    for (const node of [...this.nodes].reverse()) {
      if (!node.output.some((name) => needed.has(name))) continue
      kept.push(node)
      for (const name of node.input) needed.add(name)
    }
    return kept.reverse()
  }

  private describeValue(name: Name, { shape, dtype }: ValueSpec): ValueInfoProto {
    const dim = shape.map((size) => {
      const open = this.named?.takeApart(size)
      return open ? { dimParam: [...open.names, ...(open.factor === 1 ? [] : [open.factor])].join(" x ") } : { dimValue: size }
    })
    return { name, type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } } }
  }

  private makeName(): Name {
    return `v${this.count++}`
  }
}
