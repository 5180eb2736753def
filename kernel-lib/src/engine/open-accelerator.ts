// The engine on a GPU or TPU, for those who leave the choice to the library: XLA, else TensorFlow.
import { messageOf } from "../core/errors"
import type { Engine } from "./session"
import { choosePlugin, describeMissing, type Machine, seesAccelerator, thisMachine, tryPlugins } from "./xla/choose-plugin"
import { findPlugins, pluginVariable } from "./xla/find-plugins"
import { makeXlaEngine } from "./xla/xla-engine"

/** The engine; or a sentence where an accelerator is in sight and cannot be used; or neither where none is. */
export interface Acceleration {
  readonly engine?: Engine
  readonly problem?: string
}

/** What finds it; tests give others. */
export interface AcceleratorSearch {
  readonly machine?: Machine
  readonly find?: typeof findPlugins
  /** TensorFlow where it sees a GPU. */
  readonly openTensorFlow: () => Promise<Engine | undefined>
}

/** Where no accelerator is in sight and PJRT_PLUGIN names none, no folder is read and nothing opened. */
export async function openAccelerator(search: AcceleratorSearch): Promise<Acceleration> {
  const { machine = thisMachine, find = findPlugins, openTensorFlow } = search
  if (!machine.environment[pluginVariable] && !seesAccelerator(machine)) return {}
  const { engine, problem } = await openXla(machine, find)
  if (engine || !problem || !machine.sees("cuda")) return { engine, problem }
  const tensorflow = await openTensorFlow()
  return tensorflow ? { engine: tensorflow } : { problem }
}

async function openXla(machine: Machine, find: typeof findPlugins): Promise<Acceleration> {
  try {
    const found = await find({ environment: machine.environment })
    const plugins = found.filter(({ platform }) => platform !== "cpu")
    // Who names the CPU's plug-in wants no other, and `onnx` serves the CPU better.
    if (plugins.length === 0) return machine.environment[pluginVariable] ? {} : { problem: describeMissing(machine).message }
    const plugin = choosePlugin(tryPlugins(plugins, machine), machine)
    return plugin.platform === "cpu" ? {} : { engine: makeXlaEngine(plugin) }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}
