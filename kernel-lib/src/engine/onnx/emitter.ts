// From a recording to an ONNX model: inputs, parameters and outputs by name, one rule for each recorded operation.
import type { NamedSizes } from "../named-sizes"
import type { OperationName } from "../operations"
import type { RecordedNode, Recording, Value } from "../recording"
import { type IsUsed, makeLayerRules } from "./emit-layer-operations"
import { arithmeticRules, comparisonRules, type Rule, type Rules, reductionRules, tensorRules, unaryRules } from "./emit-tensor-operations"
import { GraphBuilder, type Name } from "./graph-builder"

/** Version of ONNX's standard operators that the rules are written for. */
export const opset = 18

/** Names in the model; an input, a parameter and an output may share theirs in the recording. */
export const graphNames = {
  input: (name: string): Name => `input/${name}`,
  parameter: (name: string): Name => `parameter/${name}`,
  output: (name: string): Name => `output/${name}`,
}

/** How each operation is emitted; results that nobody uses may be left out. */
export function makeRules(isUsed: IsUsed): { -readonly [Operation in keyof Rules<OperationName>]: Rules<OperationName>[Operation] } {
  return {
    ...unaryRules,
    ...arithmeticRules,
    ...comparisonRules,
    ...reductionRules,
    ...tensorRules,
    ...makeLayerRules(isUsed),
    Input: (graph, _inputs, node) => graph.input(graphNames.input(node.attributes.name), node.results[0]),
    Parameter: (graph, _inputs, node) => graph.input(graphNames.parameter(node.attributes.name), node.results[0]),
  }
}

export interface EmitOptions {
  /** Sizes that are known when the graph runs. */
  readonly named?: NamedSizes
  /** Parameters are initializers, whose values are handed over when the session is made, instead of inputs. */
  readonly storesParameters?: boolean
}

/** A model file. Inputs and parameters are the graph's inputs: values are bound when it runs. */
export function emitOnnx(recording: Recording, { named, storesParameters = false }: EmitOptions = {}): Uint8Array {
  const graph = new GraphBuilder(named)
  const uses = recording.countUses()
  const rules = makeRules((value) => uses.has(value))
  if (storesParameters) {
    rules.Parameter = (_graph, _inputs, node) => graph.storedParameter(graphNames.parameter(node.attributes.name), node.results[0])
  }
  const names = emitNodes(graph, recording, rules)
  for (const [name, value] of Object.entries(recording.outputs)) graph.output(graphNames.output(name), names[name], value)
  return graph.encode(recording.name, opset)
}

/** Adds what `recording` computes to `graph`; answers the names of its outputs. */
export function emitNodes(graph: GraphBuilder, recording: Recording, rules: ReturnType<typeof makeRules>): Record<string, Name> {
  const names = new Map<Value, Name>()
  for (const node of recording.nodes) {
    const rule = rules[node.operation] as Rule<OperationName>
    const inputs = node.inputs.map((value) => names.get(value)!)
    graph.scope = node.scope
    const results = rule(graph, inputs, node as RecordedNode)
    const listed = typeof results === "string" ? [results] : results
    for (const [index, value] of node.results.entries()) names.set(value, listed[index])
  }
  return Object.fromEntries(Object.entries(recording.outputs).map(([name, value]) => [name, names.get(value)!]))
}
