// Which engines this machine has, and the best of them. A missing or broken one is a sentence, never a stack trace.

import { findBackend } from "@tensorflow/tfjs-core"
import { EngineError, messageOf } from "../core/errors"
import type { EngineName } from "../core/run"
import { makeEagerEngine } from "./eager/eager-engine"
import { makeOnnxEngine } from "./onnx/onnx-engine"
import { openRuntime, type RuntimeApi } from "./onnx/runtime-api"
import { makeNodeEngine, makeWebGpuEngine } from "./onnx-node/onnx-node-engine"
import { openAccelerator } from "./open-accelerator"
import type { Engine } from "./session"
import { describeCuda, readCudaBuild } from "./tensorflow/cuda-build"
import { openTensorFlow, type TensorFlowApi } from "./tensorflow/tensorflow-api"
import { findsGpu, makeTensorFlowEngine } from "./tensorflow/tensorflow-engine"
import { findTensorFlow, type TensorFlowLibraries } from "./tensorflow/tensorflow-library"
import { choosePlugin, type PluginTrial, thisMachine, tryPlugins } from "./xla/choose-plugin"
import { findPlugins, pluginVariable } from "./xla/find-plugins"
import { makeXlaEngine } from "./xla/xla-engine"

/** One engine, as `prompt2model engines` shows it. */
export interface EngineDescription {
  readonly name: Exclude<EngineName, "auto">
  readonly isAvailable: boolean
  /** The one that `auto` takes. */
  readonly isChosen: boolean
  /** What runs below, with its version, where it is available. */
  readonly runtime?: string
  /** A sentence: what it is good for, why it was chosen or why it is missing. */
  readonly reason: string
  /** How to get it, where it is missing and can be had. */
  readonly howToGet?: string
  /** Other ways to run it, which an environment variable asks for. */
  readonly variants?: readonly EngineVariant[]
}

/** Another way to run an engine. */
export interface EngineVariant {
  /** How to ask for it: `PROMPT2MODEL_ONNX=webgpu`. */
  readonly setting: string
  readonly isAvailable: boolean
  readonly reason: string
  readonly howToGet?: string
}

type Opener = () => Promise<Engine>

/** Best first. */
const openers: Readonly<Record<Exclude<EngineName, "auto">, Opener>> = {
  onnx: openOnnxEngine,
  tensorflow: openTensorFlowEngine,
  xla: openXlaEngine,
  eager: openEagerEngine,
}

/** What the engines that are missing would be good for. */
const strengths: Readonly<Partial<Record<keyof typeof openers, string>>> = {
  tensorflow: "For bf16 on CPUs and CUDA GPUs.",
  xla: "For current GPUs and TPUs.",
}

/** Says how ONNX Runtime is reached: `native` (koffi), `node` (its own binding, with copies) or `webgpu` (a GPU, through that binding). */
const onnxVariable = "PROMPT2MODEL_ONNX"

/**
 * The engine of that name; `auto` takes the best that works here, a GPU or TPU before the CPU, and its `reason` says why.
 * @throws EngineError `engine.not-available`, `engine.onnx-missing`, `engine.onnx-broken`, `engine.no-gpu`, `engine.tensorflow-missing`,
 *   `engine.tensorflow-broken`, `engine.xla-missing`, `engine.xla-broken`, `engine.xla-too-old`, `engine.xla-no-device`, `engine.out-of-memory`
 */
export async function selectEngine(name: EngineName): Promise<Engine> {
  if (name !== "auto") {
    if (name in openers) return openers[name]()
    throw new EngineError("engine.not-available", `There is no engine ${name}: choose auto, ${Object.keys(openers).join(", ")}.`)
  }
  return selectBest()
}

async function selectBest(): Promise<Engine> {
  const { engine: accelerated, problem } = await openAccelerator({ openTensorFlow: openTensorFlowOnGpu })
  if (accelerated) return accelerated
  try {
    const engine = await openers.onnx()
    return problem ? { ...engine, reason: `${engine.reason} ${problem}` } : engine
  } catch (error) {
    const eager = await openers.eager()
    return { ...eager, reason: `onnx, which is much faster, does not work here. ${messageOf(error)}` }
  }
}

/** All engines, best first: what is here, which one `auto` takes and why, how to get the others. */
export async function describeEngines(): Promise<EngineDescription[]> {
  const best = (await selectBest()).name
  const names = Object.keys(openers) as (keyof typeof openers)[]
  const descriptions: EngineDescription[] = []
  for (const name of [best, ...names.filter((other) => other !== best)]) {
    const isChosen = name === best
    const variants = name === "onnx" ? [await describeWebGpu()] : name === "xla" ? await describePlugins() : undefined
    try {
      const { runtime, reason } = await (isChosen ? selectBest() : openers[name]())
      const why = isChosen ? `${reason} The best that works here.` : reason
      descriptions.push({ name, isAvailable: true, isChosen, runtime, reason: why, variants })
    } catch (error) {
      const [problem, remedy] = splitRemedy(messageOf(error))
      const why = [strengths[name], problem].filter(Boolean).join(" ")
      descriptions.push({ name, isAvailable: false, isChosen: false, reason: why, howToGet: remedy, variants })
    }
  }
  return descriptions
}

let openedApi: RuntimeApi | undefined

/** ONNX Runtime as this process has it, opened once. @throws EngineError `engine.onnx-missing`, `engine.onnx-broken` */
export function openOnnxApi(): RuntimeApi {
  openedApi ??= openRuntime()
  return openedApi
}

async function openOnnxEngine(): Promise<Engine> {
  const way = process.env[onnxVariable] || "native"
  if (way === "webgpu") return makeWebGpuEngine()
  if (way === "node") return makeNodeEngine(`One graph for each step on the CPU, through onnxruntime-node as ${onnxVariable} asks.`)
  if (way !== "native") {
    throw new EngineError("engine.not-available", `${onnxVariable} is ${way}, which nobody knows: choose native, node or webgpu.`)
  }
  try {
    return makeOnnxEngine(openOnnxApi())
  } catch (error) {
    try {
      return makeNodeEngine(`One graph for each step on the CPU. Slower than it could be: ${messageOf(error)}`)
    } catch {
      throw error
    }
  }
}

async function describeWebGpu(): Promise<EngineVariant> {
  const setting = `${onnxVariable}=webgpu`
  try {
    const { reason } = await makeWebGpuEngine()
    return { setting, isAvailable: true, reason }
  } catch (error) {
    const [reason, howToGet] = splitRemedy(messageOf(error))
    return { setting, isAvailable: false, reason, howToGet }
  }
}

let openedTensorFlow: { readonly api: TensorFlowApi; readonly libraries: TensorFlowLibraries } | undefined

function openTensorFlowOnce() {
  if (openedTensorFlow) return openedTensorFlow
  const libraries = findTensorFlow()
  openedTensorFlow = { libraries, api: openTensorFlow({ libraries }) }
  return openedTensorFlow
}

/** Networks run forward on ONNX Runtime where it is here, which answers faster on a CPU and reads weights where they lie. */
async function openTensorFlowEngine(): Promise<Engine> {
  const { api, libraries } = openTensorFlowOnce()
  const forwardEngine = await openers.onnx().catch(() => undefined)
  const engine = makeTensorFlowEngine(api, { forwardEngine })
  const onWhat = describeCuda(readCudaBuild(libraries, api.version), () => thisMachine.sees("cuda") && findsGpu(api))
  return { ...engine, reason: `${engine.reason} ${onWhat}` }
}

/** Only where its TensorFlow sees a GPU. */
async function openTensorFlowOnGpu(): Promise<Engine | undefined> {
  try {
    const { api } = openTensorFlowOnce()
    return findsGpu(api) ? openTensorFlowEngine() : undefined
  } catch {
    return undefined
  }
}

/** On the CPU where there is nothing better, which is then what its reason says. */
async function openXlaEngine(): Promise<Engine> {
  const trials = tryPlugins(await findPlugins())
  const engine = makeXlaEngine(choosePlugin(trials))
  const problems = trials.flatMap(({ problem }) => problem?.message ?? [])
  return problems.length === 0 ? engine : { ...engine, reason: [engine.reason, ...problems].join(" ") }
}

/** What each plug-in offers that was found. */
async function describePlugins(): Promise<EngineVariant[]> {
  try {
    const plugins = await findPlugins()
    const trials = tryPlugins(plugins)
    return plugins.map((description, index) => describeTrial(trials[index] ?? { description }))
  } catch {
    return []
  }
}

function describeTrial({ description, plugin, problem }: PluginTrial): EngineVariant {
  const { path, packageName = "of no package", packageVersion = "" } = description
  const setting = `${pluginVariable}=${path}`
  if (problem) {
    const [reason, howToGet] = splitRemedy(problem.message)
    return { setting, isAvailable: false, reason, howToGet }
  }
  const name = [packageName, packageVersion].filter(Boolean).join(" ")
  if (!plugin) return { setting, isAvailable: true, reason: `${name}, which is taken where it is named: a better one works.` }
  const { devices, apiVersion } = plugin
  const count = `${devices.length} ${devices.length === 1 ? "device" : "devices"}`
  return { setting, isAvailable: true, reason: `${name}, PJRT ${apiVersion}: ${count} (${devices[0].kind}).` }
}

async function openEagerEngine(): Promise<Engine> {
  await import("@tensorflow/tfjs-backend-cpu")
  // Its first tensor would print a banner on standard error that recommends another package.
  Object.assign(findBackend("cpu"), { firstUse: false })
  return makeEagerEngine("cpu")
}

/** Our sentences name the remedy behind the last colon. */
function splitRemedy(sentence: string): [problem: string, remedy: string | undefined] {
  const colon = sentence.lastIndexOf(": ")
  return colon < 0 ? [sentence, undefined] : [`${sentence.slice(0, colon)}.`, sentence.slice(colon + 2)]
}
