// PJRT plug-ins on this machine: libraries in Python packages, by which XLA reaches a GPU, a TPU or the CPU. They are found by their names and
// not opened here.
import { existsSync, statSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { EngineError } from "../../core/errors"
import { findCuda } from "./cuda-libraries"
import { listNames, listPackageFolders, listPackageFoldersOf, type Surroundings } from "./python-folders"
import type { Platform } from "./visible-devices"

/** Names a plug-in to take and no other: its file, or the folder of a package or of a Python environment that has one. */
export const pluginVariable = "PJRT_PLUGIN"

/** A plug-in as its files describe it. */
export interface PluginDescription {
  readonly platform: Platform
  /** The library. */
  readonly path: string
  /** As pip names it. */
  readonly packageName?: string
  readonly packageVersion?: string
  /** Folders of the libraries that it opens by name. */
  readonly libraryFolders: readonly string[]
  /** The files among them that are to be opened before it, in this order. */
  readonly libraries: readonly string[]
  /** Where XLA's CUDA compiler finds `bin/ptxas` and `nvvm/libdevice`. */
  readonly cudaFolder?: string
}

/** Accelerators first, the CPU last. */
const order: readonly Platform[] = ["cuda", "tpu", "rocm", "other", "cpu"]

/**
 * Best first: GPUs, TPUs, then the CPU; of one platform, newer versions first, and of one version that of the active environment. Takes some
 * milliseconds and starts no Python.
 * @throws EngineError `engine.xla-missing` when PJRT_PLUGIN names something that is no plug-in
 */
export async function findPlugins(surroundings: Partial<Surroundings> = {}): Promise<readonly PluginDescription[]> {
  const { environment = process.env, folders = startingFolders() } = surroundings
  const packageFolders = listPackageFolders({ environment, folders })
  const named = environment[pluginVariable]
  if (named) return findNamed(resolve(named), packageFolders)
  const { TPU_LIBRARY_PATH: tpuLibrary } = environment
  const libraries = [...(tpuLibrary && isFile(tpuLibrary) ? [tpuLibrary] : []), ...packageFolders.flatMap(listLibraries)]
  const plugins = [...new Set(libraries)].map((path) => describePlugin(path, packageFolders))
  return plugins.sort((a, b) => order.indexOf(a.platform) - order.indexOf(b.platform) || compareVersions(b, a))
}

/** This file's too, so that what a workspace installed is found from any current folder. */
function startingFolders(): string[] {
  return [process.cwd(), dirname(fileURLToPath(import.meta.url))]
}

function findNamed(place: string, packageFolders: readonly string[]): readonly PluginDescription[] {
  const libraries = isFile(place)
    ? [place]
    : [place, ...listPackageFoldersOf(place)].flatMap((folder) => [...listLibraries(folder), ...listIn(folder)])
  if (libraries.length > 0) return libraries.map((path) => describePlugin(path, packageFolders))
  throw new EngineError(
    "engine.xla-missing",
    `${pluginVariable} is ${place}, where no PJRT plug-in is: name its library, or the folder of a Python environment that has one.`,
  )
}

/** The plug-ins of a folder of Python packages. */
function listLibraries(folder: string): string[] {
  const homes = ["jax_plugins", "xla_plugins"].map((name) => join(folder, name))
  const found = homes.flatMap((home) => listNames(home).flatMap((name) => listIn(join(home, name))))
  const tpuLibrary = join(folder, "libtpu", "libtpu.so")
  return existsSync(tpuLibrary) ? [...found, tpuLibrary] : found
}

function listIn(folder: string): string[] {
  return listNames(folder)
    .filter((name) => /plugin|pjrt/.test(name) && /\.(so|dylib|dll)$/.test(name))
    .map((name) => join(folder, name))
}

function describePlugin(path: string, packageFolders: readonly string[]): PluginDescription {
  const home = basename(dirname(path))
  const platform = platformOf(`${home}/${basename(path)}`)
  // jax_plugins/NAME/LIBRARY, libtpu/libtpu.so
  const own = home === "libtpu" ? dirname(dirname(path)) : dirname(dirname(dirname(path)))
  const cuda = platform === "cuda" ? findCuda(/cuda(\d+)/.exec(home)?.[1], [own, ...packageFolders]) : { libraries: [] }
  const libraryFolders = [...new Set(cuda.libraries.map((file) => dirname(file)))]
  return { platform, path, ...readPackage(own, home), libraryFolders, ...cuda }
}

function platformOf(name: string): Platform {
  if (/cuda|gpu_plugin/.test(name)) return "cuda"
  if (/tpu/.test(name)) return "tpu"
  if (/rocm/.test(name)) return "rocm"
  return /cpu/.test(name) ? "cpu" : "other"
}

/** The package that brought a plug-in: `jax_plugins/xla_cuda13` is of jax-cuda13-pjrt. */
function readPackage(folder: string, home: string): Pick<PluginDescription, "packageName" | "packageVersion"> {
  const names = [home, home.replace(/^xla_(\w+)$/, "jax_$1_pjrt")]
  for (const entry of listNames(folder)) {
    const [, name, version] = /^(.+?)-(\d.*)\.dist-info$/.exec(entry) ?? []
    if (name && names.includes(name.replace(/[-.]/g, "_"))) return { packageName: name.replaceAll("_", "-"), packageVersion: version }
  }
  return {}
}

function compareVersions(a: PluginDescription, b: PluginDescription): number {
  const [left, right] = [a, b].map(({ path, packageVersion }) => `${/cuda(\d+)/.exec(path)?.[1] ?? 0}.${packageVersion ?? 0}`)
  return left.localeCompare(right, "en", { numeric: true })
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
