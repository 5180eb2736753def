// From a recording to a TensorFlow graph: one rule for each recorded operation, and with bf16 a second form of the values that products
// read. A product rounds what it reads and what it gives; everything else computes in float32.
import type { OperationName } from "../operations"
import type { RecordedNode, Recording, Value } from "../recording"
import type { Precision } from "../session"
import { type IsUsed, makeLayerRules } from "./emit-layer-operations"
import {
  arithmeticRules,
  cast,
  comparisonRules,
  multiply,
  type Rule,
  type Rules,
  reductionRules,
  reshape,
  tensorRules,
  transpose,
  typed,
  unaryRules,
} from "./emit-tensor-operations"
import type { GraphBuilder, Name } from "./graph-builder"

/** How each operation but inputs and parameters is emitted; results that nobody uses may be left out. */
export function makeRules(isUsed: IsUsed): Rules<Exclude<OperationName, "Input" | "Parameter">> {
  return { ...unaryRules, ...arithmeticRules, ...comparisonRules, ...reductionRules, ...tensorRules, ...makeLayerRules(isUsed) }
}

/** A value in the graph, in the forms that were asked for so far. */
interface Forms {
  float?: Name
  half?: Name
}

export interface EmitOptions {
  /** The value of an input or a parameter. */
  readonly source: (node: RecordedNode<"Input" | "Parameter">) => Name
  /** Default: `fp32`. */
  readonly precision?: Precision
}

/** Adds the operations of `recording` to `graph`; answers the name of each output. */
export function emitRecording(graph: GraphBuilder, recording: Recording, options: EmitOptions): Record<string, Name> {
  return new Emitter(graph, recording, options).run()
}

class Emitter {
  private readonly forms = new Map<Value, Forms>()
  private readonly rules: ReturnType<typeof makeRules>
  /** Values that nothing but products reads, directly or in another shape. */
  private readonly onlyMultiplied: Set<Value>

  constructor(
    private readonly graph: GraphBuilder,
    private readonly recording: Recording,
    private readonly options: EmitOptions,
  ) {
    const uses = recording.countUses()
    this.rules = makeRules((value) => uses.has(value))
    this.onlyMultiplied = options.precision === "bf16" ? findOnlyMultiplied(recording) : new Set()
  }

  run(): Record<string, Name> {
    for (const node of this.recording.nodes) {
      this.graph.scope = node.scope
      this.emit(node)
    }
    this.graph.scope = ""
    // What is fed cannot be fetched, and nothing twice.
    const name = (value: Value) => typed(this.graph, "Identity", [this.float(value)], value.dtype)
    return Object.fromEntries(Object.entries(this.recording.outputs).map(([output, value]) => [output, name(value)]))
  }

  private emit(node: RecordedNode): void {
    if (node.operation === "Input" || node.operation === "Parameter") {
      this.forms.set(node.results[0], { float: this.options.source(node) })
      return
    }
    if (this.options.precision === "bf16" && this.emitHalf(node)) return
    const rule = this.rules[node.operation] as Rule<OperationName>
    const results = rule(
      this.graph,
      node.inputs.map((value) => this.float(value)),
      node,
    )
    const listed = typeof results === "string" ? [results] : results
    for (const [index, value] of node.results.entries()) this.forms.set(value, { float: listed[index] })
  }

  /** Operations that move rounded numbers without changing them, and products. Answers whether the node was one of them. */
  private emitHalf(node: RecordedNode): boolean {
    const half = this.halfOf(node)
    if (!half) return false
    this.forms.set(node.results[0], { half })
    return true
  }

  private halfOf(node: RecordedNode): Name | undefined {
    const [first] = node.inputs
    switch (node.operation) {
      case "MatMul": {
        if (node.inputs.length > 2 || node.attributes.alpha !== 1) return undefined
        return multiply(this.graph, this.half(first), this.half(node.inputs[1]), node, "bfloat16")
      }
      case "Reshape":
        return this.isHalf(first, node) ? reshape(this.graph, this.half(first), node.results[0].shape, "bfloat16") : undefined
      case "Transpose":
        return this.isHalf(first, node) ? transpose(this.graph, this.half(first), node.attributes.permutation, "bfloat16") : undefined
      case "Relu":
        return this.isHalf(first, node) ? typed(this.graph, "Relu", [this.half(first)], "bfloat16") : undefined
      case "ReluGrad": {
        const isReady = this.isHalf(first, node) && this.forms.get(node.inputs[1])!.half
        return isReady ? typed(this.graph, "ReluGrad", [this.half(first), this.half(node.inputs[1])], "bfloat16") : undefined
      }
      default:
        return undefined
    }
  }

  /** Whether the node may work on its input's rounded form: the input has no other, or nobody asks for another. */
  private isHalf(value: Value, { results: [result] }: RecordedNode): boolean {
    if (value.dtype !== "float32") return false
    return this.forms.get(value)!.float === undefined || this.onlyMultiplied.has(result)
  }

  private float(value: Value): Name {
    const forms = this.forms.get(value)!
    forms.float ??= cast(this.graph, forms.half!, "bfloat16", "float32")
    return forms.float
  }

  private half(value: Value): Name {
    const forms = this.forms.get(value)!
    forms.half ??= cast(this.graph, forms.float!, "float32", "bfloat16")
    return forms.half
  }
}

function findOnlyMultiplied(recording: Recording): Set<Value> {
  const found = new Set<Value>(recording.nodes.flatMap((node) => node.results).filter((value) => value.dtype === "float32"))
  for (const value of Object.values(recording.outputs)) found.delete(value)
  for (const node of [...recording.nodes].reverse()) {
    const { operation } = node
    if (operation === "MatMul") continue
    const isMove = operation === "Reshape" || operation === "Transpose" || operation === "Relu"
    if (isMove && found.has(node.results[0])) continue
    for (const input of node.inputs) found.delete(input)
  }
  return found
}
