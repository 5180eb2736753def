// The engine on XLA, through a vendor's PJRT plug-in: current GPUs and TPUs, and the CPU as the place where it is tested.
import type { Engine } from "../session"
import { XlaFlexibleSession } from "./flexible-session"
import { XlaForwardSession } from "./forward-session"
import type { Plugin } from "./open-plugin"
import { XlaTraining } from "./xla-training"

export interface XlaEngineOptions {
  /** A sentence: why it was chosen. Default: what it is. */
  readonly reason?: string
}

/** The engine on a plug-in's first device. */
export function makeXlaEngine(plugin: Plugin, { reason }: XlaEngineOptions = {}): Engine {
  const [{ kind }] = plugin.devices
  return {
    name: "xla",
    runtime: `${plugin.platform} (${kind}), PJRT ${plugin.apiVersion}`,
    reason: reason ?? `One program for each step, compiled by XLA for ${kind}.`,
    createTrainingSession: (definition) => new XlaTraining(plugin, definition),
    compileForward: (definition) => new XlaForwardSession(plugin, definition),
    compileFlexible: (definition) => new XlaFlexibleSession(plugin, definition),
    compilesEachSize: true,
  }
}
