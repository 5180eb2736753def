// T5 as a student: rows are read by the encoder and written by the decoder, one place after a start token.
import type { NamedParameters, NamedValues } from "../engine"
import { type T5Shape, t5Loss } from "../networks/t5"
import { drawT5Weight, listT5Weights } from "../networks/t5-weights"
import type { AnsweringParts, Architecture, Family, LoadedWeights, NormalStream, RowLimits, TrainingRow, WeightSpec } from "./architecture"
import { writeIds } from "./configuration-members"
import { DecodingMemory } from "./decoding-memory"
import { readNamedIds } from "./generation-configuration"
import { fillTokens, packRows } from "./pack-rows"
import { estimatePaddingShare } from "./padding-share"
import type { NamedTensor } from "./safetensors"
import { cutTokens, endSequence } from "./sequence-ends"
import { readT5Configuration, type T5Configuration, t5ModelTypes, writeT5Configuration } from "./t5-configuration"
import { t5Decoder } from "./t5-decoder"
import { TextGeneration } from "./text-generation"
import type { Tokenizer } from "./tokenizer"
import type { WeightFiles } from "./weight-files"

export const t5Family: Family = {
  modelTypes: t5ModelTypes,
  foreignHeads: ["EncoderModel", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"],
  read: (json, path) => new T5Architecture(readT5Configuration(json, path)),
}

const head = "lm_head.weight"
const embedding = "shared.weight"
/** Old checkpoints name the embedding as one of its users does. */
const embeddingNames = [embedding, "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", head]
/** A label that the loss leaves out. */
const ignored = -100

class T5Architecture implements Architecture {
  constructor(private readonly configuration: T5Configuration) {}

  get modelType(): string {
    return this.configuration.modelType
  }
  get shape(): T5Shape {
    return this.configuration.shape
  }
  get vocabularySize(): number {
    return this.shape.vocabularySize
  }
  get dropoutRate(): number {
    return this.configuration.dropoutRate
  }
  get weights(): readonly WeightSpec[] {
    return listT5Weights(this.shape)
  }

  get identity(): unknown {
    const { modelType, shape, dropoutRate, padId, endIds, decoderStartId } = this.configuration
    return [modelType, shape, dropoutRate, padId, endIds, decoderStartId]
  }

  drawWeight({ name }: WeightSpec, stream: NormalStream): Float32Array {
    const spec = listT5Weights(this.shape).find((one) => one.name === name)!
    return drawT5Weight(spec, stream, this.configuration.initializerFactor)
  }

  async readWeights(files: WeightFiles): Promise<LoadedWeights> {
    const hasHead = files.has(head)
    const wanted = listT5Weights({ ...this.shape, isHeadTied: !hasHead }).map((spec) =>
      spec.name === embedding ? { ...spec, fileNames: embeddingNames } : spec,
    )
    const weights = await files.read(wanted)
    // As transformers 5 does: a head in the file that equals the embedding is the embedding.
    const isHeadTied = !hasHead || areEqual(weights[head].data, weights[embedding].data)
    if (isHeadTied) delete weights[head]
    const architecture = new T5Architecture({ ...this.configuration, shape: { ...this.shape, isHeadTied } })
    return { architecture, weights }
  }

  describe(): Record<string, unknown> {
    return writeT5Configuration(this.configuration)
  }

  describeGeneration(there: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const { decoderStartId, endIds, padId } = this.configuration
    return {
      decoder_start_token_id: there.decoder_start_token_id ?? decoderStartId,
      eos_token_id: there.eos_token_id ?? writeIds(endIds),
      pad_token_id: there.pad_token_id ?? padId,
    }
  }

  listFileWeights(weights: NamedParameters): NamedTensor[] {
    const tensors: NamedTensor[] = Object.entries(weights).map(([name, { shape, data }]) => ({ name, shape, data }))
    // Before transformers 5, an output that is not scaled could only be said by a head of its own.
    if (this.shape.isHeadTied && !this.shape.isOutputScaled) tensors.push({ ...weights[embedding], name: head })
    return tensors
  }

  encodeInput(tokenizer: Tokenizer, text: string): number[] {
    return tokenizer.encode(text)
  }

  encodeRow(tokenizer: Tokenizer, text: string, output: string): TrainingRow {
    return { inputIds: tokenizer.encode(text), labelIds: endSequence(tokenizer.encode(output), this.configuration.endIds) }
  }

  cutInput(ids: readonly number[], limit: number | undefined): number[] {
    return cutTokens(ids, limit)
  }

  cutRow({ inputIds, labelIds }: TrainingRow, { maxInputTokens, maxOutputTokens }: RowLimits): TrainingRow {
    return { inputIds: cutTokens(inputIds, maxInputTokens), labelIds: cutTokens(labelIds, maxOutputTokens) }
  }

  paddedLengths({ inputIds, labelIds }: TrainingRow): readonly number[] {
    return [inputIds.length, labelIds.length]
  }

  get paddingShare(): number {
    const { modelSize, headSize, numHeads, feedForwardSize, isGated } = this.shape
    const matrices = 4 * modelSize * numHeads * headSize + (isGated ? 3 : 2) * modelSize * feedForwardSize
    return estimatePaddingShare({ numHeads, headSize, matrices })
  }

  /** The feeds of `t5Logits`, and labels int32 [Q]; the decoder reads the labels one place later. */
  makeBatch(
    rows: readonly TrainingRow[],
    batchSize: number,
    lengths?: readonly number[],
    roundTokens?: (count: number) => number,
  ): NamedValues {
    const { padId, decoderStartId } = this.configuration
    const inputs = rows.map((row) => row.inputIds)
    const labels = rows.map((row) => row.labelIds)
    const read = labels.map((ids) => [decoderStartId, ...ids.slice(0, -1)])
    const source = packRows(inputs, batchSize, lengths?.[0], roundTokens)
    const target = packRows(labels, batchSize, lengths?.[1], roundTokens)
    return {
      inputIds: fillTokens(inputs, source, padId),
      sourcePlaces: source.places,
      sourceTokens: source.tokens,
      decoderIds: fillTokens(read, target, padId),
      targetPlaces: target.places,
      targetTokens: target.tokens,
      labels: fillTokens(labels, target, ignored),
    }
  }

  loss(dropout: number): ReturnType<Architecture["loss"]> {
    return (inputs, parameters, random) => t5Loss(this.shape, inputs, parameters, dropout, random)
  }

  /** The table of position biases is called a bias too. */
  decays(name: string, shape: readonly number[]): boolean {
    return shape.length > 1 && !name.includes("bias")
  }

  openAnswering({ engine, weights, areWeightsFixed, tokenizer, generation, threads }: AnsweringParts): TextGeneration {
    const memory = new DecodingMemory(engine, t5Decoder(this.shape), weights, threads, areWeightsFixed)
    const [startId] = readNamedIds(generation, "decoder_start_token_id", [this.configuration.decoderStartId])
    const endIds = readNamedIds(generation, "eos_token_id", this.configuration.endIds)
    return new TextGeneration({ memory, tokenizer, generation, startId, endIds })
  }
}

function areEqual(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
}
