// Cases that every engine's test runs: what a case is, and which of them an engine is expected to pass.
import type { Engine, EngineChoice } from "../../src/engine"

type EngineName = EngineChoice["name"]

export interface EngineCase {
  readonly name: string
  /** The engines that promise it. Default: all. */
  readonly on?: readonly EngineName[]
  readonly check: (engine: Engine) => Promise<void>
}

/** Engines that run a graph of a step: their numbers are compared with those of `eager`, which is too slow to train for long. */
export const compiled: readonly EngineName[] = ["onnx", "tensorflow", "xla"]
/** Engines that can round products to bf16; the others refuse to. */
export const rounding: readonly EngineName[] = ["tensorflow", "xla"]
export const exact: readonly EngineName[] = ["onnx", "eager"]

/** Those of `cases` that an engine is expected to pass. */
export function casesOf(engine: EngineName, cases: readonly EngineCase[]): readonly EngineCase[] {
  return cases.filter(({ on }) => !on || on.includes(engine))
}
