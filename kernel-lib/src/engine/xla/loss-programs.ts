// Losses and gradients: one program for each set of input shapes, all on the same parameters. Gradients stay on the device, where a step
// that takes several batches adds them up.
import { keyOfSpecs, specsOf } from "../feeds"
import { idsOutput, rowsOutput } from "../passes/gradients-as-rows"
import { type Recording, sizeOf } from "../recording"
import type { NamedValues, TrainingDefinition } from "../session"
import { gradientOutput, lossOutput, randomKeyInput, traceLoss } from "../tracer"
import { LazyProgram, makeProgram, type OpenModule, openModule } from "./compiled-recording"
import type { DeviceState } from "./device-state"
import { addRows } from "./emit-places"
import type { Term } from "./module-builder"
import type { Plugin } from "./open-plugin"
import { optimizeForXla } from "./passes"
import { type DeviceTensor, releaseAll } from "./pjrt-client"
import { sumOfSquares } from "./update-rules"

/** Gradients on the device, by parameter. */
export type Gradients = ReadonlyMap<string, DeviceTensor>

/** What a program does with a batch's gradients: gives them whole, or a share of them, alone or added to what there is. */
type Gathering = "whole" | "first" | "next"

interface CompiledLoss {
  readonly recording: Recording
  readonly reached: readonly string[]
  readonly programs: Map<Gathering | "evaluate", { readonly program: LazyProgram; readonly inputs: OpenModule["inputs"] }>
}

export class LossPrograms {
  private readonly compiled = new Map<string, CompiledLoss>()

  constructor(
    private readonly plugin: Plugin,
    private readonly definition: TrainingDefinition,
    private readonly state: DeviceState,
  ) {}

  /** A batch's loss, its gradients and their norm. */
  async differentiate(
    batch: NamedValues,
    key: Int32Array,
    signal?: AbortSignal,
  ): Promise<{ loss: number; norm: number; gradients: Gradients }> {
    const graph = this.prepare(batch, true)
    const [loss, norm, ...gradients] = await this.run(graph, "whole", { ...batch, [randomKeyInput]: { shape: [2], data: key } }, { signal })
    return { loss: readNumber(loss), norm: readNumber(norm), gradients: new Map(graph.reached.map((name, at) => [name, gradients[at]])) }
  }

  /** Adds a share of a batch's gradients to `sums`, whose tensors it takes; answers the batch's loss. */
  async accumulate(
    batch: NamedValues,
    key: Int32Array,
    share: number,
    sums: Map<string, DeviceTensor>,
    signal?: AbortSignal,
  ): Promise<number> {
    const graph = this.prepare(batch, true)
    const gathering = sums.size === 0 ? "first" : "next"
    const { client } = this.plugin
    if (gathering === "next") {
      for (const name of graph.reached) {
        const { shape } = this.definition.parameters[name]
        if (!sums.has(name)) sums.set(name, client.upload(new Float32Array(sizeOf(shape)), shape))
      }
    }
    const feeds = { ...batch, [randomKeyInput]: { shape: [2], data: key }, [shareInput]: { shape: [], data: Float32Array.of(share) } }
    const [loss, ...added] = await this.run(graph, gathering, feeds, { sums, signal })
    graph.reached.forEach((name, at) => {
      sums.get(name)?.release()
      sums.set(name, added[at])
    })
    return readNumber(loss)
  }

  async evaluate(batch: NamedValues, signal?: AbortSignal): Promise<number> {
    const [loss] = await this.run(this.prepare(batch, false), "evaluate", batch, { signal })
    return readNumber(loss)
  }

  release(): void {
    for (const { programs } of this.compiled.values()) for (const { program } of programs.values()) program.release()
    this.compiled.clear()
  }

  private async run(
    graph: CompiledLoss,
    gathering: Gathering | "evaluate",
    feeds: NamedValues,
    { sums, signal }: { readonly sums?: ReadonlyMap<string, DeviceTensor>; readonly signal?: AbortSignal },
  ): Promise<DeviceTensor[]> {
    const { program, inputs } = this.programOf(graph, gathering)
    const passing: DeviceTensor[] = []
    try {
      const tensors = inputs.map(({ kind, name }) => {
        if (kind === "state") return sums!.get(name)!
        if (kind === "parameter") return this.state.value(name).onDevice()
        const tensor = this.plugin.client.upload(feeds[name].data, feeds[name].shape)
        passing.push(tensor)
        return tensor
      })
      return await program.run(tensors, signal)
    } finally {
      releaseAll(passing)
    }
  }

  /** The recording for the batch's shapes. */
  private prepare(batch: NamedValues, isTraining: boolean): CompiledLoss {
    const specs = specsOf(batch)
    const key = `${isTraining ? "train" : "evaluate"} ${keyOfSpecs(specs)}`
    const known = this.compiled.get(key)
    if (known) return known
    const { name = "network", loss, parameters } = this.definition
    const differentiate = isTraining ? this.state.trainedNames : undefined
    const recording = optimizeForXla(traceLoss({ name, inputs: specs, parameters, loss, differentiate }))
    const { outputs } = recording
    const reached = this.state.trainedNames.filter((one) => gradientOutput(one) in outputs || rowsOutput(one, 0) in outputs)
    const made = { recording, reached, programs: new Map() }
    this.compiled.set(key, made)
    return made
  }

  private programOf(graph: CompiledLoss, gathering: Gathering | "evaluate") {
    const known = graph.programs.get(gathering)
    if (known) return known
    const { precision, parameters } = this.definition
    const open = openModule(graph.recording, precision, this.plugin.platform)
    const { module, inputs, outputs } = open
    const results: Term[] = [outputs[lossOutput]]
    const donations: [Term, number][] = []
    if (gathering !== "evaluate") {
      const share = gathering === "whole" ? undefined : addInput(open, "input", shareInput, [])
      const gradients = graph.reached.map((name) => {
        const gradient = joinGradient(open, name, parameters[name].shape)
        return share ? module.binary("multiply", gradient, share) : gradient
      })
      if (gathering === "whole") results.push(normOf(open, gradients))
      graph.reached.forEach((name, index) => {
        const gradient = gradients[index]
        if (gathering === "next") {
          const sum = addInput(open, "state", name, gradient.shape)
          donations.push([sum, results.length])
          results.push(module.binary("add", sum, gradient))
        } else results.push(gradient)
      })
    }
    const program = new LazyProgram(this.plugin.client, makeProgram(module, results, donations))
    const made = { program, inputs }
    graph.programs.set(gathering, made)
    return made
  }
}

const shareInput = "step/share"

export function addInput(
  { module, inputs }: Pick<OpenModule, "module" | "inputs">,
  kind: "input" | "state",
  name: string,
  shape: readonly number[],
) {
  const term = module.input("float32", shape)
  inputs.push({ kind, name, term })
  return term
}

/** What is dense of a gradient, with the rows that belong to it added. */
function joinGradient({ module, outputs }: OpenModule, name: string, shape: readonly number[]): Term {
  let gradient = (outputs[gradientOutput(name)] as Term | undefined) ?? module.fill(0, shape)
  for (let index = 0; rowsOutput(name, index) in outputs; index++) {
    gradient = addRows(module, gradient, outputs[idsOutput(name, index)], outputs[rowsOutput(name, index)])
  }
  return gradient
}

export function normOf({ module }: Pick<OpenModule, "module">, gradients: readonly Term[]): Term {
  const squares = gradients.map((gradient) => sumOfSquares(module, gradient))
  const sum = squares.reduce((total, square) => module.binary("add", total, square), module.fill(0))
  return module.unary("sqrt", sum)
}

/** A scalar's value; the tensor is released. */
export function readNumber(tensor: DeviceTensor): number {
  const number = new Float32Array(1)
  tensor.read(number)
  tensor.release()
  return number[0]
}
