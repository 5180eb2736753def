// The optimizer that a training asks for.
import type { TrainingDefinition } from "../session"
import { Adafactor } from "./adafactor"
import { AdamW } from "./adamw"
import type { Optimizer } from "./optimizer"

/** @throws EngineError `engine.bad-options`, `engine.bad-parameter`, `engine.out-of-memory` */
export function makeOptimizer({ parameters, frozen = [], optimizer = {} }: TrainingDefinition): Optimizer {
  return optimizer.kind === "adafactor" ? new Adafactor(parameters, frozen, optimizer) : new AdamW(parameters, frozen, optimizer)
}
