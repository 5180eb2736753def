// What is here and what is not, in one sentence each.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as tf from "@tensorflow/tfjs-core"
import { afterAll, afterEach, expect, test, vi } from "vitest"
import { describeEngines, selectEngine } from "../../src/engine"
import { openRuntime } from "../../src/engine/onnx/runtime-api"
import { findRuntimeLibrary } from "../../src/engine/onnx/runtime-library"
import { openNodeRuntime } from "../../src/engine/onnx-node/node-runtime"
import { makeNodeEngine, makeWebGpuEngine } from "../../src/engine/onnx-node/onnx-node-engine"
import { describeCuda, readCudaBuild } from "../../src/engine/tensorflow/cuda-build"
import { openTensorFlow } from "../../src/engine/tensorflow/tensorflow-api"
import { findTensorFlow } from "../../src/engine/tensorflow/tensorflow-library"
import { isInstalled } from "./tensorflow"

const folder = realpathSync(mkdtempSync(join(tmpdir(), "engine-")))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

test("auto takes onnx where there is no accelerator", async () => {
  // Whatever this machine has: a plug-in that is named counts alone.
  vi.stubEnv("PJRT_PLUGIN", join(folder, "nothing"))
  const { name, reason: whyOnnx } = await selectEngine("auto")
  expect([name, whyOnnx]).toEqual(["onnx", expect.stringContaining("where no PJRT plug-in is: ")])
  const found = await describeEngines()
  expect(found.map(({ name, isAvailable, isChosen }) => [name, isAvailable, isChosen])).toEqual([
    ["onnx", true, true],
    ["tensorflow", isInstalled, false],
    ["xla", false, false],
    ["eager", true, false],
  ])
  expect(found[0].runtime).toMatch(/^onnxruntime \d+\.\d+\.\d+$/)
  for (const { isAvailable, howToGet, reason } of found) {
    expect(reason).toMatch(/\.$/)
    expect(howToGet === undefined).toBe(isAvailable)
  }
})

test("says which engines there are", async () => {
  vi.stubEnv("PJRT_PLUGIN", join(folder, "nothing"))
  await expect(selectEngine("xla")).rejects.toMatchObject({ code: "engine.xla-missing" })
  await expect(selectEngine("torch" as never)).rejects.toThrow("There is no engine torch: choose auto, onnx, tensorflow, xla, eager.")
})

test("PROMPT2MODEL_ONNX says how ONNX Runtime is reached", async () => {
  vi.stubEnv("PROMPT2MODEL_ONNX", "node")
  expect((await selectEngine("auto")).runtime).toMatch(/^onnxruntime-node \d+\.\d+\.\d+ \(copies\)$/)
  vi.stubEnv("PROMPT2MODEL_ONNX", "stone")
  await expect(selectEngine("onnx")).rejects.toThrow("PROMPT2MODEL_ONNX is stone, which nobody knows: choose native, node or webgpu.")
  const { reason, name } = await selectEngine("auto")
  expect([name, reason]).toEqual(["eager", expect.stringContaining("PROMPT2MODEL_ONNX is stone")])
})

test("WebGPU is a variant of onnx: there, or one sentence says what is missing", async () => {
  const [onnx] = await describeEngines()
  const [{ setting, isAvailable, reason, howToGet }] = onnx.variants!
  expect(setting).toBe("PROMPT2MODEL_ONNX=webgpu")
  expect(isAvailable ? howToGet : reason).toMatch(isAvailable ? /^undefined$/ : /^WebGPU finds no GPU here \(.+\)\.$/)
})

test("another failure than a missing adapter is told in its first line", async () => {
  const api = {
    ...openNodeRuntime(),
    createSession: () => ({}),
    releaseSession: () => {},
    run: () => Promise.reject(new Error("broken\nat 1")),
  }
  await expect(makeWebGpuEngine(api)).rejects.toMatchObject({ code: "engine.no-gpu", message: expect.stringContaining("(broken)") })
  expect(makeNodeEngine("Because.", { ...api, version: "9.9.9" })).toMatchObject({
    runtime: "onnxruntime-node 9.9.9 (copies)",
    reason: "Because.",
  })
})

test("engines that multiply in fp32 alone refuse bf16", async () => {
  const definition = { parameters: {}, inputs: {}, loss: () => tf.scalar(1), forward: () => ({}), precision: "bf16" } as const
  for (const name of ["onnx", "eager"] as const) {
    const engine = await selectEngine(name)
    const sentence = `The engine ${name} multiplies in fp32 alone: take the engine xla or tensorflow, or leave precision out.`
    expect(() => engine.createTrainingSession(definition)).toThrow(sentence)
    expect(() => engine.compileForward(definition)).toThrow(sentence)
  }
})

test.each([
  ["node_modules/@tensorflow/tfjs-node/deps/lib", ["libtensorflow.so.2", "libtensorflow_framework.so.2"]],
  [".cache/tensorflow/node_modules/@tensorflow/tfjs-node-gpu/deps/lib", ["libtensorflow.so", "libtensorflow_framework.so"]],
  ["node_modules/@tensorflow/tfjs-node/deps/lib", ["libtensorflow.2.dylib", "libtensorflow_framework.2.dylib"]],
  ["node_modules/@tensorflow/tfjs-node/deps/lib", ["tensorflow.dll"]],
])("finds TensorFlow in %s: %j", (place, files) => {
  const root = mkdtempSync(join(folder, "tensorflow-"))
  mkdirSync(join(root, place), { recursive: true })
  mkdirSync(join(root, "work/here"), { recursive: true })
  for (const file of [...files, "libtensorflow_other.txt"]) writeFileSync(join(root, place, file), "")
  const [core, framework = core] = files.map((file) => join(root, place, file))
  expect(findTensorFlow({}, [join(root, "work/here")])).toEqual({ core, framework })
})

test("takes TensorFlow from the folder that is named, a Python package too, and says when there is none", () => {
  const named = mkdtempSync(join(folder, "tensorflow-"))
  expect(() => findTensorFlow({ PROMPT2MODEL_TENSORFLOW: named }, [])).toThrow(
    /^PROMPT2MODEL_TENSORFLOW is .*, where no TensorFlow library is: /,
  )
  mkdirSync(join(named, "tensorflow"))
  for (const file of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]) writeFileSync(join(named, "tensorflow", file), "not one")
  const libraries = findTensorFlow({ PROMPT2MODEL_TENSORFLOW: named }, [])
  expect(libraries.core).toBe(join(named, "tensorflow/libtensorflow_cc.so.2"))
  expect(() => openTensorFlow({ libraries })).toThrow(
    /^TensorFlow could not be loaded from .*: run `npm run setup:tensorflow -- --again`\.$/,
  )
  expect(() => findTensorFlow({}, [folder])).toThrow(/^TensorFlow is not installed: run `npm install @tensorflow\/tfjs-node`, or /)
})

test("follows links to where TensorFlow's libraries lie", () => {
  const root = mkdtempSync(join(folder, "tensorflow-"))
  for (const place of ["python", "package/deps/lib"]) mkdirSync(join(root, place), { recursive: true })
  writeFileSync(join(root, "python/libtensorflow_cc.so.2"), "")
  symlinkSync(join(root, "python/libtensorflow_cc.so.2"), join(root, "package/deps/lib/libtensorflow.so"))
  const { core } = findTensorFlow({ PROMPT2MODEL_TENSORFLOW: join(root, "package") }, [])
  expect(core).toBe(join(root, "python/libtensorflow_cc.so.2"))
})

test("says which CUDA a TensorFlow needs", () => {
  const root = mkdtempSync(join(folder, "tensorflow-gpu-"))
  const place = join(root, "node_modules/@tensorflow/tfjs-node-gpu/deps/lib")
  mkdirSync(join(place, "python/platform"), { recursive: true })
  const core = join(place, "libtensorflow_cc.so.2")
  writeFileSync(core, "")
  const libraries = { core, framework: core }
  expect(readCudaBuild(libraries, "2.9.1")).toMatchObject({ cuda: "11.2", cudnn: "8.1" })
  expect(readCudaBuild(libraries, "2.15.0")).toBeUndefined()

  const write = (text: string) => writeFileSync(join(place, "python/platform/build_info.py"), text)
  write("build_info = OrderedDict([('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True)])\n")
  const build = readCudaBuild(libraries, "2.21.0")
  const sentences = [true, false].map((isFound) => describeCuda(build, () => isFound))
  expect(sentences).toEqual([
    "It computes on the GPU, with CUDA 12.5.1 and cuDNN 9.",
    "It computes on the CPU: built for CUDA 12.5.1 and cuDNN 9, it finds no GPU with them.",
  ])
  write("build_info = OrderedDict([('is_cuda_build', False)])\n")
  expect(readCudaBuild(libraries, "2.21.0")).toBeUndefined()
})

test.each([
  ["linux", "x64", "libonnxruntime.so.1"],
  ["darwin", "arm64", "libonnxruntime.1.30.0.dylib"],
  ["win32", "x64", "onnxruntime.dll"],
] as [NodeJS.Platform, NodeJS.Architecture, string][])("finds the library of %s %s", (platform, architecture, file) => {
  const place = join(folder, platform, "bin", "napi-v6", platform, architecture)
  mkdirSync(place, { recursive: true })
  for (const name of ["onnxruntime_binding.node", "DirectML.dll", file]) writeFileSync(join(place, name), "")
  expect(findRuntimeLibrary(platform, architecture, join(folder, platform))).toBe(join(place, file))
})

test("says when there is no library for a machine", () => {
  expect(() => findRuntimeLibrary("aix", "ppc64", folder)).toThrow(
    "onnxruntime-node has no library for aix on ppc64: use another machine, or the eager engine.",
  )
})

test("a broken library and a missing koffi are one sentence each", () => {
  const file = join(folder, "libonnxruntime.so.1")
  writeFileSync(file, "not a library")
  const sentence = (open: () => unknown): string => {
    try {
      open()
    } catch (error) {
      return (error as Error).message
    }
    return "no error"
  }
  const broken = sentence(() => openRuntime({ file }))
  expect(broken).toMatch(/^ONNX Runtime could not be loaded from .*: reinstall onnxruntime-node and koffi\.$/)
  expect(broken).not.toContain("\n")
  const loadKoffi = () => {
    throw new Error("Cannot find the native Koffi module\nRequire stack: ...")
  }
  expect(sentence(() => openRuntime({ loadKoffi }))).toMatch(
    /^ONNX Runtime could not be loaded from .* \(Cannot find the native Koffi module\): reinstall/,
  )
})

test("a library that is something else is refused", () => {
  expect(() => openRuntime({ file: process.execPath })).toThrow(/^ONNX Runtime could not be loaded from/)
})
