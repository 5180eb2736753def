// Training on XLA: parameters, gradients and the optimizer's moments stay on the device; a step is one program for the gradients and one
// for the update, between which loss and norm are looked at and a signal is heard.
import { EngineError } from "../../core/errors"
import { sizeOf } from "../recording"
import type { NamedParameters, NamedValues, StepOptions, StepResult, TrainingDefinition, TrainingSession, TrainingState } from "../session"
import { checkLoss, divideStep, keyOfPart, type StepPart, Turn } from "../training-steps"
import { cancelled } from "./compiled-recording"
import { DeviceState } from "./device-state"
import { type Gradients, LossPrograms } from "./loss-programs"
import type { Plugin } from "./open-plugin"
import { type DeviceTensor, releaseAll } from "./pjrt-client"
import { UpdatePrograms } from "./update-programs"
import { makeUpdateRule, type UpdateRule } from "./update-rules"

export class XlaTraining implements TrainingSession {
  private readonly rule: UpdateRule
  private readonly state: DeviceState
  private readonly losses: LossPrograms
  private readonly updates: UpdatePrograms
  private readonly turn = new Turn()

  /** @throws EngineError `engine.bad-options`, `engine.bad-parameter`, `engine.out-of-memory` */
  constructor(
    private readonly plugin: Plugin,
    private readonly definition: TrainingDefinition,
  ) {
    this.rule = makeUpdateRule(definition.optimizer)
    this.state = new DeviceState(plugin.client, definition, this.rule, () => !this.turn.isBusy)
    this.losses = new LossPrograms(plugin, definition, this.state)
    this.updates = new UpdatePrograms(plugin, this.rule, this.state)
  }

  get stepsTaken(): number {
    return this.state.stepsTaken
  }

  get parameters(): NamedParameters {
    return this.state.parameters
  }

  parameter(name: string): Float32Array {
    return this.state.lend(name)
  }

  step(batch: NamedValues | readonly NamedValues[], options: StepOptions): Promise<StepResult> {
    return this.exclusively(async () => {
      const { learningRate, signal } = options
      const parts = divideStep(batch, options)
      if (signal?.aborted) throw cancelled()
      const { loss, norm, gradients } = await (parts.length === 1
        ? this.differentiate(parts[0].batch, signal)
        : this.accumulate(parts, signal))
      try {
        this.check(loss, norm, signal)
        await this.updates.update(gradients, { step: this.stepsTaken + 1, learningRate, scale: this.scaleOf(norm) })
      } finally {
        releaseAll(gradients.values())
      }
      this.state.stepsTaken++
      return { loss, gradientNorm: norm }
    })
  }

  evaluate(batch: NamedValues, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.exclusively(async () => {
      if (signal?.aborted) throw cancelled()
      const loss = await this.losses.evaluate(batch, signal)
      if (signal?.aborted) throw cancelled()
      return loss
    })
  }

  computeGradients(batch: NamedValues): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    return this.exclusively(async () => {
      const { loss, gradients } = await this.differentiate(batch)
      try {
        checkLoss(loss, this.stepsTaken)
        const copied = [...gradients].map(([name, tensor]) => [name, copyOut(tensor)] as const)
        return { loss, gradients: Object.fromEntries(copied) }
      } finally {
        releaseAll(gradients.values())
      }
    })
  }

  exportState(): TrainingState {
    this.turn.check()
    return this.state.exportState()
  }

  importState(state: TrainingState): void {
    this.turn.check()
    this.state.importState(state)
  }

  /** What callers read of the parameters stays as it is then. */
  dispose(): void {
    if (this.turn.isClosed) return
    this.turn.isClosed = true
    if (!this.turn.isBusy) this.free()
  }

  private differentiate(batch: NamedValues, signal?: AbortSignal) {
    return this.losses.differentiate(batch, this.keyOf(0), signal)
  }

  /** The parts' gradients by their shares, summed where they are. */
  private async accumulate(
    parts: readonly StepPart[],
    signal: AbortSignal | undefined,
  ): Promise<{ loss: number; norm: number; gradients: Gradients }> {
    const sums = new Map<string, DeviceTensor>()
    let mean = 0
    try {
      for (const [part, { batch, share }] of parts.entries()) {
        if (signal?.aborted || this.turn.isClosed) throw cancelled()
        const loss = await this.losses.accumulate(batch, this.keyOf(part), share, sums, signal)
        checkLoss(loss, this.stepsTaken)
        mean += share * loss
      }
      return { loss: mean, norm: await this.updates.measure(sums), gradients: sums }
    } catch (error) {
      releaseAll(sums.values())
      throw error
    }
  }

  /** @throws EngineError before anything is updated */
  private check(loss: number, norm: number, signal: AbortSignal | undefined): void {
    checkLoss(loss, this.stepsTaken)
    if (!Number.isFinite(norm)) {
      throw new EngineError(
        "engine.gradient-not-finite",
        `The gradients of step ${this.stepsTaken + 1} are not finite: use a lower learning rate, or look at the batch. Nothing was updated.`,
      )
    }
    if (signal?.aborted || this.turn.isClosed) throw cancelled()
  }

  /** As torch.nn.utils.clip_grad_norm_. */
  private scaleOf(norm: number): number {
    return Math.min(1, this.rule.maxGradientNorm / (norm + 1e-6))
  }

  private keyOf(part: number): Int32Array {
    return keyOfPart(this.definition.seed ?? 0, this.stepsTaken, part)
  }

  private exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.turn.take(async () => {
      try {
        return await this.plugin.client.exclusively(work)
      } finally {
        if (this.turn.isClosed) this.free()
      }
    })
  }

  private free(): void {
    this.losses.release()
    this.updates.release()
    this.state.release(true)
  }
}

function copyOut(tensor: DeviceTensor): Float32Array {
  const data = new Float32Array(sizeOf(tensor.shape))
  tensor.read(data)
  return data
}
