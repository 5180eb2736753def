// T5, XLM-RoBERTa and Llama: tokenizers whose vocabulary is a sentencepiece model.
// Source: transformers' tokenization_t5.py, tokenization_xlm_roberta.py, tokenization_llama.py and SentencePieceExtractor.
import type { PartDescription } from "./describe"
import { describeTemplate, type Family, type FamilyParts, type TokenizerFiles } from "./family"
import { listMerges, pieceKinds, readSentencePieceFile, type SentencePieceFile } from "./sentence-piece-file"
import type { LooseToken } from "./special-tokens"

const mark = "▁"
const t5Roles = { eos_token: "</s>", unk_token: "<unk>", pad_token: "<pad>" }
/** Far more than any model has. */
const maxExtraIds = 10_000

export const t5Family: Family = {
  classes: ["T5Tokenizer", "MT5Tokenizer"],
  modelTypes: ["t5", "mt5", "umt5", "longt5", "switch_transformers"],
  files: ["spiece.model"],
  roles: t5Roles,
  read(files, configuration) {
    const file = readModel(files, "spiece.model", "unigram")
    const { extra_ids: count = 100 } = configuration
    const extraIds = Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= maxExtraIds ? (count as number) : 100
    const sentinels = Array.from({ length: extraIds }, (_, i) => `<extra_id_${i}>`)
    const pieces = [...listScores(file), ...[...sentinels].reverse().map((token) => [token, 0] as const)]
    const extra = [...listAdded(file), ...sentinels.map((content) => ({ content, special: true, normalized: false }))]
    return { ...describeUnigram(file, pieces, file.unknownId, "always"), extra }
  },
  describeAround: ({ names, findId }) =>
    describeTemplate(["$A", names.eos_token], ["$A", names.eos_token, "$B", names.eos_token], findId, [0, 0, 0, 0]),
}

export const xlmRobertaFamily: Family = {
  classes: ["XLMRobertaTokenizer"],
  modelTypes: ["xlm-roberta", "xlm-roberta-xl"],
  files: ["sentencepiece.bpe.model"],
  roles: { ...t5Roles, bos_token: "<s>", sep_token: "</s>", cls_token: "<s>", mask_token: "<mask>" },
  read(files, configuration) {
    const file = readModel(files, "sentencepiece.bpe.model", "unigram")
    // fairseq numbered the first tokens in its own way.
    const first = ["<s>", "<pad>", "</s>", "<unk>"].map((token) => [token, 0] as const)
    const pieces = [...first, ...listScores(file).slice(3), ["<mask>", 0] as const]
    const scheme = configuration.add_prefix_space === false ? "never" : "always"
    return { ...describeUnigram(file, pieces, 3, scheme), extra: listAdded(file) }
  },
  describeAround({ names, findId }) {
    const single = [names.bos_token, "$A", names.eos_token]
    return describeTemplate(single, [...single, names.eos_token, "$B", names.eos_token], findId, [0, 0, 0, 0, 0, 0])
  },
}

export const llamaFamily: Family = {
  classes: ["LlamaTokenizer", "CodeLlamaTokenizer"],
  modelTypes: ["llama", "mistral"],
  files: ["tokenizer.model"],
  roles: { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" },
  read(files, configuration) {
    const file = readModel(files, "tokenizer.model", "bpe")
    const pieces = file.pieces.map(({ piece }) => piece)
    const vocabulary = new Map(pieces.map((piece, id) => [piece, id]))
    const hasPrefix = configuration.add_prefix_space !== false
    const scheme = hasPrefix ? (configuration.legacy === true ? "always" : "first") : "never"
    const decoders: PartDescription[] = [
      { type: "Replace", pattern: { String: mark }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...(hasPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ]
    return {
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
        vocab: Object.fromEntries(vocabulary),
        merges: listMerges(pieces),
      },
      vocabulary,
      normalizer: null,
      pre_tokenizer: { type: "Metaspace", replacement: mark, prepend_scheme: scheme, split: false },
      decoder: { type: "Sequence", decoders },
      extra: listAdded(file),
    }
  },
}

function readModel(files: TokenizerFiles, name: string, kind: SentencePieceFile["kind"]): SentencePieceFile {
  const file = readSentencePieceFile(files.get(name)!)
  if (file.kind !== kind) throw new Error(`its ${name} is a ${file.kind} model, where a ${kind} model belongs`)
  return file
}

function listScores({ pieces }: SentencePieceFile): (readonly [string, number])[] {
  return pieces.map(({ piece, score }) => [piece, score] as const)
}

/** Control tokens are special, those of the user are not; both are looked for in texts. */
function listAdded({ pieces }: SentencePieceFile): LooseToken[] {
  return pieces.flatMap(({ piece, type }) =>
    type === pieceKinds.control || type === pieceKinds.userDefined
      ? [{ content: piece, special: type === pieceKinds.control, normalized: false }]
      : [],
  )
}

function describeUnigram(
  { charsmap }: SentencePieceFile,
  pieces: readonly (readonly [string, number])[],
  unknownId: number,
  scheme: string,
): FamilyParts {
  const metaspace = { type: "Metaspace", replacement: mark, prepend_scheme: scheme, split: true }
  return {
    // transformers leaves byte pieces out of use here, so that a model trained with it has never seen them.
    model: { type: "Unigram", unk_id: unknownId, vocab: pieces, byte_fallback: false },
    vocabulary: new Map(pieces.map(([piece], id) => [piece, id])),
    normalizer: charsmap.length > 0 ? { type: "Precompiled", precompiled_charsmap: Buffer.from(charsmap).toString("base64") } : null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] },
    decoder: metaspace,
  }
}
