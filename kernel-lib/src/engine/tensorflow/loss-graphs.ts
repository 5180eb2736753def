// Losses and gradients on TensorFlow: one graph for each set of input shapes, all on the same variables. Gradients go to variables of their
// own, by taking over the memory in which they were computed; a step that takes several batches adds them up there.
import { fillInputs, keyOfSpecs, specsOf } from "../feeds"
import { idsOutput, rowsOutput } from "../passes/gradients-as-rows"
import type { Recording } from "../recording"
import type { NamedValues, TrainingDefinition } from "../session"
import { gradientOutput, lossOutput, randomKeyInput, traceLoss } from "../tracer"
import { typed } from "./emit-tensor-operations"
import { emitRecording } from "./emitter"
import { attribute, type GraphBuilder, type Name, waitFor } from "./graph-builder"
import type { GraphSession } from "./graph-session"
import { optimizeForTensorFlow } from "./passes"
import type { NativeTensor, PreparedRun } from "./tensorflow-api"

/** Names of a parameter's variables. */
export const variables = {
  value: (parameter: string): string => `value/${parameter}`,
  gradient: (parameter: string): string => `gradient/${parameter}`,
  firstMoment: (parameter: string): string => `firstMoment/${parameter}`,
  secondMoment: (parameter: string): string => `secondMoment/${parameter}`,
}

/** What becomes of a batch's gradients: they are the step's, or a share of them begins a sum or is added to it. */
export type Gathering = "whole" | "first" | "next"
const gatherings: readonly Gathering[] = ["whole", "first", "next"]

interface CompiledLoss {
  /** What runs are fed with, in order. */
  readonly tensors: readonly NativeTensor[]
  readonly inputs: NamedValues
  /** An evaluation has `whole` alone. */
  readonly runs: ReadonlyMap<Gathering, PreparedRun>
  readonly reached: readonly string[]
}

export interface GatherOptions {
  /** Of a step that takes several batches: the parameters whose sums are begun. Default: the batch's gradients are the step's. */
  readonly begun?: ReadonlySet<string>
  /** What a batch of several counts for. */
  readonly share?: number
  readonly signal?: AbortSignal
}

export class LossGraphs {
  private readonly compiled = new Map<string, CompiledLoss>()

  constructor(
    private readonly session: GraphSession,
    private readonly definition: TrainingDefinition,
    private readonly trainedNames: readonly string[],
  ) {}

  /** Computes a batch's gradients and keeps them in variables; answers its loss and the parameters that it reaches. */
  async differentiate(batch: NamedValues, key: Int32Array, { begun, share = 1, signal }: GatherOptions = {}) {
    const graph = this.prepare(batch, true)
    if (graph.inputs[randomKeyInput]) fillInputs(graph.inputs, { [randomKeyInput]: key })
    graph.tensors[graph.tensors.length - 1].data[0] = share
    const isNext = begun !== undefined && begun.size > 0
    if (isNext) await this.clear(graph.reached.filter((name) => !begun.has(name)))
    return { loss: await this.run(graph, isNext ? "next" : begun ? "first" : "whole", signal), reached: graph.reached }
  }

  evaluate(batch: NamedValues, signal?: AbortSignal): Promise<number> {
    return this.run(this.prepare(batch, false), "whole", signal)
  }

  private run(graph: CompiledLoss, gathering: Gathering, signal?: AbortSignal): Promise<number> {
    const handles = graph.tensors.map(({ handle }) => handle)
    const read = ([loss]: readonly bigint[]) => this.session.api.viewTensor(loss, "float32", [])[0]
    return this.session.run(graph.runs.get(gathering)!, handles, read, signal)
  }

  /** Gradients of parameters that no batch of this step has reached so far. */
  private async clear(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const graph = this.session.newGraph()
    const targets = names.map((name) => {
      const { shape } = this.definition.parameters[name]
      return graph.assign("AssignVariableOp", graph.variable(variables.gradient(name), shape), graph.zeros(shape))
    })
    this.session.extend(graph)
    await this.session.run(this.session.prepare({ feeds: [], fetches: [], targets }), [], () => {})
  }

  /** The graph for the batch's shapes, with the batch in its inputs. */
  private prepare(batch: NamedValues, isTraining: boolean): CompiledLoss {
    const specs = specsOf(batch)
    const key = `${isTraining ? "train" : "evaluate"} ${keyOfSpecs(specs)}`
    let graph = this.compiled.get(key)
    if (!graph) {
      const { name = "network", loss, parameters } = this.definition
      const differentiate = isTraining ? this.trainedNames : undefined
      const recording = traceLoss({ name, inputs: specs, parameters, loss, differentiate })
      graph = this.compile(optimizeForTensorFlow(recording))
      this.compiled.set(key, graph)
    }
    for (const [name, { data }] of Object.entries(batch)) if (name in graph.inputs) fillInputs(graph.inputs, { [name]: data })
    return graph
  }

  private compile(recording: Recording): CompiledLoss {
    const graph = this.session.newGraph()
    const tensors: Record<string, NativeTensor> = {}
    const feeds: Name[] = []
    const outputs = emitRecording(graph, recording, {
      precision: this.definition.precision,
      source: (node) => {
        const { name } = node.attributes
        const [{ shape, dtype }] = node.results
        if (node.operation === "Parameter") return graph.read(graph.variable(variables.value(name), shape))
        tensors[name] = this.session.allocate(dtype, shape)
        feeds.push(graph.placeholder(dtype, shape))
        return feeds[feeds.length - 1]
      },
    })
    const share = graph.placeholder("float32", [])
    const reached = this.trainedNames.filter((name) => gradientOutput(name) in outputs || rowsOutput(name, 0) in outputs)
    const keep = (gathering: Gathering) =>
      reached.flatMap((name) => keepGradient(graph, { name, shape: this.definition.parameters[name].shape, outputs, gathering, share }))
    const targets = new Map(gatherings.map((gathering) => [gathering, keep(gathering)]))
    this.session.extend(graph)
    const runs = [...targets].map(([gathering, nodes]) => {
      const prepared = this.session.prepare({ feeds: [...feeds, share], fetches: [outputs[lossOutput]], targets: nodes })
      return [gathering, prepared] as const
    })
    const inputs = Object.fromEntries(
      Object.entries(recording.inputs).map(([name, { shape }]) => [name, { shape, data: tensors[name].data }]),
    )
    return { tensors: [...Object.values(tensors), this.session.allocate("float32", [])], inputs, runs: new Map(runs), reached }
  }
}

interface GradientPlace {
  readonly name: string
  readonly shape: readonly number[]
  readonly outputs: Readonly<Record<string, Name>>
  readonly gathering: Gathering
  readonly share: Name
}

/** Nodes that write a parameter's gradient, or add it to what is there: what is dense of it, and rows with their numbers. */
function keepGradient(graph: GraphBuilder, { name, shape, outputs, gathering, share }: GradientPlace): Name[] {
  const variable = graph.variable(variables.gradient(name), shape)
  const weigh = (value: Name) => (gathering === "whole" ? value : typed(graph, "Mul", [value, share]))
  const given = outputs[gradientOutput(name)] as Name | undefined
  const isAdded = gathering === "next"
  const dense = given ? weigh(given) : isAdded ? undefined : graph.zeros(shape)
  const nodes = dense ? [graph.assign(isAdded ? "AssignAddVariableOp" : "AssignVariableOp", variable, dense)] : []
  for (let index = 0; rowsOutput(name, index) in outputs; index++) {
    const inputs = [variable, outputs[idsOutput(name, index)], weigh(outputs[rowsOutput(name, index)]), ...nodes.slice(-1).map(waitFor)]
    nodes.push(graph.node("ResourceScatterAdd", inputs, { dtype: attribute.type("float32"), Tindices: attribute.type("int32") }))
  }
  return nodes
}
