// Plug-ins in Python environments that are laid out as pip does it; which one counts first; devices in sight.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { findPlugins } from "../../src/engine/xla/find-plugins"
import { readDriverVersion, seesDevice } from "../../src/engine/xla/visible-devices"

const folder = realpathSync(mkdtempSync(join(tmpdir(), "plugins-")))
afterAll(() => rmSync(folder, { recursive: true }))

const cpu = ["xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so", "xla_plugins/xla_cpu_pjrt/__init__.py", "xla_cpu_pjrt-0.0.1.dist-info/METADATA"]
const cuda = (major: number, version: string) => [
  `jax_plugins/xla_cuda${major}/xla_cuda_plugin.so`,
  `jax_plugins/xla_cuda${major}/__init__.py`,
  `jax_cuda${major}_pjrt-${version}.dist-info/METADATA`,
]

function write(root: string, files: readonly string[], text = ""): string {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return root
}

function newFolder(): string {
  return mkdtempSync(join(folder, "machine-"))
}

/** On a machine whose user has nothing, in an empty folder. */
function find(environment: NodeJS.ProcessEnv, place = newFolder()) {
  return findPlugins({ environment: { HOME: newFolder(), ...environment }, folders: [place] })
}

test("nothing on a machine without Python", async () => {
  expect(await find({})).toEqual([])
  expect(await find({ PATH: "/nowhere:", VIRTUAL_ENV: "/nowhere", PYTHONPATH: "/nowhere" })).toEqual([])
})

test.each([
  ["the active environment", "lib/python3.11/site-packages", (root: string) => ({ VIRTUAL_ENV: root })],
  ["conda", "lib/python3.13/site-packages", (root: string) => ({ CONDA_PREFIX: root })],
  ["the user's packages", ".local/lib/python3.12/site-packages", (root: string) => ({ HOME: root })],
  ["PYTHONPATH", "packages", (root: string) => ({ PYTHONPATH: `/nowhere:${join(root, "packages")}` })],
  ["Debian's Python", "lib/python3/dist-packages", (root: string) => ({ PATH: join(root, "bin") })],
  ["what pip adds to Debian's Python", "local/lib/python3.11/dist-packages", (root: string) => ({ PATH: join(root, "bin") })],
])("finds a plug-in in %s", async (_, place, environment) => {
  const root = newFolder()
  write(root, ["bin/python3"])
  write(join(root, place), cpu)
  expect(await find(environment(root))).toEqual([
    {
      platform: "cpu",
      path: join(root, place, cpu[0]),
      packageName: "xla-cpu-pjrt",
      packageVersion: "0.0.1",
      libraryFolders: [],
      libraries: [],
    },
  ])
})

test("finds what lies in .venv or .cache/xla above the current folder, and behind a command that is a link", async () => {
  const root = newFolder()
  write(join(root, ".venv/lib/python3.11/site-packages"), cpu)
  write(join(root, ".cache/xla"), cuda(13, "0.10.2"))
  expect((await find({}, join(root, "notebooks/deep"))).map(({ platform }) => platform)).toEqual(["cuda", "cpu"])

  write(root, ["python/bin/python3.12", "commands/other"])
  write(join(root, "python/lib/python3.12/site-packages"), cpu)
  symlinkSync(join(root, "python/bin/python3.12"), join(root, "commands/python3"))
  expect((await find({ PATH: join(root, "commands") })).map(({ platform }) => platform)).toEqual(["cpu"])
})

test("follows pyenv's choice of a version", async () => {
  const home = newFolder()
  write(home, ["shims/python3"])
  write(home, ["version"], "3.11.9\n")
  for (const version of ["3.11.9", "3.12.1"]) write(join(home, `versions/${version}/lib/python3.1/site-packages`), cpu)
  const pathsFor = async (environment: NodeJS.ProcessEnv) =>
    (await find({ PATH: join(home, "shims"), ...environment })).map(({ path }) => path.slice(home.length + 1).split("/")[1])
  expect(await pathsFor({})).toEqual(["3.11.9"])
  expect(await pathsFor({ PYENV_VERSION: "3.12.1" })).toEqual(["3.12.1"])
})

test("GPUs come first, then TPUs, the CPU last; newer ones before older ones", async () => {
  const root = newFolder()
  const place = join(root, "lib/python3.11/site-packages")
  write(place, [
    ...cpu,
    ...cuda(12, "0.12.0"),
    ...cuda(13, "0.9.2"),
    "libtpu/libtpu.so",
    "libtpu/sdk.so",
    "libtpu-0.0.51.dist-info/METADATA",
  ])
  write(place, ["jax_plugins/xla_rocm7/xla_rocm_plugin.so", "jax_plugins/new_maker/pjrt_plugin_new.so", "jax_plugins/unrelated/library.so"])
  const other = write(newFolder(), cuda(13, "0.10.0"))
  const found = await find({ VIRTUAL_ENV: root, PYTHONPATH: other })
  expect(found.map(({ platform, packageName, packageVersion }) => [platform, packageName, packageVersion])).toEqual([
    ["cuda", "jax-cuda13-pjrt", "0.10.0"],
    ["cuda", "jax-cuda13-pjrt", "0.9.2"],
    ["cuda", "jax-cuda12-pjrt", "0.12.0"],
    ["tpu", "libtpu", "0.0.51"],
    ["rocm", undefined, undefined],
    ["other", undefined, undefined],
    ["cpu", "xla-cpu-pjrt", "0.0.1"],
  ])
})

test("NVIDIA's libraries of the plug-in's CUDA, from its own environment first", async () => {
  const root = newFolder()
  const place = join(root, "lib/python3.11/site-packages")
  const user = newFolder()
  const elsewhere = join(user, ".local/lib/python3.11/site-packages")
  write(place, [...cuda(13, "0.10.2"), ...cuda(12, "0.10.2"), "nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/bin/ptxas"])
  write(place, ["nvidia/cublas/lib/libcublas.so.12", "nvidia/cuda_nvcc/bin/ptxas", "nvidia/cudnn/lib/libcudnn.so.9"])
  write(elsewhere, ["nvidia/cudnn/lib/libcudnn.so.9", "nvidia/nccl/lib/libnccl.so.2", "nvidia/nccl/lib/libother.so.2"])
  const [thirteen, twelve] = await find({ VIRTUAL_ENV: root, HOME: user })
  const nvidia = join(place, "nvidia")
  expect(thirteen.libraries).toEqual([
    join(nvidia, "cu13/lib/libcudart.so.13"),
    join(elsewhere, "nvidia/nccl/lib/libnccl.so.2"),
    join(nvidia, "cudnn/lib/libcudnn.so.9"),
  ])
  expect(thirteen.libraryFolders).toEqual(thirteen.libraries.map((file) => dirname(file)))
  expect([thirteen.cudaFolder, twelve.cudaFolder]).toEqual([join(nvidia, "cu13"), join(nvidia, "cuda_nvcc")])
  expect(twelve.libraries[0]).toBe(join(nvidia, "cublas/lib/libcublas.so.12"))
})

test("PJRT_PLUGIN names a library, a package's folder or an environment, and then counts alone", async () => {
  const root = newFolder()
  const place = join(root, "lib/python3.11/site-packages")
  write(place, [...cpu, ...cuda(13, "0.10.2")])
  const library = write(newFolder(), ["my_tpu_driver.so"])
  const name = async (plugin: string) =>
    (await find({ VIRTUAL_ENV: root, PJRT_PLUGIN: plugin })).map(({ platform, packageVersion }) => [platform, packageVersion])
  expect(await name(join(library, "my_tpu_driver.so"))).toEqual([["tpu", undefined]])
  expect(await name(join(place, "xla_plugins/xla_cpu_pjrt"))).toEqual([["cpu", "0.0.1"]])
  expect(await name(root)).toEqual([
    ["cuda", "0.10.2"],
    ["cpu", "0.0.1"],
  ])
  await expect(name(join(root, "nothing"))).rejects.toMatchObject({
    code: "engine.xla-missing",
    message: expect.stringMatching(/^PJRT_PLUGIN is .*nothing, where no PJRT plug-in is: name its library, or the folder .*\.$/),
  })
})

test("TPU_LIBRARY_PATH counts too", async () => {
  const library = write(newFolder(), ["libtpu.so"])
  expect((await find({ TPU_LIBRARY_PATH: join(library, "libtpu.so") })).map(({ platform }) => platform)).toEqual(["tpu"])
  expect(await find({ TPU_LIBRARY_PATH: join(library, "other.so") })).toEqual([])
})

test("sees devices by the system's files, and the driver's version", () => {
  const empty = newFolder()
  expect((["cuda", "tpu", "rocm", "cpu"] as const).map((platform) => seesDevice(platform, empty))).toEqual([false, false, false, true])
  expect(readDriverVersion(empty)).toBeUndefined()

  const machine = write(newFolder(), ["dev/nvidiactl", "dev/kfd"])
  const driver = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (builder)\nGCC version: 12.2.0\n"
  write(machine, ["proc/driver/nvidia/version"], driver)
  expect((["cuda", "rocm"] as const).map((platform) => seesDevice(platform, machine))).toEqual([true, true])
  expect(readDriverVersion(machine)).toBe(570)

  const device = "sys/bus/pci/devices/0000:00:04.0"
  write(machine, [`${device}/vendor`], "0x1ae0\n")
  write(machine, [`${device}/device`], "0x0042\n")
  expect(seesDevice("tpu", machine)).toBe(false)
  write(machine, [`${device}/device`], "0x0063\n")
  expect(seesDevice("tpu", machine)).toBe(true)
})
