// What a prompt says: an instruction and demonstrations.
import { type PromptPayload, payloadVersion } from "../display/payloads"
import { makeSelfShowing } from "../display/self-showing"
import { fingerprintOf } from "./fingerprint"

export interface Example {
  readonly input: string
  readonly output: string
}

const brand = Symbol.for("prompt2model.PromptSpec")

/** A parsed prompt. Immutable; `with` answers a changed copy. */
export class PromptSpec {
  readonly [brand] = true
  readonly kind = "promptSpec" as const
  /** What to do, without the examples. */
  readonly instruction: string
  /** The examples that the user gave. */
  readonly demonstrations: readonly Example[]
  /** The prompt as it was written. */
  readonly text: string
  /** Who understood it: `rules` where `input="..."` and `output="..."` were marked, else the teacher's name. */
  readonly parsedBy: string

  constructor(parts: { instruction: string; demonstrations: readonly Example[]; text?: string; parsedBy?: string }) {
    this.instruction = parts.instruction
    this.demonstrations = Object.freeze(parts.demonstrations.map(({ input, output }) => Object.freeze({ input, output })))
    this.text = parts.text ?? parts.instruction
    this.parsedBy = parts.parsedBy ?? "you"
    Object.freeze(this)
  }

  /** A copy with these parts changed. */
  with(changes: { instruction?: string; demonstrations?: readonly Example[] }): PromptSpec {
    return new PromptSpec({ ...this, ...changes, parsedBy: "you" })
  }

  /** Equal for equal instruction and demonstrations. */
  get fingerprint(): string {
    return fingerprintOf({ instruction: this.instruction, demonstrations: this.demonstrations })
  }

  toJSON() {
    return { kind: this.kind, instruction: this.instruction, demonstrations: this.demonstrations, text: this.text, parsedBy: this.parsedBy }
  }

  toPayload(): PromptPayload {
    const count = this.demonstrations.length
    return {
      kind: "prompt",
      version: payloadVersion,
      title: "Prompt",
      subtitle: `instruction and ${count} demonstration${count === 1 ? "" : "s"}, understood by ${this.parsedBy}`,
      instruction: this.instruction,
      demonstrations: this.demonstrations,
      nextStep: "spec.with({ instruction, demonstrations })",
    }
  }
}
makeSelfShowing(PromptSpec.prototype, (spec) => spec.toPayload())

/** A prompt's first sentence, for headings; cut where it is long. */
export function titleOf({ instruction }: PromptSpec): string {
  const [sentence] = instruction.replace(/\s+/g, " ").split(/(?<=[.!?。！？])\s*/)
  return sentence.length <= 120 ? sentence.replace(/[.。]$/, "") : `${sentence.slice(0, 119)}…`
}
