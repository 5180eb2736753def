// Runs a network on both engines and compares numbers.
import { expect } from "vitest"
import {
  type Engine,
  type ForwardFunction,
  type LossFunction,
  type NamedParameters,
  type NamedValues,
  selectEngine,
} from "../../src/engine"
import { specsOf } from "../../src/engine/feeds"

export const engines: { onnx: Engine; eager: Engine } = { onnx: await selectEngine("onnx"), eager: await selectEngine("eager") }

/** The outputs of `forward` on one engine, copied. */
export async function runForward(
  engine: Engine,
  forward: ForwardFunction,
  inputs: NamedValues,
  parameters: NamedParameters = {},
): Promise<NamedValues> {
  const session = engine.compileForward({ forward, inputs: specsOf(inputs), parameters, threads: 1 })
  try {
    const outputs = await session.run(Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data])))
    return Object.fromEntries(Object.entries(outputs).map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]))
  } finally {
    session.dispose()
  }
}

/** Loss and gradients of one batch on one engine. */
export async function differentiate(engine: Engine, loss: LossFunction, batch: NamedValues, parameters: NamedParameters) {
  const session = engine.createTrainingSession({ loss, parameters, threads: 1 })
  try {
    return await session.computeGradients(batch)
  } finally {
    session.dispose()
  }
}

/** Whether numbers agree to `tolerance`, relative to the largest of them; sums of numbers near 1 that cancel have errors of their own. */
export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, label: string, tolerance = 2e-5): void {
  expect(found.length, `${label}: length`).toBe(expected.length)
  const scale = Array.from(expected, Math.abs).reduce((largest, size) => (Number.isFinite(size) ? Math.max(largest, size) : largest), 0.3)
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i]) || Math.abs(found[i] - expected[i]) <= tolerance * scale) continue
    expect.fail(`${label}: element ${i} is ${found[i]}, expected ${expected[i]}`)
  }
}
