// Which plug-in the engine xla takes: the best whose device is in sight and that opens. What is wrong with the others is one sentence each.
import { EngineError, messageOf } from "../../core/errors"
import type { PluginDescription } from "./find-plugins"
import { openPlugin, type Plugin } from "./open-plugin"
import { setupFolder } from "./python-folders"
import { type Platform, readDriverVersion, seesDevice } from "./visible-devices"

/** A plug-in that was found, and what came of opening it: `plugin` or `problem`. */
export interface PluginTrial {
  readonly description: PluginDescription
  readonly plugin?: Plugin
  readonly problem?: EngineError
}

/** What this machine has; tests give another. */
export interface Machine {
  readonly environment: NodeJS.ProcessEnv
  readonly system: NodeJS.Platform
  sees(platform: Platform): boolean
  driverVersion(): number | undefined
  open(description: PluginDescription): Plugin
}

export const thisMachine: Machine = {
  environment: process.env,
  system: process.platform,
  sees: seesDevice,
  driverVersion: readDriverVersion,
  open: (description) => openPlugin(description.path, description),
}

const deviceNames: Readonly<Partial<Record<Platform, string>>> = { cuda: "NVIDIA GPU", tpu: "TPU", rocm: "AMD GPU" }
const accelerators = ["cuda", "tpu", "rocm"] as const

/** Whether it is worth looking for an accelerator's plug-in; asks the system alone. */
export function seesAccelerator({ sees }: Pick<Machine, "sees"> = thisMachine): boolean {
  return accelerators.some((platform) => sees(platform))
}

/** Tries the plug-ins in order, up to the first that works. */
export function tryPlugins(plugins: readonly PluginDescription[], machine: Machine = thisMachine): PluginTrial[] {
  const trials: PluginTrial[] = []
  for (const description of plugins) {
    const trial = tryPlugin(description, machine)
    trials.push(trial)
    if (trial.plugin) break
  }
  return trials
}

function tryPlugin(description: PluginDescription, { sees, open }: Machine): PluginTrial {
  const { platform, path, packageName = path } = description
  if (!sees(platform)) {
    const sentence = `No ${deviceNames[platform]} is in sight, which ${packageName} needs: look at the machine's driver, or use the engine onnx on the CPU.`
    return { description, problem: new EngineError("engine.xla-no-device", sentence) }
  }
  try {
    return { description, plugin: open(description) }
  } catch (error) {
    const problem = error instanceof EngineError ? error : new EngineError("engine.xla-broken", messageOf(error), { cause: error })
    return { description, problem }
  }
}

/** The plug-in that works, or the sentence of the best that does not, or how to install one. @throws EngineError */
export function choosePlugin(trials: readonly PluginTrial[], machine: Machine = thisMachine): Plugin {
  const chosen = trials.find(({ plugin }) => plugin)?.plugin
  if (chosen) return chosen
  throw trials[0]?.problem ?? describeMissing(machine)
}

/** NVIDIA's first driver for CUDA 13. */
const driverOfCuda13 = 580

/** What to install on this machine, in one command. */
export function describeMissing({ environment, system, sees, driverVersion }: Machine = thisMachine): EngineError {
  const [problem, name] = ((): [string, string | undefined] => {
    if (system !== "linux") return ["PyPI has PJRT plug-ins for Linux alone", undefined]
    if (sees("cuda")) {
      const cuda = (driverVersion() ?? 0) >= driverOfCuda13 ? 13 : 12
      return ["An NVIDIA GPU is in sight, and no PJRT plug-in for it", `"jax-cuda${cuda}-plugin[with-cuda]"`]
    }
    if (sees("tpu")) return ["A TPU is in sight, and no PJRT plug-in for it", "libtpu"]
    if (sees("rocm")) return ["An AMD GPU is in sight, and no PJRT plug-in for it", "jax-rocm7-pjrt"]
    return ["No GPU or TPU is in sight, and no PJRT plug-in for the CPU, which onnx serves better", "xla-cpu-pjrt"]
  })()
  const isActive = environment.VIRTUAL_ENV || environment.CONDA_PREFIX
  const remedy = name
    ? `run \`python3 -m pip install ${isActive ? "" : `--target ${setupFolder} `}${name}\`.`
    : "use the engine onnx, or a Linux machine."
  return new EngineError("engine.xla-missing", `${problem}: ${remedy}`)
}
