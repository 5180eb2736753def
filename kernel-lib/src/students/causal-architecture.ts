// What students whose answer goes on where the input ends have in common (GPT-2, Llama): a row is one text, its prompt and its completion,
// and the loss is on the completion alone. What differs from network to network stands in a `CausalModel`.
import { InputError } from "../core/errors"
import type { LossFunction, NamedParameters, NamedValues } from "../engine"
import { drawInitialWeight, type InitialWeight } from "../networks/initial-weights"
import type {
  Answering,
  AnsweringParts,
  Architecture,
  LoadedWeights,
  NormalStream,
  RowLimits,
  TrainingRow,
  WeightSpec,
} from "./architecture"
import { writeIds } from "./configuration-members"
import type { DecoderOnly } from "./decoder"
import { DecodingMemory } from "./decoding-memory"
import { type GenerationConfiguration, readNamedIds } from "./generation-configuration"
import { bucketLength } from "./length-buckets"
import { fillTokens, packRows } from "./pack-rows"
import type { NamedTensor } from "./safetensors"
import { endSequence } from "./sequence-ends"
import { TextGeneration } from "./text-generation"
import type { Tokenizer } from "./tokenizer"
import type { WeightFiles } from "./weight-files"

/** A network that goes on with a text, as its `config.json` describes it. */
export interface CausalModel {
  readonly modelType: string
  readonly shape: { readonly vocabularySize: number; readonly isHeadTied: boolean }
  readonly dropoutRate: number
  /** Tokens that begin a text, pad it, end it. */
  readonly startId?: number
  readonly padId?: number
  readonly endIds: readonly number[]
  /** The longest text, prompt and answer together, in tokens. */
  readonly longestText?: number
  /** `Architecture.paddingShare` */
  readonly paddingShare: number
  readonly embeddingName: string
  /** The same network with its embedding as its head, or with a head of its own. */
  withHead(isTied: boolean): CausalModel
  listWeights(): InitialWeight[]
  /** The names that files may give a weight, best first. */
  fileNames(name: string): readonly string[]
  describe(): Record<string, unknown>
  /** The mean loss at `lossPlaces`. */
  loss(dropout: number): LossFunction
  readonly decoder: DecoderOnly
}

const head = "lm_head.weight"
/** A label that the loss leaves out. */
const ignored = -100

export class CausalArchitecture implements Architecture {
  constructor(private readonly model: CausalModel) {}

  get modelType(): string {
    return this.model.modelType
  }
  get shape(): CausalModel["shape"] {
    return this.model.shape
  }
  get vocabularySize(): number {
    return this.shape.vocabularySize
  }
  get dropoutRate(): number {
    return this.model.dropoutRate
  }
  get weights(): readonly WeightSpec[] {
    return this.model.listWeights()
  }

  get identity(): unknown {
    const { modelType, shape, dropoutRate, startId, padId, endIds } = this.model
    return [modelType, shape, dropoutRate, startId ?? null, padId ?? null, endIds]
  }

  drawWeight({ name }: WeightSpec, stream: NormalStream): Float32Array {
    return drawInitialWeight(this.model.listWeights().find((one) => one.name === name)!, stream)
  }

  async readWeights(files: WeightFiles): Promise<LoadedWeights> {
    const hasHead = !this.shape.isHeadTied || files.has(head)
    const wanted = this.model.withHead(!hasHead).listWeights()
    const weights = await files.read(wanted.map((spec) => ({ ...spec, fileNames: this.model.fileNames(spec.name) })))
    // As transformers 5 does: a head in the file that equals the embedding is the embedding.
    const isHeadTied = !hasHead || (this.shape.isHeadTied && areEqual(weights[head].data, weights[this.model.embeddingName].data))
    if (isHeadTied) delete weights[head]
    return { architecture: new CausalArchitecture(this.model.withHead(isHeadTied)), weights }
  }

  describe(): Record<string, unknown> {
    return this.model.describe()
  }

  describeGeneration(there: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const { startId, padId } = this.model
    return {
      bos_token_id: there.bos_token_id ?? startId ?? null,
      eos_token_id: writeIds(this.endIdsOf({ json: there })),
      pad_token_id: there.pad_token_id ?? padId ?? null,
    }
  }

  /** Chat models end answers with tokens that only `generation_config.json` names. */
  private endIdsOf(generation: Pick<GenerationConfiguration, "json">): readonly number[] {
    return readNamedIds(generation, "eos_token_id", this.model.endIds)
  }

  listFileWeights(weights: NamedParameters): NamedTensor[] {
    return Object.entries(weights).map(([name, { shape, data }]) => ({ name, shape, data }))
  }

  /** A prompt is not ended; one without any token begins with the model's first token, as in transformers. */
  encodeInput(tokenizer: Tokenizer, text: string): number[] {
    const ids = tokenizer.encode(text)
    const { startId, endIds } = this.model
    const prompt = ids.length > 0 && endsTexts(tokenizer, endIds) ? ids.slice(0, -1) : ids
    return prompt.length > 0 ? prompt : [startId ?? endIds[0] ?? 0]
  }

  encodeRow(tokenizer: Tokenizer, text: string, output: string): TrainingRow {
    const { startId, endIds, modelType } = this.model
    if (endIds.length === 0) {
      throw new InputError("student.config", `This ${modelType} knows no token that ends an answer: write its eos_token_id to config.json.`)
    }
    const ids = tokenizer.encode(output)
    const labels = ids.length > 0 && beginsTexts(tokenizer, startId) ? ids.slice(1) : ids
    return { inputIds: this.encodeInput(tokenizer, text), labelIds: endSequence(labels, endIds) }
  }

  /** The first token may begin the text; what is nearest to the answer stays. */
  cutInput(ids: readonly number[], limit: number | undefined): number[] {
    if (limit === undefined || ids.length <= limit) return [...ids]
    return limit > 1 ? [ids[0], ...ids.slice(ids.length - limit + 1)] : ids.slice(-1)
  }

  /** Prompt and completion together are no longer than the longest text and one token, which is only predicted. */
  cutRow({ inputIds, labelIds }: TrainingRow, { maxInputTokens, maxOutputTokens }: RowLimits): TrainingRow {
    const longest = this.model.longestText ?? Number.MAX_SAFE_INTEGER
    const most = Math.min(maxOutputTokens ?? longest, longest)
    const labels = labelIds.length <= most ? labelIds : [...labelIds.slice(0, most - 1), labelIds[labelIds.length - 1]]
    const room = Math.max(1, longest + 1 - labels.length)
    return { inputIds: this.cutInput(inputIds, Math.min(maxInputTokens ?? room, room)), labelIds: [...labels] }
  }

  learnInput({ inputIds: [first, ...others], labelIds }: TrainingRow): TrainingRow {
    return { inputIds: [first], labelIds: [...others, ...labelIds] }
  }

  paddedLengths({ inputIds, labelIds }: TrainingRow): readonly number[] {
    return [inputIds.length + labelIds.length - 1]
  }

  get paddingShare(): number {
    return this.model.paddingShare
  }

  /**
   * Rows behind each other: inputIds, places and positions int32 [Q], tokens int32 [B,T]; lossPlaces and labels int32 [P]: each token whose
   * next one is wanted, and that one, of `labelIds` only.
   */
  makeBatch(
    rows: readonly TrainingRow[],
    batchSize: number,
    lengths?: readonly number[],
    roundTokens: (count: number) => number = bucketLength,
  ): NamedValues {
    // The last token is only predicted.
    const texts = rows.map(({ inputIds, labelIds }) => [...inputIds, ...labelIds].slice(0, -1))
    const longest = this.model.longestText ?? Number.MAX_SAFE_INTEGER
    const length = Math.min(longest, lengths?.[0] ?? bucketLength(Math.max(...texts.map((text) => text.length))))
    const packed = packRows(texts, batchSize, length, roundTokens)
    const wanted = roundTokens(rows.reduce((sum, { labelIds }) => sum + labelIds.length, 0))
    const lossPlaces = new Int32Array(wanted)
    const labels = new Int32Array(wanted).fill(ignored)
    let [begin, count] = [0, 0]
    for (const { inputIds, labelIds } of rows) {
      for (const [at, label] of labelIds.entries()) {
        lossPlaces[count] = begin + inputIds.length - 1 + at
        labels[count++] = label
      }
      begin += inputIds.length + labelIds.length - 1
    }
    return {
      inputIds: fillTokens(texts, packed, this.model.padId ?? 0),
      positions: fillTokens(
        texts.map((text) => [...text.keys()]),
        packed,
        0,
      ),
      places: packed.places,
      tokens: packed.tokens,
      lossPlaces: { shape: [wanted], data: lossPlaces },
      labels: { shape: [wanted], data: labels },
    }
  }

  loss(dropout: number): LossFunction {
    return this.model.loss(dropout)
  }

  decays(name: string, shape: readonly number[]): boolean {
    return shape.length > 1 && !name.includes("bias")
  }

  openAnswering({ engine, weights, areWeightsFixed, tokenizer, generation, threads }: AnsweringParts): Answering {
    const memory = new DecodingMemory(engine, this.model.decoder, weights, threads, areWeightsFixed)
    const writer = new TextGeneration({ memory, tokenizer, generation, endIds: this.endIdsOf(generation) })
    return {
      answer: (inputs, options) => {
        const { longestPrompt, ...limits } = this.shareText(options.maxNewTokens, generation)
        const cut = inputs.map(({ text, ids }) => ({ text, ids: this.cutInput(ids, longestPrompt) }))
        return writer.answer(cut, { ...options, ...limits })
      },
      dispose: () => writer.dispose(),
    }
  }

  /** Where texts may not grow without end, a prompt makes room for its answer, whose last token is never read. */
  private shareText(asked: number | undefined, { maxNewTokens, maxTextLength }: GenerationConfiguration): TextShares {
    const longestText = this.model.longestText ?? Number.POSITIVE_INFINITY
    if (asked === undefined && maxTextLength !== undefined) {
      const limit = Math.min(maxTextLength, longestText + 1)
      return { maxTextLength: limit, maxNewTokens: limit - 1, longestPrompt: limit - 1 }
    }
    const wanted = Math.min(asked ?? maxNewTokens, longestText)
    return { maxNewTokens: wanted, longestPrompt: Number.isFinite(longestText) ? longestText + 1 - wanted : undefined }
  }
}

interface TextShares {
  readonly maxNewTokens: number
  /** Prompt and answer together. */
  readonly maxTextLength?: number
  readonly longestPrompt?: number
}

/** Whether the tokenizer puts `startId` before every text. */
function beginsTexts(tokenizer: Tokenizer, startId: number | undefined): boolean {
  const ids = tokenizer.encode("a")
  return ids.length > 1 && ids[0] === startId
}

/** Whether the tokenizer ends every text, as tokenizers of encoder-decoders do. */
function endsTexts(tokenizer: Tokenizer, endIds: readonly number[]): boolean {
  const ids = tokenizer.encode("a")
  return ids.length > 1 && endIds.includes(ids[ids.length - 1])
}

function areEqual(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
}
