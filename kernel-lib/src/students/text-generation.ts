// Answers of models that write text token by token: decoding, as the caller and the model's generation configuration ask for it.
import type { Prediction } from "../core/student"
import type { Answering, AnswerOptions, EncodedInput } from "./architecture"
import { decodeRows } from "./decode"
import type { DecodingMemory } from "./decoding-memory"
import type { GenerationConfiguration } from "./generation-configuration"
import type { Tokenizer } from "./tokenizer"

export interface TextGenerationParts {
  /** Caches and compiled graphs of the network. */
  readonly memory: DecodingMemory
  readonly tokenizer: Tokenizer
  readonly generation: GenerationConfiguration
  /** The token that stands before the first; of a decoder-only model, the prompt that an empty one stands for. */
  readonly startId?: number
  /** Tokens that end an answer. */
  readonly endIds: readonly number[]
}

export class TextGeneration implements Answering {
  constructor(private readonly parts: TextGenerationParts) {}

  /** `maxTextLength` bounds prompt and answer together, of a model that goes on with its prompt. */
  async answer(
    inputs: readonly EncodedInput[],
    { decoding, maxNewTokens, maxTextLength, signal, onProgress, onToken }: AnswerOptions & { readonly maxTextLength?: number },
  ): Promise<Prediction[]> {
    const { memory, tokenizer, generation, startId, endIds } = this.parts
    const sources = inputs.map(({ ids }) => ids)
    const decoded = await decodeRows(memory, sources, {
      decoding: decoding ?? generation.decoding,
      maxNewTokens: maxNewTokens ?? generation.maxNewTokens,
      maxTextLength,
      startId,
      endIds,
      lengthPenalty: generation.lengthPenalty,
      stopsEarly: generation.stopsEarly,
      rules: generation.rules,
      signal,
      onProgress,
      onToken: onToken && ((row, { tokens, ...token }) => onToken(row, { ...token, output: tokenizer.decode(tokens) })),
    })
    return decoded.map(({ tokens, confidence }) => ({ output: tokenizer.decode(tokens), tokens, confidence }))
  }

  dispose(): void {
    this.parts.memory.dispose()
  }
}
