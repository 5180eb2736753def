// Losses and gradients on ONNX Runtime: one graph for each set of input shapes, all on the same parameter memory. Gradients are written
// where the optimizer reads them.
import { allocateValues, fillInputs, keyOfSpecs, specsOf } from "../feeds"
import type { Optimizer } from "../optimizers/optimizer"
import { idsOutput, rowsOutput } from "../passes/gradients-as-rows"
import { unwrapOutputs } from "../passes/unwrap-outputs"
import { allocate, type Recording, sizeOf } from "../recording"
import type { NamedValues, TensorData, TensorValue, TrainingDefinition } from "../session"
import { gradientOutput, lossOutput, randomKeyInput, traceLoss } from "../tracer"
import type { GradientSource } from "../training-session"
import { emitOnnx, graphNames } from "./emitter"
import { NativeSession } from "./native-session"
import { optimizeForOnnx } from "./passes"
import type { RuntimeApi } from "./runtime-api"

interface CompiledLoss {
  readonly session: NativeSession
  readonly inputs: NamedValues
  readonly loss: TensorData
  readonly gradients: readonly CompiledGradient[]
}

interface CompiledGradient {
  readonly name: string
  /** Whether the graph writes all of it; otherwise it is zero but for `rows`. */
  readonly isDense: boolean
  readonly rows: readonly { readonly values: Float32Array; readonly ids: Int32Array; readonly width: number }[]
}

export class OnnxGradients implements GradientSource {
  private readonly compiled = new Map<string, CompiledLoss>()

  constructor(
    private readonly api: RuntimeApi,
    private readonly definition: TrainingDefinition,
    private readonly optimizer: Optimizer,
  ) {}

  async computeGradients(batch: NamedValues, key: Int32Array, signal?: AbortSignal) {
    const graph = this.prepare(batch, true)
    if (graph.inputs[randomKeyInput]) fillInputs(graph.inputs, { [randomKeyInput]: key })
    await graph.session.run(signal)
    for (const gradient of graph.gradients) addRows(this.optimizer.gradient(gradient.name), gradient)
    return { loss: graph.loss[0], reached: graph.gradients.map(({ name }) => name) }
  }

  async computeLoss(batch: NamedValues, signal?: AbortSignal): Promise<number> {
    const graph = this.prepare(batch, false)
    await graph.session.run(signal)
    return graph.loss[0]
  }

  dispose(): void {
    for (const { session } of this.compiled.values()) session.dispose()
    this.compiled.clear()
  }

  /** The graph for the batch's shapes, with the batch in its inputs. */
  private prepare(batch: NamedValues, isTraining: boolean): CompiledLoss {
    const specs = specsOf(batch)
    const key = `${isTraining ? "train" : "evaluate"} ${keyOfSpecs(specs)}`
    let graph = this.compiled.get(key)
    if (!graph) {
      const { name = "network", loss } = this.definition
      const differentiate = isTraining ? this.optimizer.trainedNames : undefined
      const traced = traceLoss({ name, inputs: specs, parameters: this.definition.parameters, loss, differentiate })
      graph = this.compile(unwrapOutputs(optimizeForOnnx(traced)))
      this.compiled.set(key, graph)
    }
    for (const [name, { data }] of Object.entries(batch)) if (name in graph.inputs) fillInputs(graph.inputs, { [name]: data })
    return graph
  }

  private compile(recording: Recording): CompiledLoss {
    const inputs = allocateValues(recording.inputs)
    const gradients = this.optimizer.trainedNames.flatMap((name) => layOutGradient(recording, name, this.definition.parameters[name]))
    const loss = allocate("float32", 1)
    const bound = {
      inputs: {
        ...renameKeys(inputs, graphNames.input),
        ...renameKeys(
          mapRecord(recording.parameters, ({ shape }, name) => ({ shape, data: this.optimizer.values(name) })),
          graphNames.parameter,
        ),
      },
      outputs: renameKeys(
        { [lossOutput]: { shape: recording.outputs[lossOutput].shape, data: loss }, ...this.bindGradients(recording, gradients) },
        graphNames.output,
      ),
      threads: this.definition.threads,
    }
    return { session: new NativeSession(this.api, emitOnnx(recording), bound), inputs, loss, gradients }
  }

  /** The memory of gradients and of their rows; each has the shape that the graph gives it. */
  private bindGradients({ outputs }: Recording, gradients: readonly CompiledGradient[]): Record<string, TensorValue> {
    const bound: Record<string, TensorValue> = {}
    const bind = (output: string, data: TensorData) => {
      bound[output] = { shape: outputs[output].shape, data }
    }
    for (const { name, isDense, rows } of gradients) {
      if (isDense) bind(gradientOutput(name), this.optimizer.gradient(name))
      for (const [index, { values, ids }] of rows.entries()) {
        bind(rowsOutput(name, index), values)
        bind(idsOutput(name, index), ids)
      }
    }
    return bound
  }
}

/** Nothing where the loss does not reach the parameter. */
function layOutGradient({ outputs }: Recording, name: string, { shape }: { readonly shape: readonly number[] }): CompiledGradient[] {
  const rows: CompiledGradient["rows"][number][] = []
  for (let value = outputs[rowsOutput(name, 0)]; value; value = outputs[rowsOutput(name, rows.length)]) {
    const ids = new Int32Array(sizeOf(outputs[idsOutput(name, rows.length)].shape))
    rows.push({ values: new Float32Array(sizeOf(value.shape)), ids, width: shape[1] })
  }
  const isDense = gradientOutput(name) in outputs
  return isDense || rows.length > 0 ? [{ name, isDense, rows }] : []
}

function addRows(gradient: Float32Array, { isDense, rows }: CompiledGradient): void {
  if (!isDense) gradient.fill(0)
  for (const { values, ids, width } of rows) {
    for (let row = 0; row < ids.length; row++) {
      const to = ids[row] * width
      const from = row * width
      for (let column = 0; column < width; column++) gradient[to + column] += values[from + column]
    }
  }
}

function renameKeys<Item>(record: Readonly<Record<string, Item>>, rename: (name: string) => string): Record<string, Item> {
  return Object.fromEntries(Object.entries(record).map(([name, item]) => [rename(name), item]))
}

function mapRecord<Old, New>(record: Readonly<Record<string, Old>>, change: (item: Old, name: string) => New): Record<string, New> {
  return Object.fromEntries(Object.entries(record).map(([name, item]) => [name, change(item, name)]))
}
