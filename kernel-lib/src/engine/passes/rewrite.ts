// How passes change a recording: node by node, in order, each rule seeing its node with inputs that are rewritten already.
import type { Attributes, OperationName } from "../operations"
import { makeNode, type RecordedNode, Recording, type Value } from "../recording"
import type { TensorSpec } from "../session"

/** A recording that means the same and runs better. */
export type Pass = (recording: Recording) => Recording

/** What stands in for a node's results, or undefined to leave the node as it is. */
export type Rule = (node: RecordedNode, rewriter: Rewriter) => Value | readonly Value[] | undefined

/** Applies `rule` to each node of `recording`. */
export function rewriteNodes(recording: Recording, rule: Rule): Recording {
  return new Rewriter(recording).run(rule)
}

export class Rewriter {
  private readonly nodes: RecordedNode[] = []
  private readonly replacements = new Map<Value, Value>()
  private readonly uses = new Map<Value, number>()
  private scope = ""

  constructor(private readonly recording: Recording) {}

  run(rule: Rule): Recording {
    const uses = this.recording.countUses()
    for (const original of this.recording.nodes) {
      this.scope = original.scope
      const node = this.withNewInputs(original)
      const answer = rule(node, this)
      const results = answer === undefined ? node.results : Array.isArray(answer) ? (answer as readonly Value[]) : [answer as Value]
      if (answer === undefined) this.nodes.push(node)
      original.results.forEach((value, index) => {
        const replacement = results[index]
        this.replacements.set(value, replacement)
        this.uses.set(replacement, (this.uses.get(replacement) ?? 0) + (uses.get(value) ?? 0))
      })
    }
    const outputs = Object.entries(this.recording.outputs).map(([name, value]) => [name, this.replacements.get(value)!])
    return new Recording(this.recording.name, this.nodes, Object.fromEntries(outputs))
  }

  /** Adds a node before the one that is being rewritten and answers its first result. */
  make<Operation extends OperationName>(
    operation: Operation,
    inputs: readonly Value[],
    attributes: Attributes[Operation],
    result: TensorSpec,
  ): Value {
    return this.makeWithResults(operation, inputs, attributes, [result])[0]
  }

  /** Adds a node before the one that is being rewritten and answers its results. */
  makeWithResults<Operation extends OperationName>(
    operation: Operation,
    inputs: readonly Value[],
    attributes: Attributes[Operation],
    results: readonly TensorSpec[],
  ): readonly Value[] {
    const node = makeNode(operation, inputs, attributes, results, this.scope)
    this.nodes.push(node as RecordedNode)
    return node.results
  }

  /** The same node with other inputs, attributes or shapes; answers its results. */
  change(node: RecordedNode, changes: { inputs?: readonly Value[]; attributes?: object }): readonly Value[] {
    const { inputs = node.inputs, attributes = node.attributes } = changes
    const changed = makeNode(node.operation, inputs, attributes as never, node.results, node.scope) as RecordedNode
    this.nodes.push(changed)
    return changed.results
  }

  /** Whether nothing but the node at hand uses `value`. */
  isUsedOnce(value: Value): boolean {
    return this.uses.get(value) === 1
  }

  private withNewInputs(node: RecordedNode): RecordedNode {
    const inputs = node.inputs.map((value) => this.replacements.get(value)!)
    if (inputs.every((value, index) => value === node.inputs[index])) return node
    return makeNode(node.operation, inputs, node.attributes as never, node.results, node.scope) as RecordedNode
  }
}

/** `value`'s producer when it is an `operation`. */
export function producedBy<Operation extends OperationName>(value: Value, operation: Operation): RecordedNode<Operation> | undefined {
  return value.producer.operation === operation ? (value.producer as RecordedNode<Operation>) : undefined
}

/** The number that every element of a float32 `value` is, when that is known. */
export function uniformNumber(value: Value): number | undefined {
  return value.dtype === "float32" ? producedBy(value, "Fill")?.attributes.value : undefined
}
