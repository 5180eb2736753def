// A recording: what a network computed, as data. Nodes in the order they were recorded, each with its inputs, attributes and results;
// a result knows its shape and type. There is no function in it: it can be printed, written as JSON, rewritten by passes (passes/) and
// emitted for a runtime (onnx/).
import { EngineError } from "../core/errors"
import type { Attributes, OperationName } from "./operations"
import type { DataType, TensorData, TensorSpec } from "./tensors"

export type { DataType }

/** One result of a node. */
export interface Value extends TensorSpec {
  readonly producer: RecordedNode
}

interface NodeOf<Operation extends OperationName> {
  readonly operation: Operation
  readonly inputs: readonly Value[]
  readonly attributes: Attributes[Operation]
  readonly results: readonly Value[]
  /** The part of the network, as `inScope` named it. */
  readonly scope: string
}

/** A node; `node.operation` tells which attributes it has. */
export type RecordedNode<Operation extends OperationName = OperationName> = { [Name in Operation]: NodeOf<Name> }[Operation]

/** A new node with results of the given shapes and types. */
export function makeNode<Operation extends OperationName>(
  operation: Operation,
  inputs: readonly Value[],
  attributes: Attributes[Operation],
  results: readonly TensorSpec[],
  scope: string,
): RecordedNode<Operation> {
  const made: Value[] = []
  const node = { operation, inputs, attributes, results: made, scope } as unknown as RecordedNode<Operation>
  for (const { shape, dtype } of results) made.push({ shape, dtype, producer: node as RecordedNode })
  return node
}

/** What a trace gives and passes rewrite. */
export class Recording {
  /** In an order in which they can run; each is needed for an output. */
  readonly nodes: readonly RecordedNode[]

  /** @param nodes in an order in which they can run; those that no output needs are left out */
  constructor(
    readonly name: string,
    nodes: readonly RecordedNode[],
    readonly outputs: Readonly<Record<string, Value>>,
  ) {
    this.nodes = selectNeeded(nodes, Object.values(outputs))
  }

  /** The inputs that outputs depend on, by name. */
  get inputs(): Readonly<Record<string, Value>> {
    return this.named("Input")
  }

  /** The parameters that outputs depend on, by name. */
  get parameters(): Readonly<Record<string, Value>> {
    return this.named("Parameter")
  }

  private named(operation: "Input" | "Parameter"): Record<string, Value> {
    const found: Record<string, Value> = {}
    for (const node of this.nodes)
      if (node.operation === operation) found[(node as RecordedNode<"Input">).attributes.name] = node.results[0]
    return found
  }

  /** How often each value is used, as an input or as an output. */
  countUses(): Map<Value, number> {
    const uses = new Map<Value, number>()
    const used = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1)
    for (const node of this.nodes) node.inputs.forEach(used)
    Object.values(this.outputs).forEach(used)
    return uses
  }

  /** One line a node under the name of its part of the network: reads like the layers that were recorded. */
  toString(): string {
    const names = nameValues(this.nodes)
    const lines = [`recording ${this.name}`]
    let scope = ""
    for (const node of this.nodes) {
      if (node.scope !== scope && node.operation !== "Parameter") {
        scope = node.scope
        lines.push(`${scope || "(top)"}:`)
      }
      const results = node.results.map((value) => `${names.get(value)} ${describeSpec(value)}`).join(", ")
      const attributes = Object.entries(node.attributes).map(([name, value]) => `${name}: ${describeAttribute(value)}`)
      const operands = [...node.inputs.map((value) => names.get(value)), ...attributes].join(", ")
      lines.push(`  ${results} = ${node.operation}(${operands})`)
    }
    for (const [name, value] of Object.entries(this.outputs)) lines.push(`output ${name} = ${names.get(value)} ${describeSpec(value)}`)
    return lines.join("\n")
  }

  /** Plain data; arrays of values as base64. `Recording.fromJSON` reads it. */
  toJSON(): RecordingJson {
    const ids = new Map<Value, number>()
    const nodes = this.nodes.map((node) => ({
      operation: node.operation,
      inputs: node.inputs.map((value) => ids.get(value)!),
      attributes: Object.fromEntries(Object.entries(node.attributes).map(([name, value]) => [name, packAttribute(value)])),
      results: node.results.map((value) => {
        ids.set(value, ids.size)
        return { shape: value.shape, dtype: value.dtype }
      }),
      scope: node.scope,
    }))
    return {
      name: this.name,
      nodes,
      outputs: Object.fromEntries(Object.entries(this.outputs).map(([name, value]) => [name, ids.get(value)!])),
    }
  }

  /** @throws EngineError `engine.bad-recording` */
  static fromJSON(json: RecordingJson): Recording {
    const values: Value[] = []
    const valueAt = (id: number): Value => {
      const value = values[id]
      if (!value)
        throw new EngineError("engine.bad-recording", `The recording ${json.name} uses value ${id} before it is made: write it anew.`)
      return value
    }
    const nodes = json.nodes.map(({ operation, inputs, attributes, results, scope }) => {
      const unpacked = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, unpackAttribute(value)]))
      const node = makeNode(operation, inputs.map(valueAt), unpacked as never, results, scope) as RecordedNode
      values.push(...node.results)
      return node
    })
    return new Recording(json.name, nodes, Object.fromEntries(Object.entries(json.outputs).map(([name, id]) => [name, valueAt(id)])))
  }
}

/** A recording as JSON: values are numbered in the order they are made. */
export interface RecordingJson {
  readonly name: string
  readonly nodes: readonly {
    readonly operation: OperationName
    readonly inputs: readonly number[]
    readonly attributes: Readonly<Record<string, JsonAttribute>>
    readonly results: readonly TensorSpec[]
    readonly scope: string
  }[]
  readonly outputs: Readonly<Record<string, number>>
}

type Attribute = number | string | boolean | readonly number[] | TensorData
type JsonAttribute = Exclude<Attribute, TensorData> | { readonly dtype: DataType; readonly base64: string }

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis])
}

export function dataTypeOf(data: TensorData): DataType {
  return data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "bool"
}

/** Zeros, in the array class of `dtype`. */
export function allocate(dtype: DataType, size: number): TensorData {
  return dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size)
}

/** `float32 [64, 36]` */
export function describeSpec({ shape, dtype }: TensorSpec): string {
  return `${dtype} [${shape.join(", ")}]`
}

function selectNeeded(nodes: readonly RecordedNode[], outputs: readonly Value[]): RecordedNode[] {
  const needed = new Set(outputs.map((value) => value.producer))
  const kept: RecordedNode[] = []
  for (const node of [...nodes].reverse()) {
    if (!needed.has(node)) continue
    kept.push(node)
    for (const input of node.inputs) needed.add(input.producer)
  }
  return kept.reverse()
}

function nameValues(nodes: readonly RecordedNode[]): Map<Value, string> {
  const names = new Map<Value, string>()
  for (const node of nodes) {
    const isNamed = node.operation === "Input" || node.operation === "Parameter"
    for (const value of node.results) names.set(value, isNamed ? node.attributes.name : `%${names.size}`)
  }
  return names
}

function describeAttribute(value: Attribute): string {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value !== "object") return String(value)
  const shown = Array.from(value.slice(0, 8))
  return `[${shown.join(", ")}${value.length > shown.length ? `, ... ${value.length} in all` : ""}]`
}

function packAttribute(value: Attribute): JsonAttribute {
  if (!ArrayBuffer.isView(value)) return value as JsonAttribute
  const data = value as TensorData
  return { dtype: dataTypeOf(data), base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") }
}

function unpackAttribute(value: JsonAttribute): Attribute {
  if (typeof value !== "object" || !("base64" in value)) return value
  const bytes = Buffer.from(value.base64, "base64")
  const data = allocate(value.dtype, value.dtype === "bool" ? bytes.length : bytes.length / 4)
  new Uint8Array(data.buffer).set(bytes)
  return data
}
