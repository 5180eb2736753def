// A recording as a program: its inputs and parameters by name in the program's order, compiled when it is first run.
import { EngineError } from "../../core/errors"
import type { Recording } from "../recording"
import type { ForwardDefinition, Precision } from "../session"
import { dotPrecisionOf, emitRecording } from "./emitter"
import { ModuleBuilder, type Term } from "./module-builder"
import type { DeviceTensor, Executable, PjrtClient, Program } from "./pjrt-client"

/** What a program reads, in order. */
export interface ProgramInput {
  readonly kind: "input" | "parameter" | "state"
  readonly name: string
  readonly term: Term
}

/** A module with the terms of a recording's outputs, to which more may be added before it is finished. */
export interface OpenModule {
  readonly module: ModuleBuilder
  readonly inputs: ProgramInput[]
  readonly outputs: Readonly<Record<string, Term>>
}

/** Emits `recording` into a new module. */
export function openModule(recording: Recording, precision: Precision | undefined, platform: string): OpenModule {
  const module = new ModuleBuilder(dotPrecisionOf(precision, platform))
  const inputs: ProgramInput[] = []
  const outputs = emitRecording(module, recording, {
    precision,
    source: (node) => {
      const [{ shape, dtype }] = node.results
      const term = module.input(dtype, shape)
      inputs.push({ kind: node.operation === "Input" ? "input" : "parameter", name: node.attributes.name, term })
      return term
    },
  })
  return { module, inputs, outputs }
}

/** The program of a network run forward; what is written in place takes its input's memory. */
export function makeForwardProgram(
  recording: Recording,
  { precision, inPlace = {} }: Pick<ForwardDefinition, "precision" | "inPlace">,
  platform: string,
): { readonly program: Program; readonly inputs: readonly ProgramInput[] } {
  const { module, inputs, outputs } = openModule(recording, precision, platform)
  const names = Object.keys(recording.outputs)
  const donations = inputs.flatMap(({ kind, name, term }) => {
    const output = kind === "input" ? names.findIndex((one) => inPlace[one] === name) : -1
    return output < 0 ? [] : [[term, output] as const]
  })
  const terms = names.map((output) => outputs[output])
  return { inputs, program: makeProgram(module, terms, donations) }
}

/** A program that is compiled at its first run; only the last run's failure is told, and another run tries again. */
export class LazyProgram {
  private compiled: Promise<Executable> | undefined
  private isReleased = false

  constructor(
    private readonly client: PjrtClient,
    private readonly program: Program,
  ) {}

  /** A signal ends the wait for the compiler, which goes on for a later run. @throws EngineError `engine.cancelled` */
  async run(inputs: readonly DeviceTensor[], signal?: AbortSignal): Promise<DeviceTensor[]> {
    this.compiled ??= this.client.compile(this.program)
    const compiled = this.compiled.catch((error) => {
      this.compiled = undefined
      throw error
    })
    const executable = await orCancelled(compiled, signal)
    return executable.run(inputs)
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    this.compiled?.then(
      (executable) => executable.release(),
      () => {},
    )
  }
}

function orCancelled<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const cancel = () => reject(cancelled())
    const finish = () => signal.removeEventListener("abort", cancel)
    signal.addEventListener("abort", cancel, { once: true })
    work.then(resolve, reject).finally(finish)
  })
}

export function cancelled(): EngineError {
  return new EngineError("engine.cancelled", "The run was cancelled: nothing was updated.")
}

/** The program of a finished module. */
export function makeProgram(
  module: ModuleBuilder,
  outputs: readonly Term[],
  donations: readonly (readonly [input: Term, output: number])[] = [],
): Program {
  return {
    text: module.finish(outputs, donations),
    numInputs: module.numInputs,
    outputs: outputs.map(({ shape, dtype }) => ({ shape, dtype })) as Program["outputs"],
  }
}
