// All random words of a recording are drawn at once and cut into parts: one chain of small operations instead of one for each dropout.
import type { RecordedNode, Recording, Value } from "../recording"
import { rewriteNodes } from "./rewrite"

export function mergeRandomWords(recording: Recording): Recording {
  const draws = recording.nodes.filter((node): node is RecordedNode<"RandomWords"> => node.operation === "RandomWords")
  if (draws.length < 2) return recording
  const total = Math.max(...draws.map(({ attributes: { offset, count } }) => offset + count))
  const merged = new Map<Value, Value>()
  return rewriteNodes(recording, (node, rewriter) => {
    if (node.operation !== "RandomWords") return undefined
    const [key] = node.inputs
    const [result] = node.results
    const { offset, count } = node.attributes
    const all = merged.get(key) ?? rewriter.make("RandomWords", [key], { offset: 0, count: total }, { shape: [total], dtype: "int32" })
    merged.set(key, all)
    return rewriter.make("Slice", [all], { begin: [offset], end: [offset + count], strides: [1] }, result)
  })
}
