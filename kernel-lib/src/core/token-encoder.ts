// An encoder that gives a vector for each token of a text, in its context: what BERTScore compares texts by.

/** A text's tokens, special ones included. */
export interface TokenVectors {
  readonly ids: readonly number[]
  /** [ids, dimensions], row by row. */
  readonly vectors: Float32Array
}

export interface TokenEncoder {
  /** Changes with anything that changes vectors. */
  readonly fingerprint: string
  /** Ids of the tokens that stand around every text: they say nothing of it. */
  readonly frameIds: readonly number[]
  /** The ids of a text, special ones included, cut to what the encoder reads. */
  readIds(text: string): number[]
  /** One for each text, in order. */
  encodeTokens(
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
  ): Promise<TokenVectors[]>
}
