// The weights of the Llama family under llama.cpp's names, and back. llama.cpp turns neighbouring numbers of a head together where
// transformers turns a number with the one half a head away, so for Llama and Mistral the rows of queries and keys change places.
import type { NamedParameters } from "../../engine"
import type { LlamaShape } from "../../networks/llama"
import { rotaryFrequencies } from "../../networks/rotary"
import type { GgufTensor, TensorType } from "./gguf-format"
import { fitsBlocks, packNumbers, unpackNumbers } from "./gguf-numbers"

const wholeNames: Readonly<Record<string, string>> = {
  "model.embed_tokens.weight": "token_embd.weight",
  "model.norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
}
const layerParts: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
}

/** llama.cpp's name of a weight. */
export function nameInGguf(name: string): string {
  const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? []
  return wholeNames[name] ?? `blk.${layer}.${layerParts[part]}.${kind}`
}

/** How the rows of a weight stand in the file: for each row, the student's. */
function orderRows(name: string, shape: LlamaShape, isPermuted: boolean): number[] | undefined {
  const heads = /\.q_proj\./.test(name) ? shape.numHeads : /\.k_proj\./.test(name) ? shape.numKeyHeads : 0
  if (!isPermuted || heads === 0) return undefined
  const { headSize } = shape
  return Array.from({ length: heads * headSize }, (_, row) => {
    const within = row % headSize
    return row - within + (within % 2) * (headSize / 2) + Math.floor(within / 2)
  })
}

function moveRows(data: Float32Array, rows: readonly number[]): Float32Array {
  const width = data.length / rows.length
  const moved = new Float32Array(data.length)
  rows.forEach((from, to) => {
    moved.set(data.subarray(from * width, (from + 1) * width), to * width)
  })
  return moved
}

export function listGgufTensors(weights: NamedParameters, shape: LlamaShape, isPermuted: boolean, wanted: TensorType): GgufTensor[] {
  const tensors = Object.entries(weights).map(([name, { shape: sizes, data }]) => {
    const rows = orderRows(name, shape, isPermuted)
    const isMatrix = sizes.length === 2
    const type = !isMatrix ? "f32" : wanted === "q8_0" && !fitsBlocks(sizes[1]) ? "f16" : wanted
    return { name: nameInGguf(name), shape: sizes, type, bytes: packNumbers(rows ? moveRows(data, rows) : data, type) } as const
  })
  return [...tensors, ...listRotaryFactors(shape)]
}

/** How much more slowly each pair turns, where that is no formula of llama.cpp's. */
function listRotaryFactors({ rotary, headSize }: LlamaShape): GgufTensor[] {
  if (rotary.kind !== "llama3") return []
  const plain = rotaryFrequencies({ kind: "default", theta: rotary.theta }, headSize)
  const factors = rotaryFrequencies(rotary, headSize).map((frequency, i) => plain[i] / frequency)
  return [{ name: "rope_freqs.weight", shape: [factors.length], type: "f32", bytes: packNumbers(factors, "f32") }]
}

/** The weights that a file holds, as a student has them. */
export function readGgufWeights(
  tensors: readonly GgufTensor[],
  like: NamedParameters,
  shape: LlamaShape,
  isPermuted: boolean,
): NamedParameters {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  return Object.fromEntries(
    Object.entries(like).map(([name, { shape: sizes }]) => {
      const { bytes, type } = byName.get(nameInGguf(name))!
      const data = unpackNumbers(bytes, type)
      const rows = orderRows(name, shape, isPermuted)
      if (!rows) return [name, { shape: sizes, data }]
      const back = new Array<number>(rows.length)
      rows.forEach((from, to) => {
        back[from] = to
      })
      return [name, { shape: sizes, data: moveRows(data, back) }]
    }),
  )
}
