// A student in memory: it answers raw inputs, and it is what training changes. What its family decides, its architecture does.
import { createHash } from "node:crypto"
import { InputError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import type { Prediction, PredictOptions } from "../core/student"
import { type NamedParameters, selectEngine } from "../engine"
import type { Answering, Architecture, TrainingRow } from "./architecture"
import type { GenerationConfiguration } from "./generation-configuration"
import { saveStudent } from "./save-student"
import { checkIds } from "./sequence-ends"
import type { LoadedStudent, StudentDetails, StudentParts } from "./student"
import { fillTemplate, type Template } from "./template"
import type { Tokenizer } from "./tokenizer"

const brand = Symbol.for("prompt2model.Student")

/** A model in memory. Made by `loadStudent` and `createStudent`. */
export class NetworkStudent implements LoadedStudent {
  readonly [brand] = true
  readonly kind = "student" as const
  private parts: StudentParts
  private answering?: Answering
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
    return this.model.modelType
  }
  get model(): Architecture {
    return this.parts.model
  }
  get generation(): GenerationConfiguration {
    return this.parts.generation
  }
  get tokenizer(): Tokenizer {
    return this.parts.tokenizer
  }
  get weights(): NamedParameters {
    this.parts.refresh?.()
    return this.parts.weights
  }
  get dropoutRate(): number {
    return this.model.dropoutRate
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
    const { maxNewTokens, maxTextLength = 0, decoding, lengthPenalty, stopsEarly, rules } = this.generation
    const hash = createHash("sha256")
    for (const name of Object.keys(this.weights).sort()) {
      const { data } = this.weights[name]
      hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    return fingerprintOf([
      this.model.identity,
      [maxOutputTokens ?? maxNewTokens, maxTextLength, decoding, lengthPenalty, stopsEarly, rules],
      [tokenizer.fingerprint, template, maxInputTokens ?? 0],
      hash.digest("hex"),
    ])
  }

  encodeInput(input: string): number[] {
    const ids = this.model.encodeInput(this.tokenizer, fillTemplate(this.template, input))
    checkIds(ids, this.model.vocabularySize, this.name)
    return this.model.cutInput(ids, this.maxInputTokens)
  }

  encodeRow(input: string, output: string): TrainingRow {
    const row = this.model.encodeRow(this.tokenizer, fillTemplate(this.template, input), output)
    checkIds(row.inputIds, this.model.vocabularySize, this.name)
    checkIds(row.labelIds, this.model.vocabularySize, this.name)
    return row
  }

  async predict(inputs: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
    const work = this.lastPrediction.then(() => this.predictNow(inputs, options))
    this.lastPrediction = work.catch(() => {})
    return work
  }

  private async predictNow(
    inputs: readonly string[],
    { decoding, maxNewTokens, signal, onProgress, onToken }: PredictOptions,
  ): Promise<Prediction[]> {
    const { model, generation, engine, tokenizer, threads, isInTraining } = this.parts
    if (Object.keys(this.weights).length === 0) throw new InputError("student.disposed", `${this.name} was disposed of: load it again.`)
    const encoded = inputs.map((input) => ({ text: fillTemplate(this.template, input), ids: this.encodeInput(input) }))
    this.answering ??= model.openAnswering({
      engine: await selectEngine(engine),
      weights: this.weights,
      areWeightsFixed: !isInTraining,
      tokenizer,
      generation,
      threads,
    })
    return this.answering.answer(encoded, { decoding, maxNewTokens: maxNewTokens ?? this.maxOutputTokens, signal, onProgress, onToken })
  }

  async copy(details: Partial<StudentDetails> = {}): Promise<NetworkStudent> {
    const weights = this.parts.isInTraining ? copyWeights(this.weights) : this.weights
    return new NetworkStudent({ ...this.parts, ...details, weights, isInTraining: false, refresh: undefined })
  }

  async save(folder: string): Promise<void> {
    await saveStudent({ ...this.parts, weights: this.weights }, folder)
  }

  /** Other weights, other details: what training does. Whoever held the old weights' memory may free it afterwards. */
  change(changes: Partial<Pick<StudentParts, "model" | "weights" | "isInTraining" | "refresh"> & StudentDetails>): void {
    this.parts = { ...this.parts, ...changes }
    this.knownFingerprint = undefined
    if (changes.weights || changes.model) this.forgetGraphs()
  }

  /** The values of the weights changed where they lie. */
  weightsChanged(): void {
    this.knownFingerprint = undefined
  }

  private forgetGraphs(): void {
    this.answering?.dispose()
    this.answering = undefined
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

/**
 * The architecture of a student that this library made.
 * @throws InputError `student.foreign`
 */
export function modelOf(student: LoadedStudent): Architecture {
  if (brand in student) return (student as NetworkStudent).model
  throw new InputError(
    "student.foreign",
    `${student.name} was not made by loadStudent, loadModel or createStudent: load it with one of them.`,
  )
}
