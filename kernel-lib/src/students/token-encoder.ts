// A vector for each token of a text: an encoder's states after one of its layers. What BERTScore compares texts by.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import type { EngineName } from "../core/run"
import type { TokenEncoder, TokenVectors } from "../core/token-encoder"
import { type NamedTensors, selectEngine } from "../engine"
import { type BertShape, bertStates, countPlaces } from "../networks/bert"
import { listBertWeights } from "../networks/bert-weights"
import { type EmbeddingModel, readEmbeddingFolder } from "./embedding-folder"
import { type EncoderRunOptions, EncoderRuns } from "./encoder-runs"
import { type EncodedBatch, LoadedEncoder } from "./loaded-encoder"

export interface LoadTokenEncoderOptions {
  /** States after this layer, from 1 on. Default: the last. The authors of BERTScore recommend 9 of bert-base's 12 and 17 of roberta-large's 24. */
  readonly layer?: number
  /** Default: `auto`, the best that is here. */
  readonly engine?: EngineName
  /** Threads of the engine. Default: one per core, at most 8. */
  readonly threads?: number
}

/** A `TokenEncoder` of this machine. Its weights stay in this process until `dispose`. */
export interface LoadedTokenEncoder extends TokenEncoder {
  /** transformers' `model_type`. */
  readonly architecture: string
  /** Layers that are run, of those the model has. */
  readonly layer: number
  /** Numbers of a vector. */
  readonly dimensions: number
  /** Longest text, in tokens with special ones; of longer ones the start is read. */
  readonly maxTokens: number
  dispose(): void
}

/**
 * Loads the encoder in `folder` (BERT, RoBERTa, XLM-RoBERTa, CamemBERT, DistilBERT, MPNet or ELECTRA, whatever head it has), to score
 * answers by BERTScore with `bertScore` or `evaluate`.
 * @throws InputError `student.missing`, `student.config`, `student.architecture`, `student.no-such-layer`, `tokenizer.*`, `weights.*`
 */
export async function loadTokenEncoder(
  folder: string,
  { layer, engine = "auto", threads }: LoadTokenEncoderOptions = {},
): Promise<LoadedTokenEncoder> {
  const model = await readEmbeddingFolder(folder)
  const shape: BertShape = { ...model.shape, numLayers: layer ?? model.shape.numLayers }
  if (!Number.isInteger(shape.numLayers) || shape.numLayers < 1 || shape.numLayers > model.shape.numLayers) {
    throw new InputError(
      "student.no-such-layer",
      `${folder} has the layers 1 to ${model.shape.numLayers}: choose one of them, not ${layer}.`,
    )
  }
  const weights = Object.fromEntries(listBertWeights(shape).map(({ name }) => [name, model.weights[name]]))
  const forward = (inputs: NamedTensors, parameters: NamedTensors) => ({ states: bertStates(shape, inputs, parameters) })
  const runs = new EncoderRuns({ engine: await selectEngine(engine), shape, weights, forward, isFrozen: true, threads })
  const encoder = new LoadedEncoder(folder, { ...model, shape }, countPlaces(shape), runs)
  return describeTokenEncoder({ ...model, shape }, encoder, (await startsWithSpace(folder)) ? " " : "")
}

/**
 * bert-score asks RoBERTa's own tokenizer for a space before a text, whose first word else has another id than the same word later.
 * transformers 4 gave it, as in the published scores; transformers 5 no longer listens.
 */
async function startsWithSpace(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, "tokenizer_config.json"), "utf8").catch(() => "{}")
  return /^Roberta/.test(String(JSON.parse(text).tokenizer_class))
}

function describeTokenEncoder({ modelType, shape, tokenizer }: EmbeddingModel, encoder: LoadedEncoder, prefix: string): LoadedTokenEncoder {
  const { classifier, separator, begin, end } = tokenizer.specialIds
  const dimensions = shape.modelSize
  const readIds = (text: string) => encoder.readIds(text.trim() === "" ? "" : prefix + text.trim())
  return {
    ...{ architecture: modelType, layer: shape.numLayers, dimensions, maxTokens: encoder.maxTokens },
    frameIds: [classifier ?? begin, separator ?? end].filter((id) => id !== undefined),
    get fingerprint() {
      return fingerprintOf([encoder.fingerprint, prefix])
    },
    readIds,
    async encodeTokens(texts, options: EncoderRunOptions = {}) {
      let rows: number[][] = []
      const vectors: TokenVectors[] = new Array(texts.length)
      const read = () => {
        rows = texts.map(readIds)
        return rows
      }
      const take = ({ outputs, numbers, length }: EncodedBatch) => {
        const states = outputs.states.data as Float32Array
        for (const [row, number] of numbers.entries()) {
          const [ids, start] = [rows[number], row * length * dimensions]
          vectors[number] = { ids, vectors: states.slice(start, start + ids.length * dimensions) }
        }
      }
      await encoder.run(read, take, options)
      return vectors
    },
    dispose: () => encoder.dispose(),
  }
}
