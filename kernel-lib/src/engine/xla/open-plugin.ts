// Opens a PJRT plug-in: any vendor's shared library, driven from plain Node through koffi. Whatever is wrong with it is one sentence.
import { existsSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { EngineError, isPrompt2ModelError, messageOf } from "../../core/errors"
import { setLibraryVariable, silenceStandardError } from "../standard-error"
import { checkLibraryFile } from "./library-file"
import { PjrtClient } from "./pjrt-client"
import { type Address, type Koffi, PluginTable } from "./plugin-table"

export interface OpenPluginOptions {
  /** Libraries that the plug-in opens by name, to be opened before it in this order; those that cannot be opened are left to it. */
  readonly libraries?: readonly string[]
  /** Where XLA's CUDA compiler finds `bin/ptxas` and `nvvm/libdevice`. */
  readonly cudaFolder?: string
  readonly loadKoffi?: () => Koffi
}

/** A device of a plug-in. */
export interface PluginDevice {
  readonly address: Address
  /** As its vendor calls it: `NVIDIA H100 80GB HBM3`, `cpu`. */
  readonly kind: string
}

export interface Plugin {
  readonly path: string
  /** In lower case: `cpu`, `cuda`, `rocm`, `tpu` ... */
  readonly platform: string
  /** The platform's own words, in one line. */
  readonly version: string
  /** PJRT's version, `0.81`. */
  readonly apiVersion: string
  /** At least one. */
  readonly devices: readonly PluginDevice[]
  /** On the first device. */
  readonly client: PjrtClient
}

/** One client for each plug-in and process: a second one would take a GPU's memory again. */
const opened = new Map<string, Plugin>()
/** koffi closes a library whose object is collected, and the next call would crash. */
const heldLibraries: unknown[] = []

/**
 * Takes some hundred milliseconds, a GPU's seconds; the second time nothing.
 * @throws EngineError `engine.xla-missing`, `engine.xla-broken`, `engine.xla-too-old`, `engine.xla-no-device`, `engine.out-of-memory`
 */
export function openPlugin(path: string, { libraries = [], cudaFolder, loadKoffi = requireKoffi }: OpenPluginOptions = {}): Plugin {
  const known = opened.get(path)
  if (known) return known
  const koffi = loadKoffi()
  checkLibraryFile(path)
  if (cudaFolder && existsSync(cudaFolder)) addXlaFlag("--xla_gpu_cuda_data_dir", cudaFolder)
  const plugin = quietly(() => {
    const table = loadTable(koffi, path, libraries)
    return createClient(table, path)
  })
  opened.set(path, plugin)
  return plugin
}

function requireKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi
  } catch (cause) {
    throw new EngineError("engine.xla-missing", "koffi cannot be loaded: run `npm install koffi` with optional dependencies.", { cause })
  }
}

function loadTable(koffi: Koffi, path: string, libraries: readonly string[]): PluginTable {
  // A compiler recurses deeply. Can be set before the process's first call only.
  try {
    koffi.config({ sync_stack_size: 8 << 20, async_stack_size: 8 << 20, resident_async_pools: 1 })
  } catch {}
  try {
    keepLoaded(koffi, libraries)
    const library = koffi.load(path)
    heldLibraries.push(library)
    // Its threads outlive the JavaScript that loaded it: unloaded at the end, they would crash the process.
    keepLoaded(koffi, [path])
    return new PluginTable(koffi, library.func("void* GetPjrtApi()")() as Address, path)
  } catch (cause) {
    if (isPrompt2ModelError(cause)) throw cause
    const reason = messageOf(cause).split("\n")[0]
    throw new EngineError("engine.xla-broken", `${path} is no PJRT plug-in that works here (${reason}): install its package again.`, {
      cause,
    })
  }
}

/** Each in its own scope: plug-ins and TensorFlow have functions of the same names. Who opens one by its name later gets what is here. */
function keepLoaded(koffi: Koffi, files: readonly string[]): void {
  if (process.platform === "win32") return
  const lazy = 1
  const open = koffi.load(null).func("void* dlopen(str file, int flags)")
  for (const file of files) open(file, lazy)
}

/** Of NVIDIA's and AMD's plug-ins: memory is taken as it is needed, in place of three quarters of all at once. */
const gpuOptions = ["preallocate", false] as const
const namedBool = 4

function createClient(table: PluginTable, path: string): Plugin {
  table.call("Plugin_Initialize", {})
  const client = openClient(table, path)
  const name = table.call("Client_PlatformName", { client })
  const version = table.call("Client_PlatformVersion", { client })
  const platform = table.readText(name("name"), name("nameSize")).toLowerCase()
  const listed = table.call("Client_AddressableDevices", { client })
  const devices = Array.from(table.readWords(listed("devices"), listed("numDevices")), (address) => {
    const description = table.call("Device_GetDescription", { device: address })("description")
    const kind = table.call("DeviceDescription_Kind", { description })
    return { address, kind: table.readText(kind("kind"), kind("kindSize")) }
  })
  if (devices.length === 0) throw refuseDevice(path, "no devices")
  const details = {
    path,
    platform,
    version: table.readText(version("version"), version("versionSize")).replace(/\s+/g, " ").trim(),
    apiVersion: `${table.version.major}.${table.version.minor}`,
    devices,
  }
  return { ...details, client: new PjrtClient(table, client, devices[0].address, identify(details)) }
}

function openClient(table: PluginTable, path: string): Address {
  const isGpu = /cuda|rocm|gpu/i.test(path)
  const name = Buffer.from(gpuOptions[0])
  const option = table.struct([name, name.length, namedBool, Number(gpuOptions[1]), 1])
  try {
    return table.call("Client_Create", isGpu ? { options: option, numOptions: 1 } : {})("client")
  } catch (cause) {
    const message = String((cause as EngineError).cause ?? messageOf(cause))
    if (/no visible|no (\w+ )?devices?|not found.*device|unable to.*tpu|no accelerator|cuInit|CUDA_ERROR_NO_DEVICE/i.test(message))
      throw refuseDevice(path, message, cause)
    throw cause
  }
}

function refuseDevice(path: string, message: string, cause?: unknown): EngineError {
  const short = message.split("\n")[0].replace(/\.$/, "").slice(0, 160)
  return new EngineError(
    "engine.xla-no-device",
    `The PJRT plug-in ${path} finds no device (${short}): look at the machine's driver, or use the engine onnx on the CPU.`,
    { cause },
  )
}

/** What compiled programs depend on beside their text. */
function identify({ path, version, apiVersion, platform, devices }: Omit<Plugin, "client">): string {
  const { size, mtimeMs } = statSync(path)
  return [platform, version, apiVersion, devices[0].kind, size, mtimeMs, process.env.XLA_FLAGS ?? ""].join("\n")
}

/** XLA reads its flags once, when the first plug-in is loaded. */
function addXlaFlag(flag: string, value: string): void {
  const flags = process.env.XLA_FLAGS ?? ""
  if (flags.includes(flag)) return
  process.env.XLA_FLAGS = `${flags} ${flag}=${value}`.trim()
  setLibraryVariable("XLA_FLAGS", process.env.XLA_FLAGS)
}

/** Plug-ins greet on standard error while they are loaded, and would report there later, unless TF_CPP_MIN_LOG_LEVEL asks for that. */
function quietly<Result>(load: () => Result): Result {
  if (process.env.TF_CPP_MIN_LOG_LEVEL !== undefined) return load()
  setLibraryVariable("TF_CPP_MIN_LOG_LEVEL", fatalOnly)
  const restore = silenceStandardError()
  try {
    return load()
  } finally {
    restore()
  }
}

const fatalOnly = "3"
