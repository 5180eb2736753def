// sentencepiece's model files (`spiece.model`, `tokenizer.model`, `sentencepiece.bpe.model`): the part of their protocol buffers that
// a tokenizer needs. Fields as in https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
import protobuf from "protobufjs/light.js"

export const pieceKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface Piece {
  readonly piece: string
  readonly score: number
  /** One of `pieceKinds`. */
  readonly type: number
}

export interface SentencePieceFile {
  readonly pieces: readonly Piece[]
  readonly kind: "unigram" | "bpe"
  readonly unknownId: number
  readonly hasByteFallback: boolean
  /** Empty where there are no rules. */
  readonly charsmap: Uint8Array
}

const root = protobuf.Root.fromJSON({
  nested: {
    Piece: {
      fields: {
        piece: { type: "string", id: 1 },
        score: { type: "float", id: 2 },
        type: { type: "int32", id: 3, options: { default: pieceKinds.normal } },
      },
    },
    TrainerSpec: {
      fields: {
        modelType: { type: "int32", id: 3, options: { default: 1 } },
        byteFallback: { type: "bool", id: 35 },
        unkId: { type: "int32", id: 40, options: { default: 0 } },
      },
    },
    NormalizerSpec: { fields: { precompiledCharsmap: { type: "bytes", id: 2 } } },
    Model: {
      fields: {
        pieces: { rule: "repeated", type: "Piece", id: 1 },
        trainerSpec: { type: "TrainerSpec", id: 2 },
        normalizerSpec: { type: "NormalizerSpec", id: 3 },
      },
    },
  },
})

interface Decoded {
  readonly pieces?: readonly Piece[]
  readonly trainerSpec?: { readonly modelType: number; readonly byteFallback: boolean; readonly unkId: number } | null
  readonly normalizerSpec?: { readonly precompiledCharsmap: Uint8Array } | null
}

/**
 * A sentencepiece model, read.
 * @throws Error with a clause of a sentence
 */
export function readSentencePieceFile(bytes: Uint8Array): SentencePieceFile {
  const decoded = root.lookupType("Model").decode(bytes) as Decoded
  const pieces = (decoded.pieces ?? []).map(({ piece, score, type }) => ({ piece, score, type }))
  if (pieces.length === 0) throw new Error("it has no pieces")
  const modelType = decoded.trainerSpec?.modelType ?? 1
  if (modelType !== 1 && modelType !== 2) throw new Error("it is neither a Unigram nor a BPE model of sentencepiece")
  const unknownId = decoded.trainerSpec?.unkId ?? 0
  if (!(unknownId >= 0 && unknownId < pieces.length)) throw new Error("it has no piece for what is unknown")
  return {
    pieces,
    kind: modelType === 1 ? "unigram" : "bpe",
    unknownId,
    hasByteFallback: decoded.trainerSpec?.byteFallback ?? false,
    charsmap: decoded.normalizerSpec?.precompiledCharsmap ?? new Uint8Array(0),
  }
}

/**
 * The merges that a BPE vocabulary stands for: every way in which a piece consists of two others, in the order of the pieces.
 * Source: transformers' generate_merges.
 */
export function listMerges(pieces: readonly string[]): [string, string][] {
  const ids = new Map(pieces.map((piece, id) => [piece, id]))
  return pieces.flatMap((piece) => {
    const characters = Array.from(piece)
    const ways: [string, string][] = []
    for (let cut = 1; cut < characters.length; cut++) {
      const way: [string, string] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")]
      if (ids.has(way[0]) && ids.has(way[1])) ways.push(way)
    }
    // Ways are in the order of their first part's length already, by which transformers orders them.
    return ways
  })
}
