// A tokenizer that a description in the form of `tokenizer.json` makes: added tokens are cut out, the rest is normalised, cut into
// pieces and given to the model, and special tokens are put around. Source: the order of Hugging Face's tokenizers.
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fingerprintOf } from "../../core/fingerprint"
import {
  contentOf,
  type EncodedTexts,
  type EncodeOptions,
  type SpecialIds,
  type TextRange,
  type TokenizedText,
  type Tokenizer,
  type TokenizerConfiguration,
} from "../tokenizer"
import { AddedTokenFinder } from "./added-tokens"
import { createDecoder } from "./decoders"
import type { AddedTokenDescription, TokenizerDescription } from "./describe"
import { createModel, type TokenModel } from "./models"
import { createNormalizer, type Normalize } from "./normalizers"
import { createPreTokenizer, type PreTokenize } from "./pre-tokenizers"
import { fillIds, fillTemplate, readTemplates, type Templates } from "./templates"
import { TracedText } from "./traced-text"

/** The names of special tokens in `tokenizer_config.json`. */
const roles = {
  pad: "pad_token",
  end: "eos_token",
  begin: "bos_token",
  unknown: "unk_token",
  separator: "sep_token",
  classifier: "cls_token",
  mask: "mask_token",
} as const

export class DescribedTokenizer implements Tokenizer {
  readonly fingerprint: string
  readonly specialIds: SpecialIds
  readonly vocabularySize: number
  private readonly model: TokenModel
  private readonly tokens: (string | undefined)[]
  private readonly hidden: ReadonlySet<number>
  private readonly plainFinder: AddedTokenFinder
  private readonly normalizedFinder: AddedTokenFinder
  private readonly normalize: Normalize
  private readonly preTokenize: PreTokenize
  private readonly templates: Templates
  private readonly decodeTokens: (tokens: string[]) => string
  private readonly cleansUp: boolean

  /**
   * @param files what `save` writes, by name
   * @throws Error with a clause of a sentence
   */
  constructor(
    description: TokenizerDescription,
    configuration: TokenizerConfiguration,
    private readonly files: ReadonlyMap<string, Uint8Array>,
  ) {
    const { added_tokens: added } = description
    this.model = createModel(description.model)
    this.tokens = [...this.model.vocabulary]
    this.normalize = createNormalizer(description.normalizer)
    for (const token of added) this.tokens[token.id] = isNormalized(token) ? this.normalizeText(token.content) : token.content
    this.vocabularySize = this.tokens.length
    this.preTokenize = createPreTokenizer(description.pre_tokenizer)
    this.plainFinder = new AddedTokenFinder(added.filter((token) => !isNormalized(token)))
    this.normalizedFinder = new AddedTokenFinder(added.filter(isNormalized), this.normalize)
    this.decodeTokens = createDecoder(description.decoder)
    this.cleansUp = asksToCleanUp(description, configuration)
    const addedIds = new Map(added.map(({ id, content }) => [content, id]))
    const findId = (token: string): number | undefined => addedIds.get(token) ?? this.model.ids.get(token)
    this.templates = readTemplates(description.post_processor, findId)
    this.specialIds = Object.fromEntries(
      Object.entries(roles).flatMap(([role, key]) => {
        const id = findId(contentOf(configuration[key]))
        return id === undefined ? [] : [[role, id]]
      }),
    )
    this.fingerprint = fingerprintOf([description, this.specialIds, this.cleansUp])
    this.hidden = new Set([...added.filter(({ special }) => special).map(({ id }) => id), ...Object.values(this.specialIds)])
  }

  encode(text: string, { addSpecialTokens = true }: EncodeOptions = {}): number[] {
    const ids: number[] = []
    for (const { id } of this.cut(TracedText.from(text, false))) ids.push(id)
    return addSpecialTokens ? fillIds(this.templates.single, ids) : ids
  }

  tokenize(text: string): TokenizedText {
    const tokens = [...this.cut(TracedText.from(text, true))]
    return { ids: tokens.map(({ id }) => id), ranges: tokens.map(({ range }) => range) }
  }

  joinTokens(first: TokenizedText, second?: TokenizedText): EncodedTexts {
    return second ? fillTemplate(this.templates.pair, [first, second]) : fillTemplate(this.templates.single, [first])
  }

  encodePair(first: string, second: string): EncodedTexts {
    return this.joinTokens(this.tokenize(first), this.tokenize(second))
  }

  decode(ids: readonly number[]): string {
    const tokens = ids.filter((id) => !this.hidden.has(id)).map((id) => this.tokens[id])
    const text = this.decodeTokens(tokens.filter((token) => token !== undefined))
    return this.cleansUp ? cleanUp(text) : text
  }

  async save(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    for (const [name, data] of this.files) await writeFile(join(folder, name), data)
  }

  private normalizeText(text: string): string {
    return this.normalize(TracedText.from(text, false)).text
  }

  private *cut(text: TracedText): Generator<{ id: number; range: TextRange }> {
    for (const part of this.plainFinder.cut(text)) {
      if (part.token) yield { id: part.token.id, range: this.trim(part.text.text, part.text.rangeOf(0, part.text.text.length)) }
      else yield* this.cutNormalized(this.normalize(part.text), part.start === 0)
    }
  }

  private *cutNormalized(text: TracedText, isFirst: boolean): Generator<{ id: number; range: TextRange }> {
    for (const part of this.normalizedFinder.cut(text)) {
      if (part.token) yield { id: part.token.id, range: this.trim(part.text.text, part.text.rangeOf(0, part.text.text.length)) }
      else for (const piece of this.preTokenize(part.text, isFirst && part.start === 0)) yield* this.encodePiece(piece)
    }
  }

  private *encodePiece(piece: TracedText): Generator<{ id: number; range: TextRange }> {
    const tokens = this.model.encode(piece.text)
    const places = piece.isTraced ? this.model.locate(piece.text, tokens) : undefined
    for (const [i, token] of tokens.entries()) {
      const id = this.model.ids.get(token) ?? this.model.unknownId
      if (id === undefined) continue
      yield { id, range: places ? this.trim(token, piece.rangeOf(places[i][0], places[i][1])) : nowhere }
    }
  }

  /** A range without the space that its token begins or ends with, where the tokenizer wants that. */
  private trim(token: string, [start, end]: TextRange): TextRange {
    const { trims } = this.templates
    if (!trims) return [start, end]
    let before = /^[Ġ\s]*/u.exec(token)![0].length
    const after = before === token.length ? before : /[Ġ\s]*$/u.exec(token)![0].length
    if (trims.hasPrefix && start === 0) before = Math.max(0, before - 1)
    const from = Math.min(start + before, end)
    return [from, end >= after ? Math.max(end - after, from) : end]
  }
}

const nowhere: TextRange = [0, 0]

function isNormalized(token: AddedTokenDescription): boolean {
  return token.normalized ?? !token.special
}

/** Whether spaces before signs are taken out of decoded texts. As transformers 5 does, not where a BPE has tokens for just these spaces. */
export function asksToCleanUp({ model }: TokenizerDescription, configuration: TokenizerConfiguration): boolean {
  const isForced = configuration.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output === true
  return configuration.clean_up_tokenization_spaces === true && (model.type !== "BPE" || isForced)
}

/** Source: `clean_up_tokenization` of transformers. */
function cleanUp(text: string): string {
  return text
    .replaceAll(" .", ".")
    .replaceAll(" ?", "?")
    .replaceAll(" !", "!")
    .replaceAll(" ,", ",")
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re")
}
