// What a training session and its callers both touch: TensorFlow's variables on one side, the optimizer's memory on the other. Either may be
// ahead of the other; what somebody asks for is copied then, and nothing else.
import type { Optimizer } from "../optimizers/optimizer"
import type { NamedParameters } from "../session"
import type { Name } from "./graph-builder"
import type { GraphSession } from "./graph-session"
import { variables } from "./loss-graphs"
import type { PreparedRun } from "./tensorflow-api"

export type StateKind = keyof typeof variables

/** Nodes of one kind of variables, by parameter. */
interface KindGraph {
  readonly feeds: ReadonlyMap<string, Name>
  readonly assigns: ReadonlyMap<string, Name>
  readonly reads: ReadonlyMap<string, Name>
}

export class SharedState {
  private readonly graphs = new Map<StateKind, KindGraph>()
  private readonly runs = new Map<string, PreparedRun>()
  /** Where the variables are ahead. */
  private readonly behind = new Map<StateKind, Set<string>>()
  /** Where the optimizer's memory is ahead, or may be. */
  private readonly ahead = new Map<StateKind, Set<string>>()

  constructor(
    private readonly session: GraphSession,
    private readonly optimizer: Optimizer,
    private readonly parameters: NamedParameters,
  ) {}

  /** The optimizer's memory is, or may be, newer from here on. */
  memoryChanged(kind: StateKind, names: Iterable<string>): void {
    for (const name of names) this.setOf(this.ahead, kind).add(name)
  }

  /** The variables are newer from here on. */
  variablesChanged(kind: StateKind, names: Iterable<string>): void {
    for (const name of names) this.setOf(this.behind, kind).add(name)
  }

  /** Brings the optimizer's memory up to date. */
  pull(kind: StateKind, names: Iterable<string>): void {
    const behind = this.setOf(this.behind, kind)
    const wanted = [...names].filter((name) => behind.has(name))
    if (wanted.length === 0) return
    const { reads } = this.graphOf(kind)
    const run = this.prepare("read", kind, wanted, () => ({ feeds: [], targets: [], fetches: wanted.map((name) => reads.get(name)!) }))
    this.session.runNow(run, [], (fetched) => {
      for (const [index, name] of wanted.entries()) {
        const memory = this.memoryOf(kind, name)
        memory.set(this.session.api.viewTensor(fetched[index], "float32", [memory.length]) as Float32Array)
        behind.delete(name)
      }
    })
  }

  /** Brings the variables up to date. On a CPU they lie in the optimizer's memory until an update in the graph moves them. */
  push(): void {
    for (const [kind, names] of this.ahead) {
      const wanted = [...names]
      if (wanted.length === 0) continue
      const { feeds, assigns } = this.graphOf(kind)
      const pick = (nodes: ReadonlyMap<string, Name>) => wanted.map((name) => nodes.get(name)!)
      const run = this.prepare("assign", kind, wanted, () => ({ feeds: pick(feeds), targets: pick(assigns), fetches: [] }))
      const tensors = wanted.map((name) => this.session.api.shareTensor(this.memoryOf(kind, name), this.parameters[name].shape))
      try {
        this.session.runNow(run, tensors, () => {})
      } finally {
        for (const tensor of tensors) this.session.api.deleteTensor(tensor)
      }
      names.clear()
    }
  }

  private memoryOf(kind: StateKind, name: string): Float32Array {
    if (kind === "value") return this.optimizer.values(name)
    if (kind === "gradient") return this.optimizer.gradient(name)
    const { firstMoments, secondMoments } = this.optimizer.exportState()
    return kind === "firstMoment" ? firstMoments[name] : secondMoments[name]
  }

  private graphOf(kind: StateKind): KindGraph {
    const known = this.graphs.get(kind)
    if (known) return known
    const graph = this.session.newGraph()
    const names = kind === "value" ? this.optimizer.names : this.optimizer.trainedNames
    const [feeds, assigns, reads] = [new Map<string, Name>(), new Map<string, Name>(), new Map<string, Name>()]
    for (const name of names) {
      const { shape } = this.parameters[name]
      const variable = graph.variable(variables[kind](name), shape)
      feeds.set(name, graph.placeholder("float32", shape))
      assigns.set(name, graph.assign("AssignVariableOp", variable, feeds.get(name)!))
      reads.set(name, graph.read(variable))
    }
    this.session.extend(graph)
    const made = { feeds, assigns, reads }
    this.graphs.set(kind, made)
    return made
  }

  private prepare(
    what: string,
    kind: StateKind,
    names: readonly string[],
    describe: () => Parameters<GraphSession["prepare"]>[0],
  ): PreparedRun {
    const key = JSON.stringify([what, kind, names])
    const run = this.runs.get(key) ?? this.session.prepare(describe())
    this.runs.set(key, run)
    return run
  }

  private setOf(map: Map<StateKind, Set<string>>, kind: StateKind): Set<string> {
    const set = map.get(kind) ?? new Set()
    map.set(kind, set)
    return set
  }
}
