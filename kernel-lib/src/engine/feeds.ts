// Checks of what callers hand over: batches, input values, memory. Every message names the tensor.
import { EngineError } from "../core/errors"
import { allocate, dataTypeOf, describeSpec, sameShape, sizeOf } from "./recording"
import type { ForwardDefinition, NamedValues, TensorData, TensorSpec, TensorValue } from "./session"

/** Shapes and types of a batch. @throws EngineError `engine.bad-feed` when values do not fill a shape */
export function specsOf(batch: NamedValues): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(batch).map(([name, { shape, data }]) => {
      if (data.length !== sizeOf(shape)) {
        throw new EngineError(
          "engine.bad-feed",
          `The input ${name} has ${data.length} values, its shape [${shape}] needs ${sizeOf(shape)}.`,
        )
      }
      return [name, { shape: [...shape], dtype: dataTypeOf(data) }]
    }),
  )
}

/** Equal for batches that one graph can run. */
export function keyOfSpecs(specs: Readonly<Record<string, TensorSpec>>): string {
  return Object.keys(specs)
    .sort()
    .map((name) => `${name} ${describeSpec(specs[name])}`)
    .join("; ")
}

/** Memory for each spec. */
export function allocateValues(specs: Readonly<Record<string, TensorSpec>>): Record<string, TensorValue> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape, dtype }]) => [name, { shape, data: allocate(dtype, sizeOf(shape)) }]),
  )
}

/** Copies the values that `feeds` has into `inputs`. @throws EngineError `engine.bad-feed` */
export function fillInputs(inputs: NamedValues, feeds: Readonly<Record<string, TensorData>>): void {
  for (const [name, data] of Object.entries(feeds)) {
    const input = inputs[name]
    if (!input) throw new EngineError("engine.bad-feed", `There is no input ${name}; the inputs are ${Object.keys(inputs).join(", ")}.`)
    const size = sizeOf(input.shape)
    if (data.length !== size || dataTypeOf(data) !== dataTypeOf(input.data)) {
      const [found, wanted] = [`${data.length} ${dataTypeOf(data)} values`, `${size} of ${dataTypeOf(input.data)}`]
      throw new EngineError("engine.bad-feed", `The input ${name} got ${found} and needs ${wanted}.`)
    }
    if (data.buffer !== input.data.buffer || data.byteOffset !== input.data.byteOffset) input.data.set(data)
  }
}

/** Memory of a forward session's inputs and outputs: the caller's, shared in place, or new. @throws EngineError `engine.bad-memory` */
export function layOutMemory(
  definition: Pick<ForwardDefinition, "inputs" | "memory" | "inPlace">,
  outputs: Readonly<Record<string, TensorSpec>>,
): { readonly inputs: NamedValues; readonly outputs: NamedValues } {
  const { memory = {}, inPlace = {} } = definition
  for (const name of Object.keys(memory)) {
    if (!(name in definition.inputs) && !(name in outputs)) {
      throw new EngineError("engine.bad-memory", `Memory is given for ${name}, which is no input and no output.`)
    }
  }
  const place = (name: string, spec: TensorSpec): TensorValue => {
    const given = memory[name]
    if (!given) return { shape: spec.shape, data: allocate(spec.dtype, sizeOf(spec.shape)) }
    if (dataTypeOf(given) === spec.dtype && given.length >= sizeOf(spec.shape)) return { shape: spec.shape, data: given }
    throw new EngineError("engine.bad-memory", `The memory given for ${name} does not hold ${describeSpec(spec)}.`)
  }
  const inputs = Object.fromEntries(Object.entries(definition.inputs).map(([name, spec]) => [name, place(name, spec)]))
  const placed = Object.fromEntries(
    Object.entries(outputs).map(([name, spec]) => {
      const source = inPlace[name]
      if (source === undefined) return [name, place(name, spec)]
      const input = definition.inputs[source]
      if (input && input.dtype === spec.dtype && sameShape(input.shape, spec.shape)) return [name, inputs[source]]
      throw new EngineError(
        "engine.bad-memory",
        `The output ${name} cannot be written in place of ${source}: ${describeSpec(spec)} is not its shape and type.`,
      )
    }),
  )
  for (const name of Object.keys(inPlace)) {
    if (!(name in outputs)) throw new EngineError("engine.bad-memory", `There is no output ${name} to write in place.`)
  }
  return { inputs, outputs: placed }
}
