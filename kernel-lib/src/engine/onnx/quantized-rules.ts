// Products and embeddings whose weights are 8-bit numbers. A product's other factor is rounded to 8 bits as it comes (dynamic quantization),
// with one scale for all of it; a weight has a scale for each of its outputs. Weights are unsigned with their zero at 128, since products
// of unsigned with signed numbers overflow in the kernels of processors without VNNI.
import type { RecordedNode, Value } from "../recording"
import type { NamedParameters } from "../session"
import type { makeRules } from "./emitter"
import type { GraphBuilder, Name } from "./graph-builder"
import { elementTypes } from "./model-format"

type RuleSet = ReturnType<typeof makeRules>

/** Weights of fewer numbers stay as they are. */
const fewest = 2048
const zero = 128
const largest = 127

interface Quantized {
  readonly values: Name
  readonly scales: Name
}

/** The rules that take the place of those of `rules`. */
export function quantizeRules(rules: RuleSet, parameters: NamedParameters): Pick<RuleSet, "MatMul" | "Gather"> {
  const stored = new Map<string, Quantized>()
  const rounded = new Map<Name, readonly Name[]>()
  const store = (graph: GraphBuilder, name: string, areOutputsRows: boolean, isTransposed: boolean): Quantized => {
    const key = `${name}/${areOutputsRows ? "rows" : "columns"}${isTransposed ? "/transposed" : ""}`
    const known = stored.get(key)
    if (known) return known
    const straight = isTransposed ? stored.get(key.replace(/\/transposed$/, "")) : undefined
    // An embedding that is the head too is stored once; the runtime turns it when it loads the file.
    if (straight) {
      const turned = { ...straight, values: graph.node("Transpose", [straight.values], { perm: [1, 0] }) }
      stored.set(key, turned)
      return turned
    }
    const [rows, columns] = parameters[name].shape
    const { values, scales } = quantize(parameters[name].data, rows, columns, areOutputsRows)
    const shape = isTransposed ? [columns, rows] : [rows, columns]
    const quantized = {
      values: graph.stored(`${key}/values`, isTransposed ? transpose(values, rows, columns) : values, shape, "uint8"),
      scales: graph.stored(`${key}/scales`, new Uint8Array(scales.buffer), [scales.length], "float32"),
    }
    stored.set(key, quantized)
    return quantized
  }
  return {
    MatMul: (graph, inputs, node) => {
      const { transposeA, transposeB, alpha } = node.attributes
      const name = parameterOf(node.inputs[1])
      if (name === undefined || transposeA || node.inputs[1].shape.length !== 2) return rules.MatMul(graph, inputs, node)
      const weight = store(graph, name, transposeB, transposeB)
      const known = rounded.get(inputs[0])
      const [values, scale, zeroPoint] = known ?? graph.nodeWithResults(3, "DynamicQuantizeLinear", [inputs[0]])
      rounded.set(inputs[0], [values, scale, zeroPoint])
      const whole = graph.node("MatMulInteger", [values, weight.values, zeroPoint, zeroOf(graph)])
      const scales = graph.node("Mul", [scale, weight.scales])
      const product = graph.node("Mul", [graph.node("Cast", [whole], { to: elementTypes.float32 }), scales])
      const scaled = alpha === 1 ? product : graph.node("Mul", [product, graph.float(alpha)])
      return inputs[2] === undefined ? scaled : graph.node("Add", [scaled, inputs[2]])
    },
    Gather: (graph, inputs, node) => {
      const name = parameterOf(node.inputs[0])
      if (name === undefined || node.attributes.axis !== 0 || node.inputs[0].shape.length !== 2 || node.inputs[1].shape.length !== 1)
        return rules.Gather(graph, inputs, node)
      const table = store(graph, name, true, false)
      const rows = graph.node("Cast", [graph.node("Gather", [table.values, inputs[1]], { axis: 0 })], { to: elementTypes.float32 })
      const scales = graph.node("Gather", [table.scales, graph.reshape(inputs[1], node.inputs[1].shape, [node.inputs[1].shape[0], 1])], {
        axis: 0,
      })
      return graph.node("Mul", [graph.node("Sub", [rows, graph.float(zero)]), scales])
    },
  }

  function parameterOf({ producer }: Value): string | undefined {
    if (producer.operation !== "Parameter") return undefined
    const { name } = (producer as RecordedNode<"Parameter">).attributes
    return parameters[name].data.length >= fewest ? name : undefined
  }
}

function zeroOf(graph: GraphBuilder): Name {
  const name = "zero/uint8"
  if (!graph.has(name)) graph.stored(name, Uint8Array.of(zero), [], "uint8")
  return name
}

/** Each row, or each column, with a scale of its own. */
function quantize(data: Float32Array, rows: number, columns: number, byRow: boolean): { values: Uint8Array; scales: Float32Array } {
  const scales = new Float32Array(byRow ? rows : columns)
  const channel = (index: number) => (byRow ? Math.floor(index / columns) : index % columns)
  for (let i = 0; i < data.length; i++) {
    const at = channel(i)
    scales[at] = Math.max(scales[at], Math.abs(data[i]))
  }
  for (let at = 0; at < scales.length; at++) scales[at] = (scales[at] || 1) / largest
  const values = Uint8Array.from(data, (value, i) => Math.max(-largest, Math.min(largest, Math.round(value / scales[channel(i)]))) + zero)
  return { values, scales }
}

function transpose(values: Uint8Array, rows: number, columns: number): Uint8Array {
  const turned = new Uint8Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]
  return turned
}
