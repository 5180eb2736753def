// The CPU plug-in of PJRT, for tests of the engine xla: what PJRT_PLUGIN names, or PyPI's xla-cpu-pjrt, fetched once into .cache (63 MB).
// Without either the tests are skipped, and say so.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Engine } from "../../kernel-lib/src/engine"
import { openPlugin, type Plugin } from "../../kernel-lib/src/engine/xla/open-plugin"
import { makeXlaEngine } from "../../kernel-lib/src/engine/xla/xla-engine"

const wheel = "xla-cpu-pjrt==0.0.1"
const folder = join(import.meta.dirname, "../../.cache/xla-cpu-pjrt")
const library = join(folder, "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so")

/** Undefined where there is none and none can be had. */
export function findCpuPlugin(): string | undefined {
  if (process.env.PJRT_PLUGIN) return process.env.PJRT_PLUGIN
  if (existsSync(library)) return library
  mkdirSync(dirname(folder), { recursive: true })
  const unpacked = mkdtempSync(join(dirname(folder), "xla-cpu-pjrt-"))
  const { status } = spawnSync("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target", unpacked, wheel])
  if (status === 0 && !existsSync(folder)) renameSync(unpacked, folder)
  else rmSync(unpacked, { recursive: true, force: true })
  return existsSync(library) ? library : undefined
}

// What is tested is the programs: compiled without care for their speed, and once for all runs.
process.env.XLA_FLAGS ??= "--xla_backend_optimization_level=0"
process.env.PROMPT2MODEL_XLA_CACHE ??= join(dirname(folder), "xla-programs")

export const pluginFile = findCpuPlugin()
export const label = pluginFile ? "on XLA" : "on XLA, whose plug-in is not here (python3 -m pip install xla-cpu-pjrt, and PJRT_PLUGIN)"
/** Only to be used where there is a plug-in. */
export const plugin = (pluginFile && openPlugin(pluginFile)) as Plugin
export const xla = (plugin && makeXlaEngine(plugin)) as Engine
