// The optimizer that a training asks for.
import type { TrainingDefinition } from "../session"
import { defaultThreads } from "../threads"
import { Adafactor } from "./adafactor"
import { AdamW } from "./adamw"
import type { Optimizer } from "./optimizer"

/** @throws EngineError `engine.bad-options`, `engine.bad-parameter`, `engine.out-of-memory` */
export function makeOptimizer({ parameters, frozen = [], optimizer = {}, threads = defaultThreads() }: TrainingDefinition): Optimizer {
  return optimizer.kind === "adafactor"
    ? new Adafactor(parameters, frozen, optimizer, threads)
    : new AdamW(parameters, frozen, optimizer, threads)
}
