// Graphs that run at any size: compiled once, fed tensors of other lengths from run to run. Where an engine knows fixed shapes only, a
// graph is compiled for each set of shapes, so callers round sizes up there.

import { EngineError } from "../core/errors"
import { keyOfSpecs, specsOf } from "./feeds"
import { allocate, dataTypeOf, sameShape, sizeOf } from "./recording"
import type { Engine, FlexibleDefinition, FlexibleRunOptions, FlexibleSession, ForwardSession, NamedValues, TensorData } from "./session"
import type { DataType } from "./tensors"

/** Compiles for all sizes where `engine` can, else for each set of sizes that is met. */
export function compileFlexible(engine: Engine, definition: FlexibleDefinition): FlexibleSession {
  return engine.compileFlexible?.(definition) ?? new SessionPerShape(engine, definition)
}

/** Whether a graph runs at every size; otherwise one is compiled for each, so callers round sizes up. */
export function runsAnySize(engine: Engine): boolean {
  return engine.compileFlexible !== undefined && !engine.compilesEachSize
}

/** Graphs that are kept, of the sizes that were met last. */
const maxGraphs = 16

class SessionPerShape implements FlexibleSession {
  private readonly sessions = new Map<string, ForwardSession>()

  constructor(
    private readonly engine: Engine,
    private readonly definition: FlexibleDefinition,
  ) {}

  async run(inputs: NamedValues, { outputs = {}, signal }: FlexibleRunOptions = {}): Promise<NamedValues> {
    const { inPlace = {} } = this.definition
    const fitting = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, data: data.subarray(0, sizeOf(shape)) }]),
    )
    const session = this.compile(fitting)
    const feeds = Object.fromEntries(Object.entries(fitting).map(([name, { data }]) => [name, data]))
    const results = await session.run(feeds, { signal })
    return Object.fromEntries(
      Object.entries(results).map(([name, { shape, data }]) => {
        const home = outputs[name] ?? (inPlace[name] === undefined ? undefined : inputs[inPlace[name]].data)
        home?.set(data)
        return [name, { shape, data: home ?? data }]
      }),
    )
  }

  private compile(inputs: NamedValues): ForwardSession {
    const specs = specsOf(inputs)
    const key = keyOfSpecs(specs)
    const { name, forward, parameters, inPlace, threads } = this.definition
    const session = this.sessions.get(key) ?? this.engine.compileForward({ name, forward, inputs: specs, parameters, inPlace, threads })
    this.sessions.delete(key)
    this.sessions.set(key, session)
    if (this.sessions.size > maxGraphs) {
      const [oldest, unused] = this.sessions.entries().next().value!
      this.sessions.delete(oldest)
      unused.dispose()
    }
    return session
  }

  dispose(): void {
    for (const session of this.sessions.values()) session.dispose()
    this.sessions.clear()
  }
}

/** The session's own memory of outputs: as large as the largest was, so that smaller ones are views of it. */
export class GrowingMemory {
  private readonly arrays = new Map<string, TensorData>()

  /** At least as many numbers as `shape` has, all of `given` when that is there. @throws EngineError `engine.bad-memory` */
  place(name: string, shape: readonly number[], dtype: DataType, given: TensorData | undefined): TensorData {
    const size = sizeOf(shape)
    if (given) {
      if (dataTypeOf(given) === dtype && given.length >= size) return given
      throw new EngineError("engine.bad-memory", `The memory given for ${name} does not hold ${dtype} [${shape.join(", ")}].`)
    }
    const there = this.arrays.get(name)
    if (there && there.length >= size) return there
    const array = allocate(dtype, size)
    this.arrays.set(name, array)
    return array
  }
}

/** @throws EngineError `engine.bad-memory` when the output cannot lie where the input lies */
export function checkInPlace(output: string, shape: readonly number[], input: string, place: NamedValues[string] | undefined): TensorData {
  if (place && sameShape(place.shape, shape)) return place.data
  throw new EngineError(
    "engine.bad-memory",
    `The output ${output} cannot be written in place of ${input}: [${shape}] is not its shape [${place?.shape ?? "missing"}].`,
  )
}
