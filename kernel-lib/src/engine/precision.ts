// What engines answer that multiply in float32 alone.
import { EngineError } from "../core/errors"
import type { Precision } from "./session"

/** @throws EngineError `engine.no-bf16` */
export function refuseRounding(engine: string, { precision }: { readonly precision?: Precision }): void {
  if (precision !== "bf16") return
  throw new EngineError(
    "engine.no-bf16",
    `The engine ${engine} multiplies in fp32 alone: take the engine xla or tensorflow, or leave precision out.`,
  )
}
