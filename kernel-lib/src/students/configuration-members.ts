// Reads the members of a parsed `config.json`, each checked, with a default for what is left out or null.
import { InputError } from "../core/errors"
import type { Activation } from "../networks/activation"

export type ConfigurationJson = Readonly<Record<string, unknown>>

/** Largest of transformers' sizes that can be an index of 32 bits. */
const largestCount = 2 ** 31 - 1

/** The members of one JSON object. Each method throws InputError `student.config`, with name and file, for a value that cannot be. */
export class ConfigurationMembers {
  constructor(
    private readonly json: ConfigurationJson,
    private readonly path: string,
  ) {}

  /** @throws always */
  refuse(name: string, wanted: string): never {
    throw new InputError("student.config", `${name} in ${this.path} is ${JSON.stringify(this.json[name])}; it should be ${wanted}.`)
  }

  private value(name: string, fallback: unknown): unknown {
    return this.json[name] ?? fallback
  }

  /** A whole number above 0. */
  count(name: string, fallback?: number): number {
    const value = this.value(name, fallback)
    return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= largestCount
      ? (value as number)
      : this.refuse(name, "a whole number above 0")
  }

  /** A finite number from `least` on. */
  number(name: string, fallback?: number, least = 0): number {
    const value = this.value(name, fallback)
    return typeof value === "number" && Number.isFinite(value) && value >= least ? value : this.refuse(name, `a number from ${least}`)
  }

  /** A share below 1: of dropout. */
  share(name: string, fallback: number): number {
    const value = this.number(name, fallback)
    return value < 1 ? value : this.refuse(name, "a number from 0 and below 1")
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.value(name, fallback)
    return typeof value === "boolean" ? value : this.refuse(name, "true or false")
  }

  /** What `choices` has under the member's value. */
  choice<Choice>(name: string, fallback: string, choices: Readonly<Record<string, Choice>>): Choice {
    const value = this.value(name, fallback)
    if (typeof value === "string" && Object.hasOwn(choices, value)) return choices[value]
    return this.refuse(name, `one of ${Object.keys(choices).join(", ")}`)
  }

  /** Ids of the vocabulary, as one id or a list; a token that a model lacks is left out or null. */
  ids(name: string, vocabularySize: number, fallback: readonly number[] = []): readonly number[] {
    const value = this.value(name, fallback)
    const ids: unknown[] = Array.isArray(value) ? value : [value]
    // -1 and ids beyond the vocabulary stand for "none" in published files, transformers' own defaults among them.
    return ids.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabularySize)
  }
}

/** transformers' names of activations, and what networks call them. */
export const activations: Readonly<Record<string, Activation>> = {
  relu: "relu",
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_new",
  gelu_fast: "gelu_new",
  gelu_accurate: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  gelu_python_tanh: "gelu_new",
  quick_gelu: "quick_gelu",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
}

/** Ids as transformers writes them: one, a list, or null. */
export function writeIds(ids: readonly number[]): number | readonly number[] | null {
  return ids.length > 1 ? ids : (ids[0] ?? null)
}
