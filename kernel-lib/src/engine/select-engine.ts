import { EngineError } from "../core/errors"
import type { EngineName } from "../core/run"
import type { Engine } from "./session"

/** One engine, as `prompt2model engines` shows it. */
export interface EngineDescription {
  readonly name: Exclude<EngineName, "auto">
  readonly isAvailable: boolean
  /** The one that `auto` takes. */
  readonly isChosen: boolean
  /** What runs below, with its version, where it is available. */
  readonly runtime?: string
  /** A sentence: what it is good for, why it was chosen or why it is missing. */
  readonly reason: string
  /** How to get it, where it is missing and can be had. */
  readonly howToGet?: string
}

/** The engine of that name; `auto` takes the best that works here. @throws EngineError `engine.not-available` */
export async function selectEngine(name: EngineName): Promise<Engine> {
  throw new EngineError("engine.not-available", `The engine ${name} is not there yet.`)
}

/** All engines: what is here, which one `auto` takes and why, how to get the others. */
export async function describeEngines(): Promise<EngineDescription[]> {
  return []
}
