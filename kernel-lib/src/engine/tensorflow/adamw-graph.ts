// AdamW in the graph: values and moments are variables that TensorFlow updates where they lie, on whichever device. The numbers are those of
// optimizers/adamw.ts, which keeps PyTorch's order of operations.
import { EngineError } from "../../core/errors"
import type { AdamWOptions } from "../optimizers/optimizer-options"
import type { NamedParameters } from "../session"
import { typed } from "./emit-tensor-operations"
import { attribute, type GraphBuilder, type Name, waitFor } from "./graph-builder"
import type { GraphSession } from "./graph-session"
import { variables } from "./loss-graphs"
import type { NativeTensor, PreparedRun } from "./tensorflow-api"

/** Numbers that change from step to step, in the order in which runs are fed. */
const numberNames = ["stepSize", "epsilon", "decay", "scale"] as const
type Numbers = Record<(typeof numberNames)[number], number>

/** What one set of parameters needs: those that a batch reaches. */
interface CompiledUpdate {
  readonly norm: PreparedRun
  readonly update: PreparedRun
  /** The same for gradients that are to be scaled down. */
  readonly clippedUpdate: PreparedRun
}

export class AdamWGraph {
  private readonly compiled = new Map<string, CompiledUpdate>()
  private readonly numbers: readonly NativeTensor[]

  constructor(
    private readonly session: GraphSession,
    private readonly parameters: NamedParameters,
    private readonly options: AdamWOptions,
  ) {
    this.numbers = numberNames.map(() => session.allocate("float32", []))
  }

  /**
   * One step of the gradients that are in the variables.
   * @returns the norm of all gradients together, before clipping
   * @throws EngineError `engine.gradient-not-finite`, `engine.cancelled`, before anything is changed
   */
  async update(names: readonly string[], learningRate: number, step: number, signal?: AbortSignal): Promise<number> {
    if (names.length === 0) return 0
    const { norm: normRun, update, clippedUpdate } = this.prepare(names)
    const read = ([value]: readonly bigint[]) => this.session.api.viewTensor(value, "float32", [])[0]
    const norm = await this.session.run(normRun, [], read, signal)
    if (!Number.isFinite(norm)) {
      throw new EngineError(
        "engine.gradient-not-finite",
        `The gradients of step ${step} are not finite: use a lower learning rate, or look at the batch. Nothing was updated.`,
      )
    }
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, maxGradientNorm = Number.POSITIVE_INFINITY } = this.options
    // As torch.nn.utils.clip_grad_norm_.
    const scale = Math.min(1, maxGradientNorm / (norm + 1e-6))
    // TensorFlow adds epsilon to the uncorrected root.
    const correction = Math.sqrt(1 - beta2 ** step)
    const stepSize = (learningRate * correction) / (1 - beta1 ** step)
    this.feed({ stepSize, epsilon: epsilon * correction, decay: learningRate * weightDecay, scale })
    const handles = this.numbers.map(({ handle }) => handle)
    await this.session.run(scale < 1 ? clippedUpdate : update, handles, () => {})
    return norm
  }

  private feed(numbers: Numbers): void {
    for (const [index, name] of numberNames.entries()) this.numbers[index].data[0] = numbers[name]
  }

  private prepare(names: readonly string[]): CompiledUpdate {
    const key = JSON.stringify(names)
    const found = this.compiled.get(key) ?? this.compile(names)
    this.compiled.set(key, found)
    return found
  }

  private compile(names: readonly string[]): CompiledUpdate {
    const graph = this.session.newGraph()
    const numbers = Object.fromEntries(numberNames.map((name) => [name, graph.placeholder("float32", [])])) as Record<keyof Numbers, Name>
    const gradients = names.map((name) => graph.read(graph.variable(variables.gradient(name), this.shapeOf(name))))
    const norm = normOf(graph, gradients)
    const apply = (scale: Name | undefined) => names.map((name, index) => this.apply(graph, name, gradients[index], numbers, scale))
    const [updates, clippedUpdates] = [apply(undefined), apply(numbers.scale)]
    this.session.extend(graph)
    const feeds = Object.values(numbers)
    return {
      norm: this.session.prepare({ feeds: [], fetches: [norm], targets: [] }),
      update: this.session.prepare({ feeds, fetches: [], targets: updates }),
      clippedUpdate: this.session.prepare({ feeds, fetches: [], targets: clippedUpdates }),
    }
  }

  /** The node that updates one parameter. */
  private apply(graph: GraphBuilder, name: string, gradient: Name, numbers: Record<keyof Numbers, Name>, scale: Name | undefined): Name {
    const { beta1 = 0.9, beta2 = 0.999, weightDecay = 0.01 } = this.options
    const shape = this.shapeOf(name)
    const value = graph.variable(variables.value(name), shape)
    const decayed: Name[] = []
    if (weightDecay > 0 && this.decays(name, shape)) {
      const loss = typed(graph, "Mul", [graph.read(value), numbers.decay])
      decayed.push(graph.assign("AssignSubVariableOp", value, loss))
    }
    const scaled = scale ? typed(graph, "Mul", [gradient, scale]) : gradient
    const moments = [variables.firstMoment(name), variables.secondMoment(name)].map((moment) => graph.variable(moment, shape))
    // The bias corrections are in the step size, with more digits than float32 leaves of 1 - beta.
    const noPower = graph.float(0)
    const rates = [noPower, noPower, numbers.stepSize, graph.float(beta1), graph.float(beta2), numbers.epsilon]
    return graph.node("ResourceApplyAdam", [value, ...moments, ...rates, scaled, ...decayed.map(waitFor)], {
      T: attribute.type("float32"),
      use_locking: attribute.flag(false),
      use_nesterov: attribute.flag(false),
    })
  }

  private decays(name: string, shape: readonly number[]): boolean {
    return this.options.decays ? this.options.decays(name, shape) : shape.length >= 2
  }

  private shapeOf(name: string): readonly number[] {
    return this.parameters[name].shape
  }
}

function normOf(graph: GraphBuilder, gradients: readonly Name[]): Name {
  const halves = gradients.map((gradient) => typed(graph, "L2Loss", [gradient]))
  const sum = graph.node("AddN", halves, { N: attribute.integer(halves.length), T: attribute.type("float32") })
  return typed(graph, "Sqrt", [typed(graph, "Mul", [sum, graph.float(2)])])
}
