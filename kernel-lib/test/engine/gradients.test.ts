// Gradients of tfjs kernels and layers against differences of values: a check that no engine's graph takes part in.
import * as tf from "@tensorflow/tfjs-core"
import "@tensorflow/tfjs-backend-cpu"
import "../../src/engine/gradients"
import fc from "fast-check"
import { expect, test } from "vitest"
import { dataTypeOf } from "../../src/engine/recording"
import type { NamedValues } from "../../src/engine/session"
import { draws, operationCases, splitInputs } from "./operation-cases"

const step = 1e-2

const smooth = operationCases.filter(({ isSmooth }) => isSmooth)

test.each(smooth.map((operation) => [operation.name, operation] as const))("%s", (_name, operation) =>
  fc.assert(
    fc.property(draws, (draw) => {
      const { floats, others } = splitInputs(operation.makeInputs(draw))
      const direction = Object.fromEntries(
        Object.entries(floats).map(([name, { shape, data }]) => [name, { shape, data: data.map(() => draw.random.normal()) }]),
      )
      const valueAt = (distance: number) =>
        tf.tidy(
          () => lossOf(operation.compute({ ...makeTensors(others), ...makeTensors(move(floats, direction, distance)) })).dataSync()[0],
        )
      const derivative = tf.tidy(() => {
        const variables = makeTensors(floats)
        const loss = () => lossOf(operation.compute({ ...makeTensors(others), ...variables })) as tf.Scalar
        const { grads } = tf.engine().gradients(loss, Object.values(variables))
        const parts = grads.map((gradient, index) => tf.sum(tf.mul(gradient, makeTensors(direction)[Object.keys(floats)[index]])))
        return tf.addN(parts).dataSync()[0]
      })
      const difference = (valueAt(step) - valueAt(-step)) / (2 * step)
      // Third derivatives and float32 leave about this much.
      expect(Math.abs(derivative - difference)).toBeLessThan(0.03 * Math.max(0.3, Math.abs(derivative)))
    }),
    { numRuns: 4 },
  ),
)

function move(values: NamedValues, direction: NamedValues, distance: number): NamedValues {
  const moved = (name: string, data: Float32Array) => data.map((x, index) => x + distance * direction[name].data[index])
  return Object.fromEntries(
    Object.entries(values).map(([name, { shape, data }]) => [name, { shape, data: moved(name, data as Float32Array) }]),
  )
}

function makeTensors(values: NamedValues): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape], dataTypeOf(data))]))
}

/** A mean in which every element counts differently. */
function lossOf(y: tf.Tensor): tf.Tensor {
  const flat = tf.reshape(y, [-1])
  return tf.mean(tf.mul(flat, tf.cos(tf.range(0, flat.size))))
}
