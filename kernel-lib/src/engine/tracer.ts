// Traces plain tfjs into a recording: runs a network once on a backend that computes nothing, with tfjs's own gradients where a loss is to
// be trained. tfjs is left as it was found: same backend, same number of tensors.
import * as tf from "@tensorflow/tfjs-core"
import { EngineError, isPrompt2ModelError, messageOf } from "../core/errors"
import "./gradients"
import "./tracing-kernels"
import { RandomStream } from "./random-stream"
import { describeSpec, Recording, type Value } from "./recording"
import { scopeOfError } from "./scope"
import type { ForwardFunction, LossFunction, NamedTensors, TensorSpec } from "./session"
import { isTracing, TracingBackend, tracingBackendName } from "./tracing-backend"

interface TraceDefinition {
  /** For error messages and the recording. */
  readonly name: string
  readonly inputs: Readonly<Record<string, TensorSpec>>
  /** Only shapes are read here, never values. All are float32. */
  readonly parameters: Readonly<Record<string, { readonly shape: readonly number[] }>>
}

/** The input that feeds `randomKey(seed, step)` to a loss that drops. */
export const randomKeyInput = "random/key"
/** The output that carries a loss. */
export const lossOutput = "loss"
/** The output that carries the gradient of a parameter. */
export const gradientOutput = (parameter: string): string => `gradient/${parameter}`

/**
 * Records `forward` for inputs of these shapes.
 * @throws EngineError `engine.traced-read`, `engine.unknown-kernel`, `engine.captured-weight`, `engine.trace-failed` ...
 */
export function traceForward(definition: TraceDefinition & { readonly forward: ForwardFunction }): Recording {
  return trace(definition, (recorder, inputs, parameters) => {
    const results = definition.forward(inputs, parameters)
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, recorder.lookUp(tensor)]))
  })
}

/**
 * Records `loss`, as output `loss`. With `differentiate`, dropout is on and the gradient of each of these parameters is an output
 * (`gradientOutput(name)`); those that the loss does not reach have none.
 * @throws EngineError as `traceForward`, and `engine.loss-not-scalar`
 */
export function traceLoss(
  definition: TraceDefinition & { readonly loss: LossFunction; readonly differentiate?: readonly string[] },
): Recording {
  const { loss, differentiate } = definition
  return trace(definition, (recorder, inputs, parameters) => {
    if (!differentiate) return { [lossOutput]: recorder.lookUp(checkLoss(definition.name, loss(inputs, parameters, undefined))) }
    const [key] = recorder.record("Input", [], { name: randomKeyInput }, { shape: [2], dtype: "int32" })
    const random = new RandomStream(recorder.makeTensor(key) as tf.Tensor1D)
    const forward = (): tf.Tensor => {
      const value = checkLoss(definition.name, loss(inputs, parameters, random))
      recorder.isBackward = true
      return value
    }
    if (differentiate.length === 0) return { [lossOutput]: recorder.lookUp(forward()) }
    const { value, grads } = tf.engine().gradients(
      forward,
      differentiate.map((name) => parameters[name]),
      undefined,
      true,
    )
    const outputs: Record<string, Value> = { [lossOutput]: recorder.lookUp(value) }
    differentiate.forEach((name, index) => {
      if (grads[index]) outputs[gradientOutput(name)] = recorder.lookUp(grads[index])
    })
    return outputs
  })
}

type TraceBody = (recorder: TracingBackend, inputs: NamedTensors, parameters: NamedTensors) => Record<string, Value>

function trace(definition: TraceDefinition, body: TraceBody): Recording {
  const recorder = new TracingBackend()
  return withBackend(recorder, () => {
    const inputs = mapValues(definition.inputs, (spec, name) => recorder.makeTensor(recorder.record("Input", [], { name }, spec)[0]))
    const parameters = mapValues(definition.parameters, ({ shape }, name) =>
      recorder.makeTensor(recorder.record("Parameter", [], { name }, { shape, dtype: "float32" })[0]),
    )
    const named = [checkNames(definition.name, "input", inputs), checkNames(definition.name, "parameter", parameters)] as const
    try {
      return new Recording(definition.name, recorder.nodes, body(recorder, ...named))
    } catch (error) {
      throw explainTraceError(definition.name, error)
    }
  })
}

/** Runs `body` with `recorder` as tfjs's backend, and puts everything back. */
function withBackend<Result>(recorder: TracingBackend, body: () => Result): Result {
  const engine = tf.engine()
  if (isTracing()) {
    throw new EngineError("engine.nested-trace", "A network was traced inside another trace: call it as a plain function there.")
  }
  const { backendName } = engine
  const { random } = Math
  tf.registerBackend(tracingBackendName, () => recorder, 0)
  engine.startScope("trace")
  try {
    void tf.setBackend(tracingBackendName)
    Math.random = refuseRandom
    return body()
  } catch (error) {
    // What a failed forward pass saved for its gradients is in no scope.
    for (const { saved } of engine.state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose()
    throw error
  } finally {
    Math.random = random
    engine.endScope()
    tf.removeBackend(tracingBackendName)
    if (backendName) void tf.setBackend(backendName)
  }
}

/** tfjs draws random numbers in JavaScript: traced, they would be the same in every step. */
function refuseRandom(): never {
  throw new EngineError(
    "engine.traced-random",
    "The network drew random numbers while it was traced, which would then be the same in every step: use the engine's dropout, or feed them as an input.",
  )
}

/** `loss` as a scalar. @throws EngineError `engine.loss-not-scalar` */
export function checkLoss(name: string, loss: tf.Tensor): tf.Tensor {
  if (loss instanceof tf.Tensor && loss.size === 1 && loss.dtype === "float32") return loss.rank === 0 ? loss : tf.reshape(loss, [])
  const found = loss instanceof tf.Tensor ? describeSpec({ shape: loss.shape, dtype: loss.dtype as TensorSpec["dtype"] }) : String(loss)
  throw new EngineError("engine.loss-not-scalar", `The loss of ${name} must be one float32 number, and is ${found}: take its mean.`)
}

function explainTraceError(name: string, error: unknown): EngineError {
  if (isPrompt2ModelError(error)) return error as EngineError
  const scope = scopeOfError(error)
  const where = scope ? `${name}, in ${scope}` : name
  const kernel = /Kernel '(\w+)' not registered/.exec(messageOf(error))?.[1]
  if (kernel) {
    return new EngineError(
      "engine.unknown-kernel",
      `${where} uses ${kernel}, which the engines do not know: compose it of operations that they know.`,
      {
        cause: error,
      },
    )
  }
  return new EngineError("engine.trace-failed", `${where} cannot be traced: ${messageOf(error)}`, { cause: error })
}

/** `tensors`, but asking for a name that is not there is an EngineError `engine.unknown-name`. */
export function checkNames(network: string, kind: "input" | "parameter", tensors: NamedTensors): NamedTensors {
  return new Proxy(tensors, {
    get(target, name) {
      if (typeof name === "symbol" || name in target) return Reflect.get(target, name)
      const known = Object.keys(target)
      const listed = known.length > 12 ? `${known.slice(0, 12).join(", ")} ...` : known.join(", ")
      throw new EngineError(
        "engine.unknown-name",
        `${network} asks for the ${kind} ${name}, and there are ${listed || "none"} only: check the names.`,
      )
    },
  })
}

function mapValues<Old, New>(record: Readonly<Record<string, Old>>, change: (value: Old, name: string) => New): Record<string, New> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]))
}
