// GPT-2, RoBERTa, Qwen2 and BERT: tokenizers whose vocabulary is a list of tokens, with merges or without.
// Source: transformers' tokenization_gpt2.py, tokenization_roberta.py, tokenization_qwen2.py and tokenization_bert.py.
import type { TokenizerConfiguration } from "../tokenizer"
import { isId, isRecord, type PartDescription } from "./describe"
import { describeTemplate, type Family, type FamilyParts, type TokenizerFiles } from "./family"

const byteLevelFiles = ["vocab.json", "merges.txt"]

export const gpt2Family: Family = {
  classes: ["GPT2Tokenizer"],
  modelTypes: ["gpt2", "gpt_neo", "gptj", "opt"],
  files: byteLevelFiles,
  roles: { unk_token: "<|endoftext|>", bos_token: "<|endoftext|>", eos_token: "<|endoftext|>" },
  read: (files, configuration) => readByteLevel(files, { pre_tokenizer: describeByteLevel(configuration, true) }),
}

export const robertaFamily: Family = {
  classes: ["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer"],
  modelTypes: ["roberta", "bart", "longformer"],
  files: byteLevelFiles,
  roles: {
    bos_token: "<s>",
    eos_token: "</s>",
    sep_token: "</s>",
    cls_token: "<s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    mask_token: "<mask>",
  },
  read: (files, configuration) => readByteLevel(files, { pre_tokenizer: describeByteLevel(configuration, true) }),
  describeAround: ({ names, findId, configuration }) => ({
    type: "RobertaProcessing",
    sep: [names.sep_token, findId(names.sep_token)],
    cls: [names.cls_token, findId(names.cls_token)],
    trim_offsets: configuration.trim_offsets !== false,
    add_prefix_space: configuration.add_prefix_space === true,
  }),
}

/** Qwen2's words: contractions, a word with the sign before it, single digits, signs, lines, spaces. */
const qwen2Words =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

export const qwen2Family: Family = {
  classes: ["Qwen2Tokenizer"],
  modelTypes: ["qwen2", "qwen3"],
  files: byteLevelFiles,
  roles: { unk_token: "<|endoftext|>", eos_token: "<|endoftext|>", pad_token: "<|endoftext|>" },
  read: (files, configuration) =>
    readByteLevel(files, {
      normalizer: { type: "NFC" },
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: qwen2Words }, behavior: "Isolated", invert: false },
          describeByteLevel(configuration, false),
        ],
      },
    }),
}

export const bertFamily: Family = {
  classes: ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"],
  modelTypes: ["bert", "distilbert", "electra"],
  files: ["vocab.txt"],
  roles: { unk_token: "[UNK]", sep_token: "[SEP]", pad_token: "[PAD]", cls_token: "[CLS]", mask_token: "[MASK]" },
  read(files, configuration) {
    const lines = readText(files, "vocab.txt").split("\n")
    if (lines[lines.length - 1] === "") lines.pop()
    const vocabulary = new Map(lines.map((line, id) => [line.replace(/\r$/, ""), id]))
    return {
      model: {
        type: "WordPiece",
        unk_token: typeof configuration.unk_token === "string" ? configuration.unk_token : "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(vocabulary),
      },
      vocabulary,
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: configuration.tokenize_chinese_chars !== false,
        strip_accents: typeof configuration.strip_accents === "boolean" ? configuration.strip_accents : null,
        lowercase: configuration.do_lower_case !== false,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    }
  },
  describeAround({ names, findId }) {
    const single = [names.cls_token, "$A", names.sep_token]
    return describeTemplate(single, [...single, "$B", names.sep_token], findId)
  },
}

function describeByteLevel(configuration: TokenizerConfiguration, hasWords: boolean): PartDescription {
  return { type: "ByteLevel", add_prefix_space: configuration.add_prefix_space === true, trim_offsets: true, use_regex: hasWords }
}

function readByteLevel(files: TokenizerFiles, parts: { normalizer?: PartDescription; pre_tokenizer: PartDescription }): FamilyParts {
  const parsed: unknown = JSON.parse(readText(files, "vocab.json"))
  if (!isRecord(parsed) || !Object.values(parsed).every(isId)) throw new Error("its vocab.json is no list of tokens with ids")
  const merges = readText(files, "merges.txt")
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line !== "" && !line.startsWith("#version"))
    .map((line) => line.split(" "))
  if (!merges.every((merge) => merge.length === 2)) throw new Error("its merges.txt has a line that is no pair of tokens")
  return {
    normalizer: null,
    ...parts,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: parsed,
      merges,
    },
    vocabulary: new Map(Object.entries(parsed as Record<string, number>)),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  }
}

function readText(files: TokenizerFiles, name: string): string {
  return Buffer.from(files.get(name)!).toString("utf8")
}
