// The gradient of a table that rows were read from is those rows' gradients, not a table of zeros with a few rows in it: the output
// `gradient/name` becomes what is dense of it (or nothing), and pairs `rows/name/0`, `ids/name/0` ..., which the optimizer adds up.
import { makeNode, type RecordedNode, Recording, sameShape, type Value } from "../recording"
import { gradientOutput } from "../tracer"
import { producedBy } from "./rewrite"

/** The output with rows [count, width] that belong to a parameter's gradient. */
export const rowsOutput = (parameter: string, index: number): string => `rows/${parameter}/${index}`
/** The output with their row numbers, int32 [count]. */
export const idsOutput = (parameter: string, index: number): string => `ids/${parameter}/${index}`

const prefix = gradientOutput("")

export function gradientsAsRows(recording: Recording): Recording {
  const uses = recording.countUses()
  const outputs: Record<string, Value> = {}
  const added: RecordedNode[] = []
  for (const [output, value] of Object.entries(recording.outputs)) {
    const parts = output.startsWith(prefix) ? splitSum(value, uses) : undefined
    if (!parts || parts.sparse.length === 0) {
      outputs[output] = value
      continue
    }
    const name = output.slice(prefix.length)
    const dense = sumUp(parts.dense, added)
    if (dense) outputs[output] = dense
    parts.sparse.forEach(({ inputs: [rows, ids] }, index) => {
      outputs[rowsOutput(name, index)] = rows
      outputs[idsOutput(name, index)] = ids
    })
  }
  return new Recording(recording.name, [...recording.nodes, ...added], outputs)
}

interface SumParts {
  readonly dense: readonly Value[]
  readonly sparse: readonly RecordedNode<"SegmentSum">[]
}

/** The terms of a sum, as far as nothing else reads the partial sums. */
function splitSum(value: Value, uses: ReadonlyMap<Value, number>): SumParts {
  const isPrivate = uses.get(value) === 1
  const segments = producedBy(value, "SegmentSum")
  if (segments && isPrivate && value.shape.length === 2) return { dense: [], sparse: [segments] }
  const sum = producedBy(value, "Add")
  if (!sum || !isPrivate || !sum.inputs.every((input) => sameShape(input.shape, value.shape))) return { dense: [value], sparse: [] }
  const [a, b] = sum.inputs.map((input) => splitSum(input, uses))
  return { dense: [...a.dense, ...b.dense], sparse: [...a.sparse, ...b.sparse] }
}

function sumUp(terms: readonly Value[], added: RecordedNode[]): Value | undefined {
  return terms.slice(1).reduce<Value | undefined>((sum, term) => {
    const node = makeNode("Add", [sum!, term], {}, [term], "gradient") as RecordedNode
    added.push(node)
    return node.results[0]
  }, terms[0])
}
