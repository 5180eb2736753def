// An encoder in memory, for whatever is made of its states: it reads texts, answers one call after the other, and can be let go of.
import { createHash } from "node:crypto"
import { InputError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import type { NamedValues } from "../engine"
import type { EmbeddingModel } from "./embedding-folder"
import type { EncoderRunOptions, EncoderRuns } from "./encoder-runs"
import { checkIds, cutTokens } from "./sequence-ends"

/** What a batch gave: the outputs' rows are those of the texts in `numbers`, each padded to `length` tokens, overwritten by the next batch. */
export interface EncodedBatch {
  readonly outputs: NamedValues
  readonly numbers: readonly number[]
  readonly length: number
}

export class LoadedEncoder {
  private knownFingerprint?: string
  /** Calls wait for each other: the memory is one. */
  private lastCall: Promise<unknown> = Promise.resolve()
  private isDisposed = false

  /** @param maxTokens of longer texts the start is read */
  constructor(
    private readonly name: string,
    private readonly model: EmbeddingModel,
    readonly maxTokens: number,
    private readonly runs: EncoderRuns,
  ) {}

  /** Changes with anything that changes states or vectors. */
  get fingerprint(): string {
    this.knownFingerprint ??= fingerprintModel(this.model)
    return this.knownFingerprint
  }

  /** @throws InputError `student.vocabulary` */
  readIds(text: string): number[] {
    const { tokenizer, shape } = this.model
    const ids = cutTokens(tokenizer.encode(text), this.maxTokens)
    checkIds(ids, shape.vocabularySize, this.name)
    return ids
  }

  /** Runs rows of ids when all earlier calls are done. @throws InputError `student.disposed`; EngineError `engine.cancelled` */
  run(read: () => readonly (readonly number[])[], take: (batch: EncodedBatch) => void, options: EncoderRunOptions): Promise<void> {
    const work = this.lastCall.then(async () => {
      if (this.isDisposed) throw new InputError("student.disposed", `${this.name} was disposed of: load it again.`)
      const texts = read().map((ids) => ({ ids }))
      await this.runs.run(texts, (outputs, numbers, length) => take({ outputs, numbers, length }), options)
    })
    this.lastCall = work.catch(() => {})
    return work
  }

  dispose(): void {
    this.isDisposed = true
    this.runs.dispose()
  }
}

function fingerprintModel({ modelType, shape, plan, tokenizer, weights }: EmbeddingModel): string {
  const hash = createHash("sha256")
  for (const name of Object.keys(weights).sort()) {
    const { data } = weights[name]
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return fingerprintOf([modelType, shape, plan, tokenizer.fingerprint, hash.digest("hex")])
}
