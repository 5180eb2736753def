// What users can set, in JupyterLab's settings editor. Where there is none, the defaults hold.
import type { JupyterFrontEndPlugin } from "@jupyterlab/application"
import { ISettingRegistry } from "@jupyterlab/settingregistry"
import { ITranslator } from "@jupyterlab/translation"
import { Token } from "@lumino/coreutils"
import { Signal } from "@lumino/signaling"
import { takeTranslator } from "./language"

export interface SettingsValues {
  /** Whether a double click opens such files in the dataset viewer; Parquet, which nothing else opens, it always does. */
  readonly opensJsonLines: boolean
  readonly opensCsv: boolean
  /** Whether the row that is nearest to the chosen one is looked for. */
  readonly findsNearestRow: boolean
  /** Training rows beside a student's answer. */
  readonly nearestRows: number
  readonly asksThrough: "automatic" | "kernel" | "proxy"
}

export const defaults: SettingsValues = {
  opensJsonLines: true,
  opensCsv: false,
  findsNearestRow: true,
  nearestRows: 5,
  asksThrough: "automatic",
}

export class Settings {
  readonly changed = new Signal<this, SettingsValues>(this)
  /** Settled when the settings are known, or cannot be. */
  readonly ready: Promise<void>
  private known: SettingsValues = defaults

  constructor(registry: ISettingRegistry | null, id: string) {
    this.ready = registry ? this.follow(registry, id) : Promise.resolve()
  }

  get values(): SettingsValues {
    return this.known
  }

  private async follow(registry: ISettingRegistry, id: string): Promise<void> {
    // A server without our schema, such as one that only serves the files, has no settings for us.
    const settings = await registry.load(id).catch(() => undefined)
    if (!settings) return
    const take = () => {
      this.known = readSettings(settings.composite)
      this.changed.emit(this.known)
    }
    settings.changed.connect(take)
    take()
  }
}

/** JupyterLab checks what is typed against the schema, but an administrator's overrides may hold anything. */
function readSettings(composite: Readonly<Record<string, unknown>>): SettingsValues {
  const { nearestRows, asksThrough } = composite
  const isOn = (name: "opensJsonLines" | "opensCsv" | "findsNearestRow") => {
    const value = composite[name]
    return typeof value === "boolean" ? value : defaults[name]
  }
  return {
    opensJsonLines: isOn("opensJsonLines"),
    opensCsv: isOn("opensCsv"),
    findsNearestRow: isOn("findsNearestRow"),
    nearestRows: typeof nearestRows === "number" && nearestRows >= 0 && nearestRows <= 50 ? Math.floor(nearestRows) : defaults.nearestRows,
    asksThrough: asksThrough === "kernel" || asksThrough === "proxy" ? asksThrough : "automatic",
  }
}

export const ISettings = new Token<Settings>("jupyterlab-prompt2model:ISettings", "What users set for Prompt2Model's viewers.")

export const settings: JupyterFrontEndPlugin<Settings> = {
  id: "jupyterlab-prompt2model:settings",
  description: "The settings of Prompt2Model's viewers, and the language they speak.",
  autoStart: true,
  optional: [ISettingRegistry, ITranslator],
  provides: ISettings,
  activate(_app, registry: ISettingRegistry | null, translator: ITranslator | null) {
    takeTranslator(translator)
    return new Settings(registry, settings.id)
  },
}
