// ONNX model files for other programs: recordings with open sizes, operators around them that make their inputs out of what such programs
// feed (ids and masks as int64, caches that grow), and the weights inside the file, as float32 or as 8-bit numbers.
import { type FlexibleSpec, NamedSizes, type Size } from "../named-sizes"
import type { ForwardFunction, NamedParameters } from "../session"
import { traceForward } from "../tracer"
import type { Rule } from "./emit-tensor-operations"
import { emitNodes, makeRules, opset } from "./emitter"
import { GraphBuilder, type Name } from "./graph-builder"
import { type ElementType, elementTypes } from "./model-format"
import { optimizeForward } from "./passes"
import { quantizeRules } from "./quantized-rules"

/** `int8`: the factors of products and the embeddings are 8-bit numbers, with a scale for each output or row. */
export type WeightStorage = "float32" | "int8"

export interface AssemblyDefinition {
  /** All inputs of all recordings. A name is one size everywhere. */
  readonly inputs: Readonly<Record<string, FlexibleSpec>>
  readonly parameters: NamedParameters
  readonly storage: WeightStorage
}

export interface OpenSpec {
  readonly shape: readonly Size[]
  readonly dtype: ElementType
}

/** What `scatterRows` writes to a cache is put behind it instead: the caches of files grow by what is new. */
const growingCaches: Rule<"ScatterUpdate"> = (graph, [cache, , rows], node) => {
  const [batch, heads, , size] = node.inputs[0].shape
  const [count] = node.inputs[2].shape
  const fresh = graph.reshape(rows, node.inputs[2].shape, [batch, heads, count / (batch * heads), size])
  return graph.node("Concat", [cache, fresh], { axis: 2 })
}

/** One model file in the making. */
export class ModelAssembly {
  private readonly graph: GraphBuilder
  private readonly named: NamedSizes
  private readonly rules: ReturnType<typeof makeRules>
  private feeds: Readonly<Record<string, Name>> = {}

  constructor(private readonly definition: AssemblyDefinition) {
    const { inputs, parameters, storage } = definition
    const weightSizes = Object.values(parameters).flatMap(({ shape }) => shape)
    this.named = new NamedSizes(inputs, weightSizes)
    this.graph = new GraphBuilder(this.named)
    const stored = new Map<string, Name>()
    const rules: ReturnType<typeof makeRules> = {
      ...makeRules(() => false),
      // The same file on every machine: the form that a machine's own kernels prefer is for graphs that stay on it.
      Softmax: (graph, [x]) => graph.node("Softmax", [x], { axis: -1 }),
      ScatterUpdate: growingCaches,
      Input: (_graph, _inputs, { attributes: { name } }) => this.feeds[name],
      Parameter: (graph, _inputs, { attributes: { name } }) => {
        const known = stored.get(name)
        if (known) return known
        const { shape, data } = parameters[name]
        stored.set(name, graph.stored(name, bytesOf(data), shape, "float32"))
        return name
      },
    }
    this.rules = storage === "int8" ? { ...rules, ...quantizeRules(rules, parameters) } : rules
  }

  /** An input of the file. */
  input(name: Name, { shape, dtype }: OpenSpec): Name {
    return this.graph.input(name, { shape: this.standIn(shape), dtype })
  }

  output(name: Name, value: Name, { shape, dtype }: OpenSpec): void {
    this.graph.output(name, value, { shape: this.standIn(shape), dtype })
  }

  node(opType: string, inputs: readonly Name[], attributes: Readonly<Record<string, number | string | readonly number[]>> = {}): Name {
    return this.graph.node(opType, inputs, attributes)
  }

  cast(x: Name, type: ElementType): Name {
    return this.graph.node("Cast", [x], { to: elementTypes[type] })
  }

  /** int64 [N] */
  integers(values: readonly number[]): Name {
    return this.graph.constant(BigInt64Array.from(values, BigInt), [values.length])
  }

  /** An int64 scalar. */
  integer(value: number): Name {
    return this.graph.constant(BigInt64Array.of(BigInt(value)), [])
  }

  /** int32 [N] */
  table(values: Int32Array): Name {
    return this.graph.constant(values, [values.length])
  }

  number(value: number): Name {
    return this.graph.float(value)
  }

  /** The length of an axis: int64 [1]. */
  lengthOf(x: Name, axis: number): Name {
    return this.graph.node("Shape", [x], { start: axis, end: axis + 1 })
  }

  /** Says what the open size `size` is where no input of the file has it: int64 [1]. */
  setLength(size: string, length: Name): void {
    this.graph.setLength(size, length)
  }

  /** `x` in a shape whose sizes may be open. */
  reshape(x: Name, from: readonly Size[], to: readonly Size[]): Name {
    return this.graph.reshape(x, this.standIn(from), this.standIn(to))
  }

  /** Adds a network. @param feeds its inputs by name; those of `scatterRows` that say where rows go need none */
  run(name: string, forward: ForwardFunction, feeds: Readonly<Record<string, Name>>): Readonly<Record<string, Name>> {
    const specs = this.named.traceSpecs
    const inputs = Object.fromEntries(Object.keys(feeds).map((input) => [input, specs[input]]))
    const recording = optimizeForward(traceForward({ name, inputs, parameters: this.definition.parameters, forward }))
    this.feeds = feeds
    const results = emitNodes(this.graph, recording, this.rules)
    this.graph.scope = ""
    return results
  }

  /** The file. */
  encode(name: string): Uint8Array {
    return this.graph.encode(name, opset)
  }

  private standIn(shape: readonly Size[]): number[] {
    return shape.map((size) => (typeof size === "number" ? size : this.named.standInOf(size)))
  }
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
