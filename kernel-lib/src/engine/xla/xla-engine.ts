// The engine on XLA, through a vendor's PJRT plug-in: current GPUs and TPUs, and the CPU as the place where it is tested.
import type { Engine } from "../session"
import { XlaFlexibleSession } from "./flexible-session"
import { XlaForwardSession } from "./forward-session"
import type { Plugin } from "./open-plugin"
import { XlaTraining } from "./xla-training"

/** The engine on a plug-in's first device. */
export function makeXlaEngine(plugin: Plugin): Engine {
  const { platform, apiVersion, devices } = plugin
  const device = platform === "cpu" ? "the CPU" : devices[0].kind
  return {
    name: "xla",
    runtime: `PJRT ${apiVersion} (${platform})`,
    reason: `One program for each step, compiled by XLA for ${device}.`,
    createTrainingSession: (definition) => new XlaTraining(plugin, definition),
    compileForward: (definition) => new XlaForwardSession(plugin, definition),
    compileFlexible: (definition) => new XlaFlexibleSession(plugin, definition),
    compilesEachSize: true,
  }
}
