// Models of `tokenizer.json`: a piece of text becomes tokens. BPE and WordPiece are the library's.
import { BPE, WordPiece } from "@huggingface/tokenizers"
import type { TextRange } from "../tokenizer"
import { isId, isRecord, type PartDescription } from "./describe"
import { type UnigramDescription, UnigramModel } from "./unigram-model"

export interface TokenModel {
  /** Tokens by id; a number may be missing. */
  readonly vocabulary: readonly (string | undefined)[]
  readonly ids: ReadonlyMap<string, number>
  readonly unknownId: number | undefined
  /** The tokens of a piece. */
  encode(piece: string): readonly string[]
  /** Which code units of the piece each of its tokens is written from. */
  locate(piece: string, tokens: readonly string[]): TextRange[]
}

/**
 * The model that a description asks for.
 * @throws Error with a clause of a sentence
 */
export function createModel(part: PartDescription): TokenModel {
  switch (part.type) {
    case "Unigram": {
      if (!Array.isArray(part.vocab) || !part.vocab.every(Array.isArray)) throw new Error("its vocabulary is no list of pieces")
      if (part.unk_id !== null && part.unk_id !== undefined && !(isId(part.unk_id) && part.unk_id < part.vocab.length))
        throw new Error("its vocabulary has no piece for what is unknown")
      const model = new UnigramModel(part as unknown as UnigramDescription)
      return { ...describe(model), encode: (piece) => model.encode(piece), locate: locateParts }
    }
    case "BPE": {
      checkVocabulary(part.vocab)
      checkMerges(part.merges)
      // Rust puts the prefix before each symbol but the first, which the library does not.
      if (part.continuing_subword_prefix)
        throw new Error("its BPE with a continuing_subword_prefix is of a kind that this library does not know")
      const model = new BPE(part as never)
      return { ...describe(fromLibrary(model)), encode: (piece) => model([piece]), locate: locateParts }
    }
    case "WordPiece": {
      checkVocabulary(part.vocab)
      const prefix = typeof part.continuing_subword_prefix === "string" ? part.continuing_subword_prefix : "##"
      const model = new WordPiece({ ...part, continuing_subword_prefix: prefix } as never)
      const locate = (piece: string, tokens: readonly string[]) => {
        const isUnknown = tokens.length === 1 && tokens[0] === part.unk_token
        return isUnknown
          ? [[0, piece.length] as const]
          : locateParts(
              piece,
              tokens.map((token, i) => (i === 0 ? token : token.slice(prefix.length))),
            )
      }
      return { ...describe(fromLibrary(model)), encode: (piece) => model([piece]), locate }
    }
    default:
      throw new Error(`its model ${JSON.stringify(part.type)} is of a kind that this library does not know`)
  }
}

interface Vocabulary {
  readonly vocabulary: readonly (string | undefined)[]
  readonly ids: ReadonlyMap<string, number>
  readonly unknownId: number | undefined
}

function describe({ vocabulary, ids, unknownId }: Vocabulary): Vocabulary {
  return { vocabulary, ids, unknownId }
}

function fromLibrary(model: BPE | WordPiece): Vocabulary {
  return { vocabulary: model.vocab, ids: model.tokens_to_ids, unknownId: model.unk_token_id }
}

function checkVocabulary(vocabulary: unknown): void {
  if (!isRecord(vocabulary) || !Object.values(vocabulary).every(isId)) throw new Error("its vocabulary has no ids")
}

function checkMerges(merges: unknown): void {
  const isMerge = (merge: unknown): boolean =>
    typeof merge === "string"
      ? merge.includes(" ")
      : Array.isArray(merge) && merge.length === 2 && merge.every((one) => typeof one === "string")
  if (!Array.isArray(merges) || !merges.every(isMerge)) throw new Error("its merges are no list of pairs")
}

/** The byte that a token of byte fallback stands for. */
const byteToken = /^<0x[0-9A-F]{2}>$/

/** Tokens that are parts of the piece, one after another; those of a character's bytes stand for the character. */
function locateParts(piece: string, tokens: readonly string[]): TextRange[] {
  const ranges: TextRange[] = []
  let at = 0
  let bytesLeft = 0
  for (const [i, token] of tokens.entries()) {
    let end = at + token.length
    if (!piece.startsWith(token, at)) {
      const character = at < piece.length ? String.fromCodePoint(piece.codePointAt(at)!) : ""
      end = at + character.length
      if (byteToken.test(token)) {
        bytesLeft ||= Buffer.byteLength(character)
        bytesLeft--
      } else if (i === tokens.length - 1) end = piece.length
    }
    ranges.push([at, end])
    if (bytesLeft === 0) at = end
  }
  return ranges
}
