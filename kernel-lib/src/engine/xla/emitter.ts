// From a recording to StableHLO: one rule for each recorded operation, and with bf16 a second form of the values that products read. A
// product rounds what it reads and what it gives; everything else computes in float32.
import type { OperationName } from "../operations"
import type { RecordedNode, Recording, Value } from "../recording"
import type { Precision } from "../session"
import { type IsUsed, makeLayerRules } from "./emit-layer-operations"
import {
  arithmeticRules,
  comparisonRules,
  multiply,
  type Rule,
  type Rules,
  reductionRules,
  tensorRules,
  unaryRules,
} from "./emit-tensor-operations"
import type { DotPrecision, ModuleBuilder, Term } from "./module-builder"

/** How each operation but inputs and parameters is emitted; results that nobody uses may be left out. */
export function makeRules(isUsed: IsUsed): Rules<Exclude<OperationName, "Input" | "Parameter">> {
  return { ...unaryRules, ...arithmeticRules, ...comparisonRules, ...reductionRules, ...tensorRules, ...makeLayerRules(isUsed) }
}

/** What XLA is asked of products in float32: by default it would round factors wherever that is faster. */
export function dotPrecisionOf(precision: Precision = "fp32", platform: string): DotPrecision {
  if (precision !== "tf32") return "HIGHEST"
  // Of a TPU the default keeps 8 bits of each factor.
  return platform === "tpu" ? "HIGH" : "DEFAULT"
}

/** A value in the module, in the forms that were asked for so far. */
interface Forms {
  float?: Term
  half?: Term
}

export interface EmitOptions {
  /** The value of an input or a parameter. */
  readonly source: (node: RecordedNode<"Input" | "Parameter">) => Term
  /** Default: `fp32`. */
  readonly precision?: Precision
}

/** Adds the operations of `recording` to `module`; answers the term of each output. */
export function emitRecording(module: ModuleBuilder, recording: Recording, options: EmitOptions): Record<string, Term> {
  return new Emitter(module, recording, options).run()
}

class Emitter {
  private readonly forms = new Map<Value, Forms>()
  private readonly rules: ReturnType<typeof makeRules>
  private readonly isRounding: boolean
  /** Values that nothing but products reads, directly or in another shape. */
  private readonly onlyMultiplied: ReadonlySet<Value>

  constructor(
    private readonly module: ModuleBuilder,
    private readonly recording: Recording,
    private readonly options: EmitOptions,
  ) {
    const uses = recording.countUses()
    this.rules = makeRules((value) => uses.has(value))
    this.isRounding = options.precision === "bf16"
    this.onlyMultiplied = this.isRounding ? findOnlyMultiplied(recording) : new Set()
  }

  run(): Record<string, Term> {
    for (const node of this.recording.nodes) this.emit(node)
    return Object.fromEntries(Object.entries(this.recording.outputs).map(([output, value]) => [output, this.float(value)]))
  }

  private emit(node: RecordedNode): void {
    if (node.operation === "Input" || node.operation === "Parameter") {
      this.forms.set(node.results[0], { float: this.options.source(node) })
      return
    }
    const half = this.isRounding ? this.emitHalf(node) : undefined
    if (half) {
      this.forms.set(node.results[0], { half })
      return
    }
    const rule = this.rules[node.operation] as Rule<OperationName>
    const inputs = node.inputs.map((value) => this.float(value))
    const results = rule(this.module, inputs, node)
    const listed = Array.isArray(results) ? (results as readonly Term[]) : [results as Term]
    for (const [index, value] of node.results.entries()) this.forms.set(value, { float: listed[index] })
  }

  /** Products, and operations that move rounded numbers without changing them; undefined for every other node. */
  private emitHalf(node: RecordedNode): Term | undefined {
    const { module } = this
    const [first, second] = node.inputs
    switch (node.operation) {
      case "MatMul":
        return node.inputs.length > 2 || node.attributes.alpha !== 1
          ? undefined
          : multiply(module, this.half(first), this.half(second), node)
      case "Reshape":
        return this.staysHalf(first, node) ? module.reshape(this.half(first), node.results[0].shape) : undefined
      case "Transpose":
        return this.staysHalf(first, node) ? module.transpose(this.half(first), node.attributes.permutation) : undefined
      case "Relu":
        return this.staysHalf(first, node) ? (unaryRules.Relu(module, [this.half(first)], node) as Term) : undefined
      case "ReluGrad": {
        const isReady = this.staysHalf(first, node) && this.forms.get(second)!.half
        return isReady ? (this.rules.ReluGrad(module, [this.half(first), this.half(second)], node) as Term) : undefined
      }
      default:
        return undefined
    }
  }

  /** Whether the node may work on its input's rounded form: the input has no other, or nobody asks for another. */
  private staysHalf(value: Value, { results: [result] }: RecordedNode): boolean {
    if (value.dtype !== "float32") return false
    return this.forms.get(value)!.float === undefined || this.onlyMultiplied.has(result)
  }

  private float(value: Value): Term {
    const forms = this.forms.get(value)!
    forms.float ??= this.module.convert(forms.half!, "float32")
    return forms.float
  }

  private half(value: Value): Term {
    const forms = this.forms.get(value)!
    forms.half ??= this.module.convert(forms.float!, "bfloat16")
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
