// An optimizer's step on the device: parameters and moments are donated, so that the new ones lie where the old ones were.
import { LazyProgram, makeProgram, type ProgramInput } from "./compiled-recording"
import type { DeviceState } from "./device-state"
import { addInput, type Gradients, normOf, readNumber } from "./loss-programs"
import { ModuleBuilder, type Term } from "./module-builder"
import type { Plugin } from "./open-plugin"
import { releaseAll } from "./pjrt-client"
import type { MomentPart, Moments, StepNumbers, UpdateRule } from "./update-rules"

interface CompiledUpdate {
  readonly update: LazyProgram
  readonly norm: LazyProgram
}

export class UpdatePrograms {
  /** By the parameters that a step reaches. */
  private readonly compiled = new Map<string, CompiledUpdate>()

  constructor(
    private readonly plugin: Plugin,
    private readonly rule: UpdateRule,
    private readonly state: DeviceState,
  ) {}

  /** The norm of all gradients together. */
  async measure(gradients: Gradients): Promise<number> {
    const [norm] = await this.prepare(gradients).norm.run([...gradients.values()])
    return readNumber(norm)
  }

  /** One step of the parameters that have gradients; the gradients are released. */
  async update(gradients: Gradients, numbers: StepNumbers): Promise<void> {
    if (gradients.size === 0) return
    const { client } = this.plugin
    const { update } = this.prepare(gradients)
    const listed = this.rule.listNumbers(numbers)
    const told = client.upload(Float32Array.from(listed), [listed.length])
    const homes = [...gradients.keys()].flatMap((name) => [this.state.value(name), ...Object.values(this.state.momentsOf(name))])
    const inputs = [told, ...gradients.values(), ...homes.map((home) => home.onDevice())]
    try {
      const results = await update.run(inputs)
      for (const [index, home] of homes.entries()) home.adopt(results[index])
    } finally {
      told.release()
      releaseAll(gradients.values())
    }
  }

  release(): void {
    for (const { update, norm } of this.compiled.values()) for (const program of [update, norm]) program.release()
    this.compiled.clear()
  }

  private prepare(gradients: Gradients): CompiledUpdate {
    const names = [...gradients.keys()]
    const key = JSON.stringify(names)
    const known = this.compiled.get(key)
    if (known) return known
    const made = { update: this.emitUpdate(names), norm: this.emitNorm(names) }
    this.compiled.set(key, made)
    return made
  }

  private emitNorm(names: readonly string[]): LazyProgram {
    const module = new ModuleBuilder()
    const gradients = names.map((name) => module.input("float32", this.state.value(name).shape))
    return new LazyProgram(this.plugin.client, makeProgram(module, [normOf({ module }, gradients)]))
  }

  private emitUpdate(names: readonly string[]): LazyProgram {
    const module = new ModuleBuilder()
    const inputs: ProgramInput[] = []
    const count = this.rule.listNumbers({ step: 1, learningRate: 0, scale: 1 }).length
    const told = module.input("float32", [count])
    const numbers = Array.from({ length: count }, (_, at) => module.reshape(module.slice(told, [at], [at + 1]), []))
    const take = (name: string, shape: readonly number[]) => addInput({ module, inputs }, "state", name, shape)
    const gradients = names.map((name) => take(name, this.state.value(name).shape))
    const results: Term[] = []
    const donations: [Term, number][] = []
    names.forEach((name, index) => {
      const value = take(name, this.state.value(name).shape)
      const kept = Object.entries(this.state.momentsOf(name)).map(([part, { shape }]) => [part as MomentPart, take(name, shape)] as const)
      const moments: Moments<Term> = Object.fromEntries(kept)
      const updated = this.rule.emit(module, { name, value, gradient: gradients[index], moments }, numbers)
      const pairs = [[value, updated.value], ...kept.map(([part, term]) => [term, updated.moments[part]!])]
      for (const [before, after] of pairs) {
        donations.push([before, results.length])
        results.push(after)
      }
    })
    return new LazyProgram(this.plugin.client, makeProgram(module, results, donations))
  }
}
