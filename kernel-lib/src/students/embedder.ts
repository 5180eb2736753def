// Sentence embeddings: a vector for each text, whose neighbours mean the like. Reads the folders that sentence-transformers writes.
import { createHash } from "node:crypto"
import { InputError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import type { EngineName } from "../core/run"
import { type NamedTensors, selectEngine } from "../engine"
import { bertStates, countPlaces } from "../networks/bert"
import { normalizeVector, poolStates, projectVector } from "../networks/pooling"
import { type EmbeddingModel, readEmbeddingFolder } from "./embedding-folder"
import { type EncoderRunOptions, EncoderRuns } from "./encoder-runs"
import { checkIds, cutTokens } from "./sequence-ends"

export interface LoadEmbedderOptions {
  /** Default: `auto`, the best that is here. */
  readonly engine?: EngineName
  /** Threads of the engine. Default: one per core, at most 8. */
  readonly threads?: number
}

export interface EmbedOptions extends EncoderRunOptions {
  /** What the texts are for, as the model names it: often `query` or `document`. Default, and for a name it does not have: its own default. */
  readonly use?: string
}

/** A model that gives vectors. Its weights stay in this process until `dispose`. */
export interface Embedder {
  /** transformers' `model_type`. */
  readonly architecture: string
  /** Numbers of a vector. */
  readonly dimensions: number
  /** Longest text, in tokens with special ones; of longer ones the start is read. */
  readonly maxTokens: number
  /** Changes with anything that changes vectors. */
  readonly fingerprint: string
  /**
   * A vector for each text, in order.
   * @returns [texts, dimensions], row by row
   * @throws InputError `student.disposed`, `student.vocabulary`; EngineError `engine.cancelled`
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array>
  dispose(): void
}

/**
 * Loads an embedding model from a folder that sentence-transformers wrote (modules.json), or from one of a bare BERT, RoBERTa, DistilBERT or
 * MPNet, whose states are then averaged and brought to length 1.
 * @throws InputError `student.missing`, `student.config`, `student.architecture`, `tokenizer.*`, `weights.*`
 */
export async function loadEmbedder(folder: string, { engine = "auto", threads }: LoadEmbedderOptions = {}): Promise<Embedder> {
  const model = await readEmbeddingFolder(folder)
  const { shape, weights, plan } = model
  const forward = (inputs: NamedTensors, parameters: NamedTensors) => {
    const pooled = poolStates(bertStates(shape, inputs, parameters), inputs.inputMask, plan.pooling)
    const projected = plan.projections.reduce((x, layer) => projectVector(layer, parameters, x), pooled)
    return { vectors: plan.isNormalized ? normalizeVector(projected) : projected }
  }
  const runs = new EncoderRuns({ engine: await selectEngine(engine), shape, weights, forward, isFrozen: true, threads })
  return new EncoderEmbedder(folder, model, runs)
}

class EncoderEmbedder implements Embedder {
  private knownFingerprint?: string
  /** Calls wait for each other: the memory is one. */
  private lastCall: Promise<unknown> = Promise.resolve()
  private isDisposed = false

  constructor(
    private readonly name: string,
    private readonly model: EmbeddingModel,
    private readonly runs: EncoderRuns,
  ) {}

  get architecture(): string {
    return this.model.modelType
  }

  get dimensions(): number {
    return this.model.plan.dimensions
  }

  get maxTokens(): number {
    const { plan, shape } = this.model
    return Math.min(plan.maxTokens ?? Number.POSITIVE_INFINITY, countPlaces(shape))
  }

  get fingerprint(): string {
    this.knownFingerprint ??= fingerprintEmbeddingModel(this.model)
    return this.knownFingerprint
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array> {
    const work = this.lastCall.then(() => this.embedNow(texts, options))
    this.lastCall = work.catch(() => {})
    return work
  }

  private async embedNow(texts: readonly string[], { use = "", ...options }: EmbedOptions): Promise<Float32Array> {
    if (this.isDisposed) throw new InputError("student.disposed", `${this.name} was disposed of: load it again.`)
    const { dimensions, maxTokens } = this
    const { plan, tokenizer, shape } = this.model
    const prompt = plan.prompts[use] ?? plan.prompts[""]
    const encoded = texts.map((text) => {
      const ids = cutTokens(tokenizer.encode(prompt + text), maxTokens)
      checkIds(ids, shape.vocabularySize, this.name)
      return { ids }
    })
    const vectors = new Float32Array(texts.length * dimensions)
    await this.runs.run(
      encoded,
      (outputs, numbers) => {
        const rows = outputs.vectors.data as Float32Array
        for (const [row, number] of numbers.entries())
          vectors.set(rows.subarray(row * dimensions, (row + 1) * dimensions), number * dimensions)
      },
      options,
    )
    return vectors
  }

  dispose(): void {
    this.isDisposed = true
    this.runs.dispose()
  }
}

/** Changes with anything that changes states or vectors. */
export function fingerprintEmbeddingModel({ modelType, shape, plan, tokenizer, weights }: EmbeddingModel): string {
  const hash = createHash("sha256")
  for (const name of Object.keys(weights).sort()) {
    const { data } = weights[name]
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return fingerprintOf([modelType, shape, plan, tokenizer.fingerprint, hash.digest("hex")])
}
