// The engine `onnx` where ONNX Runtime is reached through onnxruntime-node's own binding.
import { EngineError, messageOf } from "../../core/errors"
import { GraphBuilder } from "../onnx/graph-builder"
import { elementTypes } from "../onnx/model-format"
import { makeOnnxEngine } from "../onnx/onnx-engine"
import type { RuntimeApi } from "../onnx/runtime-api"
import type { Engine } from "../session"
import { silenceStandardError } from "../standard-error"
import { openNodeRuntime } from "./node-runtime"

/** On the CPU. @param why a sentence: why it was taken */
export function makeNodeEngine(why: string, api: RuntimeApi = openNodeRuntime()): Engine {
  return withoutPrepacking(api, `onnxruntime-node ${api.version} (copies)`, why)
}

/**
 * On a GPU through WebGPU, which this package brings along; operations that it lacks run on the CPU.
 * @throws EngineError `engine.no-gpu` where there is no GPU that it can use
 */
export async function makeWebGpuEngine(api: RuntimeApi = openNodeRuntime("webgpu")): Promise<Engine> {
  await checkGpu(api)
  return withoutPrepacking(api, `onnxruntime-node ${api.version} (WebGPU, copies)`, "One graph for each step, on the GPU through WebGPU.")
}

function withoutPrepacking(api: RuntimeApi, runtime: string, reason: string): Engine {
  const engine = makeOnnxEngine(api)
  return {
    ...engine,
    runtime,
    reason,
    compileFlexible: (definition) => engine.compileFlexible!({ ...definition, isPrepacked: false }),
  }
}

/** Runs one small graph, since the package tells nothing of GPUs before. */
async function checkGpu(api: RuntimeApi): Promise<void> {
  const graph = new GraphBuilder()
  const spec = { shape: [1], dtype: "float32" } as const
  graph.output("y", graph.node("Neg", [graph.input("x", spec)]), spec)
  const tensor = () => api.createTensor(new Float32Array(1), 4, [1], elementTypes.float32)
  const binding = api.createBinding({})
  api.bindInput(binding, "x", tensor())
  api.bindOutput(binding, "y", tensor())
  const restore = silenceStandardError()
  const session = api.createSession(graph.encode("check", 18), api.createSessionOptions())
  try {
    await api.run(session, api.createRunOptions(), binding)
  } catch (cause) {
    throw new EngineError(
      "engine.no-gpu",
      `WebGPU finds no GPU here (${reasonOf(cause)}): install a driver that speaks Vulkan, Metal or Direct3D 12.`,
      { cause },
    )
  } finally {
    restore()
    api.releaseSession(session)
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof EngineError ? messageOf(error.cause ?? error) : messageOf(error)
  return /No supported adapters/i.test(cause) ? "no supported adapter" : cause.split("\n")[0].slice(0, 120)
}
