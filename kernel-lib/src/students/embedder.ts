// Sentence embeddings: a vector for each text, whose neighbours mean the like. Reads the folders that sentence-transformers writes.
import type { EngineName } from "../core/run"
import { type NamedTensors, selectEngine } from "../engine"
import { bertStates, countPlaces } from "../networks/bert"
import { normalizeVector, poolStates, projectVector } from "../networks/pooling"
import { readEmbeddingFolder } from "./embedding-folder"
import { type EncoderRunOptions, EncoderRuns } from "./encoder-runs"
import { type EncodedBatch, LoadedEncoder } from "./loaded-encoder"

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
 * Loads an embedding model from a folder that sentence-transformers wrote (modules.json), or from one of a bare BERT, RoBERTa, DistilBERT,
 * MPNet or ELECTRA, whose states are then averaged and brought to length 1.
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
  const { dimensions, prompts, maxTokens = Number.POSITIVE_INFINITY } = plan
  const encoder = new LoadedEncoder(folder, model, Math.min(maxTokens, countPlaces(shape)), runs)
  return {
    architecture: model.modelType,
    dimensions,
    maxTokens: encoder.maxTokens,
    get fingerprint() {
      return encoder.fingerprint
    },
    async embed(texts, { use = "", ...options } = {}) {
      const prompt = prompts[use] ?? prompts[""]
      const vectors = new Float32Array(texts.length * dimensions)
      const read = () => texts.map((text) => encoder.readIds(prompt + text))
      const take = ({ outputs, numbers }: EncodedBatch) => {
        const rows = outputs.vectors.data as Float32Array
        for (const [row, number] of numbers.entries())
          vectors.set(rows.subarray(row * dimensions, (row + 1) * dimensions), number * dimensions)
      }
      await encoder.run(read, take, options)
      return vectors
    },
    dispose: () => encoder.dispose(),
  }
}
