// What a training session keeps on a device: parameters and what its optimizer knows of each. Callers are given copies when they ask.
import { EngineError } from "../../core/errors"
import { pairStates } from "../optimizers/optimizer"
import { checkParameters } from "../optimizers/parameter-memory"
import { sizeOf } from "../recording"
import type { NamedParameters, TrainingDefinition, TrainingState } from "../session"
import { MirroredTensor, rememberHome } from "./mirrored-tensor"
import type { PjrtClient } from "./pjrt-client"
import { type MomentPart, type Moments, momentParts, type UpdateRule } from "./update-rules"

export class DeviceState {
  stepsTaken = 0
  readonly trainedNames: readonly string[]
  /** As callers see them. */
  readonly parameters: NamedParameters
  private readonly values = new Map<string, MirroredTensor>()
  private readonly moments = new Map<string, Moments<MirroredTensor>>()
  private isReleased = false

  /** @throws EngineError `engine.bad-parameter`, `engine.out-of-memory` */
  constructor(
    client: PjrtClient,
    { parameters, frozen = [] }: TrainingDefinition,
    rule: UpdateRule,
    /** Whether values may be copied to callers now; a run may be changing them. */
    private readonly isIdle: () => boolean,
  ) {
    checkParameters(parameters, frozen)
    const isFrozen = new Set(frozen)
    this.trainedNames = Object.keys(parameters).filter((name) => !isFrozen.has(name))
    const largest = Math.max(0, ...this.trainedNames.map((name) => sizeOf(parameters[name].shape)))
    const zeros = new Float32Array(largest)
    const place = (shape: readonly number[], data: Float32Array) => {
      const tensor = new MirroredTensor(client, shape, "float32")
      tensor.adopt(client.upload(data, shape))
      return tensor
    }
    try {
      for (const [name, { shape, data }] of Object.entries(parameters)) {
        if (isFrozen.has(name)) {
          this.values.set(name, new MirroredTensor(client, shape, "float32", data.subarray(0, sizeOf(shape))))
          continue
        }
        this.values.set(name, place(shape, data))
        const kept = Object.entries(rule.shapeMoments(shape)).map(([part, momentShape]) => [part, place(momentShape, zeros)] as const)
        this.moments.set(name, Object.fromEntries(kept))
      }
    } catch (error) {
      this.release(false)
      throw error
    }
    this.parameters = Object.fromEntries([...this.values].map(([name, tensor]) => [name, this.present(name, tensor)]))
  }

  value(name: string): MirroredTensor {
    const tensor = this.values.get(name)
    if (tensor) return tensor
    throw new EngineError("engine.bad-parameter", `There is no parameter ${name}: check its name.`)
  }

  momentsOf(name: string): Moments<MirroredTensor> {
    return this.moments.get(name)!
  }

  /** A parameter's values; what is written there counts from the next step on. */
  lend(name: string): Float32Array {
    const tensor = this.value(name)
    return (this.isReleased || !this.isIdle() ? tensor.stale : tensor.data) as Float32Array
  }

  /** Each part is copied when it is asked for. */
  exportState(): TrainingState {
    const parts = ["parameters", ...momentParts.filter((part) => this.holds(part))] as const
    const state = { stepsTaken: this.stepsTaken }
    for (const part of parts) {
      let copied: Record<string, Float32Array> | undefined
      const copy = () => {
        copied ??= this.copyPart(part)
        return copied
      }
      Object.defineProperty(state, part, { get: copy, enumerable: true })
    }
    return state as TrainingState
  }

  /** @throws EngineError `engine.bad-state`, before anything is changed */
  importState(state: TrainingState): void {
    for (const [target, source] of pairStates(this.exportState(), state)) target.set(source)
    for (const name of this.trainedNames) for (const tensor of this.tensorsOf(name)) tensor.hostChanged()
    this.stepsTaken = state.stepsTaken
  }

  /** @param keepsParameters callers may read the parameters as they are now afterwards */
  release(keepsParameters: boolean): void {
    if (this.isReleased) return
    this.isReleased = true
    for (const tensor of this.values.values()) tensor.release(keepsParameters)
    for (const moments of this.moments.values()) for (const tensor of Object.values(moments)) tensor.release()
  }

  private tensorsOf(name: string): readonly MirroredTensor[] {
    return [this.value(name), ...Object.values(this.momentsOf(name))]
  }

  /** States have these two even where an optimizer keeps no such moments. */
  private holds(part: MomentPart): boolean {
    return part === "firstMoments" || part === "secondMoments" || [...this.moments.values()].some((moments) => moments[part])
  }

  private copyPart(part: "parameters" | MomentPart): Record<string, Float32Array> {
    if (this.isReleased) throw new EngineError("engine.disposed", "This training session was disposed of: read its state before.")
    const entries = this.trainedNames.flatMap((name) => {
      const tensor = part === "parameters" ? this.value(name) : this.momentsOf(name)[part]
      return tensor ? [[name, tensor.refresh() as Float32Array] as const] : []
    })
    return Object.fromEntries(entries)
  }

  private present(name: string, tensor: MirroredTensor): NamedParameters[string] {
    const state = this
    const parameter = {
      shape: tensor.shape,
      get data() {
        return state.lend(name)
      },
    }
    rememberHome(parameter, { tensor, isThere: () => !this.isReleased })
    return parameter
  }
}
