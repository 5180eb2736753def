// Common sub-expressions: nodes that do the same to the same inputs become one. Recorded operations have no side effects.
import { createHash } from "node:crypto"
import type { RecordedNode, Recording, Value } from "../recording"
import { rewriteNodes } from "./rewrite"

export function shareCommonNodes(recording: Recording): Recording {
  const numbers = new Map<Value, number>()
  const known = new Map<string, readonly Value[]>()
  return rewriteNodes(recording, (node) => {
    const key = describeNode(node, numbers)
    const results = known.get(key) ?? node.results
    known.set(key, results)
    for (const value of results) if (!numbers.has(value)) numbers.set(value, numbers.size)
    return results === node.results ? undefined : results
  })
}

function describeNode(node: RecordedNode, numbers: ReadonlyMap<Value, number>): string {
  const inputs = node.inputs.map((value) => numbers.get(value))
  const results = node.results.map(({ shape, dtype }) => `${dtype}${shape}`)
  const attributes = node.operation === "Constant" ? digestOf(node.attributes.values) : JSON.stringify(node.attributes, keepNegativeZero)
  return [node.operation, attributes, inputs, ...results].join("|")
}

function digestOf(values: ArrayBufferView): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("base64")
}

/** JSON has no -0, NaN and infinities. */
function keepNegativeZero(_key: string, value: unknown): unknown {
  return typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))
    ? `number ${Object.is(value, -0) ? "-0" : value}`
    : value
}
