// The result of processDatasets: train, validation and test rows, and what was kept out of them and why.
import type { Dataset, RejectedRow } from "../../core/dataset"
import { fingerprintOf } from "../../core/fingerprint"
import type { Example } from "../../core/prompt-spec"
import { type DatasetPayload, payloadVersion } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"

/** What the check for leaks found. */
export interface LeakReport {
  /** Rows that were taken out, by what they repeat. */
  readonly removed: readonly { readonly reason: string; readonly against: "test" | "demonstrations"; readonly rows: number }[]
  /** Rows of a given test set that are demonstrations of the prompt; a given test set is never changed. */
  readonly keptInTest: number
  /** Sets of rows that are alike and went into one split together. */
  readonly numFamilies: number
  /** When two rows count as the same or near. */
  readonly rule: string
  /** What a reader should know besides. */
  readonly notes: readonly string[]
}

export interface SplitsParts {
  readonly train: Dataset
  readonly validation: Dataset
  readonly test: Dataset
  readonly leak: LeakReport
  /** Instruction and demonstrations of the prompt the rows are for. */
  readonly prompt?: { readonly instruction: string; readonly demonstrations: readonly Example[] }
}

const brand = Symbol.for("prompt2model.Splits")

/** Rows split into train, validation and test. Read-only. */
export class Splits implements SplitsParts {
  readonly [brand] = true
  readonly kind = "splits" as const
  readonly train: Dataset
  readonly validation: Dataset
  readonly test: Dataset
  readonly leak: LeakReport
  readonly prompt?: SplitsParts["prompt"]
  /** Equal for equal rows in equal splits. */
  readonly fingerprint: string

  constructor({ train, validation, test, leak, prompt }: SplitsParts) {
    this.train = train
    this.validation = validation
    this.test = test
    this.leak = leak
    this.prompt = prompt
    this.fingerprint = fingerprintOf([train.fingerprint, validation.fingerprint, test.fingerprint])
    Object.freeze(this)
  }

  /** Rows that are in no split, each with its reason. */
  get rejected(): readonly RejectedRow[] {
    return this.train.rejected
  }

  /** `4,412 train, 490 validation, no leak into 256 test rows (12 removed)`. */
  get summary(): string {
    const { train, validation, test, leak } = this
    const removed = leak.removed.reduce((sum, { rows }) => sum + rows, 0)
    const count = (set: Dataset) => set.length.toLocaleString("en")
    return `${count(train)} train, ${count(validation)} validation, no leak into ${count(test)} test rows${removed > 0 ? ` (${removed.toLocaleString("en")} removed)` : ""}`
  }

  private get families(): string[] {
    const { numFamilies } = this.leak
    const sets = numFamilies === 1 ? "1 set of alike rows was" : `${numFamilies.toLocaleString("en")} sets of alike rows were`
    return numFamilies === 0 ? [] : [`${sets} each kept in one split`]
  }

  /** What it shows of itself: a bounded preview of the train rows. */
  toPayload(): DatasetPayload {
    const { train, validation, test } = this
    const all = train.concat(validation, test)
    return {
      ...train.toPayload(),
      version: payloadVersion,
      title: "Splits",
      subtitle: [this.summary, ...this.families, ...this.leak.notes].join(". "),
      numRows: all.length,
      splits: [
        { name: "train", rows: train.length },
        { name: "validation", rows: validation.length },
        { name: "test", rows: test.length },
      ],
      sources: all.sources,
      isSimulated: all.provenance.some((from) => from.kind === "generated" && from.isSimulated),
      nextStep: "fineTune(base, { train: splits.train, validation: splits.validation, run })",
    }
  }
}
makeSelfShowing(Splits.prototype, (splits) => splits.toPayload())
