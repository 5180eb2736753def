// A T5 in memory. It answers raw inputs, and it is what training changes.
import { createHash } from "node:crypto"
import { InputError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import type { Decoding, Prediction, PredictOptions } from "../core/student"
import { type NamedParameters, selectEngine } from "../engine"
import { decodeRows } from "./decode"
import { DecodingMemory } from "./decoding-memory"
import type { GenerationConfiguration } from "./generation-configuration"
import { saveStudent } from "./save-student"
import type { LoadedStudent, StudentDetails, StudentParts, TrainingRow } from "./student"
import type { T5Configuration } from "./t5-configuration"
import { fillTemplate, type Template } from "./template"
import type { Tokenizer } from "./tokenizer"

const brand = Symbol.for("prompt2model.Student")

/** A T5 in memory. Made by `loadStudent` and `createStudent`. */
export class T5Student implements LoadedStudent {
  readonly [brand] = true
  readonly kind = "student" as const
  private parts: StudentParts
  private decoding?: DecodingMemory
  private knownFingerprint?: string
  /** Predictions wait for each other: the caches are one. */
  private lastPrediction: Promise<unknown> = Promise.resolve()

  constructor(parts: StudentParts) {
    this.parts = parts
  }

  get name(): string {
    return this.parts.name
  }
  get architecture(): string {
    return this.parts.configuration.modelType
  }
  get configuration(): T5Configuration {
    return this.parts.configuration
  }
  get generation(): GenerationConfiguration {
    return this.parts.generation
  }
  get tokenizer(): Tokenizer {
    return this.parts.tokenizer
  }
  get weights(): NamedParameters {
    return this.parts.weights
  }
  get isPretrained(): boolean {
    return this.parts.isPretrained
  }
  get template(): Template {
    return this.parts.template
  }
  get maxInputTokens(): number | undefined {
    return this.parts.maxInputTokens
  }
  get maxOutputTokens(): number | undefined {
    return this.parts.maxOutputTokens
  }
  get history(): Readonly<Record<string, unknown>> | undefined {
    return this.parts.history
  }

  get parameters(): number {
    return Object.values(this.weights).reduce((sum, { data }) => sum + data.length, 0)
  }

  get bytes(): number {
    return this.parameters * 4
  }

  /** Of everything that decides its answers and its training; the same after it was saved and loaded. */
  get fingerprint(): string {
    this.knownFingerprint ??= this.takeFingerprint()
    return this.knownFingerprint
  }

  private takeFingerprint(): string {
    const { tokenizer, template, maxInputTokens, maxOutputTokens } = this.parts
    const { modelType, shape, dropoutRate, padId, endIds, decoderStartId } = this.configuration
    const { maxNewTokens, beams, lengthPenalty, stopsEarly } = this.generation
    const hash = createHash("sha256")
    for (const name of Object.keys(this.weights).sort()) {
      const { data } = this.weights[name]
      hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    return fingerprintOf([
      [modelType, shape, dropoutRate, padId, endIds, decoderStartId],
      [maxOutputTokens ?? maxNewTokens, beams, lengthPenalty, stopsEarly],
      [tokenizer.fingerprint, template, maxInputTokens ?? 0],
      hash.digest("hex"),
    ])
  }

  encodeInput(input: string): number[] {
    return cutTokens(this.encodeText(fillTemplate(this.template, input)), this.maxInputTokens)
  }

  encodeRow(input: string, output: string): TrainingRow {
    const labelIds = this.encodeText(output)
    const { endIds } = this.configuration
    return {
      inputIds: this.encodeText(fillTemplate(this.template, input)),
      labelIds: endIds.includes(labelIds[labelIds.length - 1]) ? labelIds : [...labelIds, endIds[0]],
    }
  }

  private encodeText(text: string): number[] {
    const ids = this.tokenizer.encode(text)
    const { vocabularySize } = this.configuration.shape
    const stranger = ids.find((id) => !(id >= 0 && id < vocabularySize))
    if (stranger === undefined) return ids
    throw new InputError(
      "student.vocabulary",
      `The tokenizer of ${this.name} gives the id ${stranger}, but its network knows ids below ${vocabularySize}: model and tokenizer do not belong together.`,
    )
  }

  async predict(inputs: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
    const work = this.lastPrediction.then(() => this.predictNow(inputs, options))
    this.lastPrediction = work.catch(() => {})
    return work
  }

  private async predictNow(
    inputs: readonly string[],
    { decoding, maxNewTokens, signal, onProgress }: PredictOptions,
  ): Promise<Prediction[]> {
    const { generation, configuration, engine, threads } = this.parts
    if (Object.keys(this.weights).length === 0) throw new InputError("student.disposed", `${this.name} was disposed of: load it again.`)
    const sources = inputs.map((input) => this.encodeInput(input))
    this.decoding ??= new DecodingMemory(await selectEngine(engine), configuration.shape, this.weights, threads)
    const decoded = await decodeRows(this.decoding, sources, {
      decoding: decoding ?? defaultDecoding(generation),
      maxNewTokens: maxNewTokens ?? this.maxOutputTokens ?? generation.maxNewTokens,
      startId: configuration.decoderStartId,
      endIds: configuration.endIds,
      lengthPenalty: generation.lengthPenalty,
      stopsEarly: generation.stopsEarly,
      signal,
      onProgress,
    })
    return decoded.map(({ tokens, confidence }) => ({ output: this.tokenizer.decode(tokens), tokens, confidence }))
  }

  async copy(details: Partial<StudentDetails> = {}): Promise<T5Student> {
    const weights = this.parts.isInTraining ? copyWeights(this.weights) : this.weights
    return new T5Student({ ...this.parts, ...details, weights, isInTraining: false })
  }

  async save(folder: string): Promise<void> {
    await saveStudent(this.parts, folder)
  }

  /** Other weights, other details: what training does. Whoever held the old weights' memory may free it afterwards. */
  change(changes: Partial<Pick<StudentParts, "weights" | "isInTraining"> & StudentDetails>): void {
    this.parts = { ...this.parts, ...changes }
    this.knownFingerprint = undefined
    if (changes.weights) this.forgetGraphs()
  }

  /** The values of the weights changed where they lie. */
  weightsChanged(): void {
    this.knownFingerprint = undefined
  }

  private forgetGraphs(): void {
    this.decoding?.dispose()
    this.decoding = undefined
  }

  dispose(): void {
    this.forgetGraphs()
    this.parts = { ...this.parts, weights: {} }
  }
}

/** The same weights in memory of their own. */
export function copyWeights(weights: NamedParameters): NamedParameters {
  return Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]))
}

/** The first `limit` ids; the last of them stays the last, since it ends the sequence. */
export function cutTokens(ids: readonly number[], limit: number | undefined): number[] {
  if (limit === undefined || ids.length <= limit) return [...ids]
  return [...ids.slice(0, limit - 1), ids[ids.length - 1]]
}

function defaultDecoding({ beams }: GenerationConfiguration): Decoding {
  return beams > 1 ? { kind: "beam", beams } : { kind: "greedy" }
}
