// Which plug-in is taken on machines that we do not have, what is said of the others, and when auto takes an accelerator.
import { expect, test } from "vitest"
import { EngineError } from "../../src/core/errors"
import type { Engine } from "../../src/engine"
import { type AcceleratorSearch, openAccelerator } from "../../src/engine/open-accelerator"
import { choosePlugin, type Machine, tryPlugins } from "../../src/engine/xla/choose-plugin"
import type { PluginDescription } from "../../src/engine/xla/find-plugins"
import type { Plugin } from "../../src/engine/xla/open-plugin"

const describePlugin = (platform: PluginDescription["platform"], path = `/${platform}.so`): PluginDescription => {
  return { platform, path, packageName: `package-${platform}`, libraryFolders: [], libraries: [] }
}

const outOfMemory = () => {
  throw new EngineError("engine.out-of-memory", "The GPU's memory is full: end what else uses it.")
}

/** With these devices, where every plug-in opens that is not `broken`. */
function makeMachine(devices: readonly string[], { broken = [], ...others }: { broken?: string[] } & Partial<Machine> = {}): Machine {
  return {
    environment: {},
    system: "linux",
    sees: (platform) => platform === "cpu" || platform === "other" || devices.includes(platform),
    driverVersion: () => 580,
    open: ({ path, platform }) => {
      if (broken.includes(path)) outOfMemory()
      return { path, platform, devices: [{ kind: `The ${platform}` }], apiVersion: "0.90" } as unknown as Plugin
    },
    ...others,
  }
}

const both = [describePlugin("cuda"), describePlugin("cpu")]

test("takes the first whose device is in sight and that opens, and opens none behind it", () => {
  const tried = (machine: Machine) => tryPlugins(both, machine).map(({ plugin, problem }) => plugin?.platform ?? problem?.code)
  expect(tried(makeMachine(["cuda"]))).toEqual(["cuda"])
  expect(tried(makeMachine([]))).toEqual(["engine.xla-no-device", "cpu"])
  expect(tried(makeMachine(["cuda"], { broken: ["/cuda.so"] }))).toEqual(["engine.out-of-memory", "cpu"])
})

test("does not open a plug-in whose device is not in sight", () => {
  const open = () => {
    throw new Error("opened")
  }
  const machine = makeMachine([], { open })
  expect(() => choosePlugin(tryPlugins([describePlugin("tpu")], machine), machine)).toThrow(
    "No TPU is in sight, which package-tpu needs: look at the machine's driver, or use the engine onnx on the CPU.",
  )
})

test("what the best plug-in says is told where none works", () => {
  const machine = makeMachine(["cuda"], { broken: ["/cuda.so", "/cpu.so"] })
  expect(() => choosePlugin(tryPlugins(both, machine), machine)).toThrow("The GPU's memory is full: end what else uses it.")
})

const remedies: [devices: string[], machine: Partial<Machine>, sentence: string][] = [
  [["cuda"], {}, 'run `python3 -m pip install --target .cache/xla "jax-cuda13-plugin[with-cuda]"`.'],
  [["cuda"], { driverVersion: () => 535 }, 'run `python3 -m pip install --target .cache/xla "jax-cuda12-plugin[with-cuda]"`.'],
  [
    ["cuda"],
    { driverVersion: () => undefined, environment: { VIRTUAL_ENV: "/here" } },
    'python3 -m pip install "jax-cuda12-plugin[with-cuda]"`.',
  ],
  [
    ["tpu"],
    { environment: { CONDA_PREFIX: "/here" } },
    "A TPU is in sight, and no PJRT plug-in for it: run `python3 -m pip install libtpu`.",
  ],
  [["rocm"], {}, "jax-rocm7-pjrt`."],
  [[], {}, "xla-cpu-pjrt`."],
  [["cuda"], { system: "darwin" }, "PyPI has PJRT plug-ins for Linux alone: use the engine onnx, or a Linux machine."],
]
test.each(remedies)("one command installs what %j needs: %j", (devices, others, sentence) => {
  expect(() => choosePlugin([], makeMachine(devices, others))).toThrow(sentence)
})

const tensorflow = { name: "tensorflow", runtime: "tensorflow 9.9.9" } as Engine

/** What auto finds, by the engine's runtime or by its sentence. */
async function search(machine: Machine, plugins: readonly PluginDescription[], options: Partial<AcceleratorSearch> = {}) {
  const found = await openAccelerator({ machine, find: async () => plugins, openTensorFlow: async () => undefined, ...options })
  return found.engine?.runtime ?? found.problem
}

test("auto takes an accelerator that works", async () => {
  expect(await search(makeMachine(["cuda"]), both)).toBe("PJRT 0.90 (cuda)")
  expect(await search(makeMachine(["tpu"]), [describePlugin("cuda"), describePlugin("tpu")])).toBe("PJRT 0.90 (tpu)")
})

test("auto keeps to onnx where there is a plug-in for the CPU alone, and looks for none where no device is in sight", async () => {
  const find = () => Promise.reject(new Error("looked"))
  expect(await search(makeMachine([]), [], { find })).toBeUndefined()
  const named = { environment: { PJRT_PLUGIN: "/cpu.so" } }
  expect(await search(makeMachine([], named), [describePlugin("cpu")])).toBeUndefined()
  expect(await search(makeMachine([], named), [describePlugin("other", "/new.so")])).toBe("PJRT 0.90 (other)")
})

test("auto says what keeps it from an accelerator that is in sight", async () => {
  expect(await search(makeMachine(["cuda"], { broken: ["/cuda.so"] }), both)).toBe("The GPU's memory is full: end what else uses it.")
  expect(await search(makeMachine(["cuda"]), [describePlugin("cpu")])).toMatch(
    /^An NVIDIA GPU is in sight, and no PJRT plug-in for it: run /,
  )
})

test("auto takes TensorFlow on a GPU that XLA cannot use", async () => {
  const openTensorFlow = async () => tensorflow
  expect(await search(makeMachine(["cuda"]), [], { openTensorFlow })).toBe("tensorflow 9.9.9")
  expect(await search(makeMachine(["tpu"]), [], { openTensorFlow })).toMatch(/^A TPU is in sight/)
  expect(await search(makeMachine(["cuda"]), both, { openTensorFlow })).toBe("PJRT 0.90 (cuda)")
})
