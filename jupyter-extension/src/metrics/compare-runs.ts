// What differs between runs, and which of them are one and the same but for their seed.
import { trans } from "../settings/language"
import type { ListedRun } from "./find-runs"
import { colourOfRun, type RunColour } from "./palette"
import type { AxisName, PointList, RunEvents, Training } from "./run-events"
import { averageSeries, type MeanSeries, type Series, smooth } from "./smooth"

type Setting = string | number | boolean
export type Settings = Readonly<Record<string, Setting>>

/** One training of a run, with all that was chosen for it. */
export interface Curve {
  readonly run: ListedRun
  readonly training: Training
  readonly settings: Settings
  readonly isGrowing: boolean
  /** Behind its run's name, where the run has several. */
  readonly suffix: string
}

/** Curves that are drawn as one: their mean and its interval. */
export interface CurveGroup extends RunColour {
  readonly name: string
  /** The name at its line, where there is less room. */
  readonly label: string
  readonly curves: readonly Curve[]
}

export interface Difference {
  readonly name: string
  /** In the order of what was compared. */
  readonly values: readonly string[]
}

/** Of one run only so many of its trainings are drawn, the last ones. */
const mostTrainings = 12
/** Not chosen by anybody, though they differ. */
const chance = new Set(["seed"])

export function curvesOf(run: ListedRun, events: RunEvents, isLive: boolean): Curve[] {
  const trainings = events.trainings.filter(({ steps, validation }) => steps.step.length + validation.step.length > 0).slice(-mostTrainings)
  return trainings.map((training, at) => ({
    run,
    training,
    settings: { ...run.settings, ...settingsOf(training) },
    isGrowing: isLive && events.stage === "fineTune" && at === trainings.length - 1,
    suffix: trainings.length > 1 ? trans.__(", training %1", at + 1) : "",
  }))
}

function settingsOf({ settings }: Training): Settings {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? [[`training.${name}`, value]] : [],
    ),
  )
}

/** @param areSeedsOne whether what differs in its seed alone is one group */
export function groupCurves(curves: readonly Curve[], areSeedsOne: boolean): CurveGroup[] {
  const groups = new Map<string, Curve[]>()
  curves.forEach((curve, at) => {
    const chosen = Object.entries(curve.settings).filter(([name]) => !chance.has(name))
    const key = areSeedsOne ? JSON.stringify(chosen.sort(([a], [b]) => (a < b ? -1 : 1))) : String(at)
    groups.set(key, [...(groups.get(key) ?? []), curve])
  })
  const all = [...groups.values()]
  const names = nameGroups(all)
  return all.map((members, at) => ({ ...colourOfRun(at), ...names[at], curves: members }))
}

/** By what differs between them, where that is short and tells them apart; else by their runs' names. */
function nameGroups(groups: readonly (readonly Curve[])[]): { readonly name: string; readonly label: string }[] {
  const differing = differencesOf(groups.map(([{ settings }]) => settings)).filter(({ name }) => !chance.has(name))
  const bySettings = groups.map((_group, at) => differing.map(({ name, values }) => sayValue(name, values[at])).join(", "))
  const isTelling = groups.length > 1 && differing.length > 0 && differing.length <= 2 && new Set(bySettings).size === groups.length
  return groups.map((curves, at) => {
    const [{ run, suffix }] = curves
    if (isTelling) return { name: bySettings[at], label: differing.length === 1 ? sayShort(differing[0], at) : bySettings[at] }
    const name = curves.length > 1 ? trans.__("%1 and %2 more", run.run, curves.length - 1) : `${run.run}${suffix}`
    return { name, label: name }
  })
}

function sayShort({ name, values }: Difference, at: number): string {
  return values[at] === "true" || values[at] === "false" ? sayValue(name, values[at]) : values[at]
}

function sayValue(name: string, value: string): string {
  if (value === "true" || value === "false") return value === "true" ? wordsOf(name) : trans.__("no %1", wordsOf(name))
  return /^[-\d.e]+$/.test(value) ? `${wordsOf(name)} ${value}` : value
}

/** Settings that are not the same in all. */
export function differencesOf(all: readonly Settings[]): Difference[] {
  const names = [...new Set(all.flatMap((settings) => Object.keys(settings)))]
  return names.flatMap((name) => {
    const values = all.map((settings) => (settings[name] === undefined ? "-" : String(settings[name])))
    return new Set(values).size > 1 ? [{ name, values }] : []
  })
}

/** Settings of which two runs say something different; what a run does not say is no difference. */
export function knownDifferences(all: readonly Settings[]): string[] {
  return differencesOf(all).flatMap(({ name, values }) => (new Set(values.filter((value) => value !== "-")).size > 1 ? [name] : []))
}

export function countSame(all: readonly Settings[]): number {
  return new Set(all.flatMap((settings) => Object.keys(settings))).size - differencesOf(all).length
}

/** `training.learningRate` as `learning rate`. */
export function wordsOf(name: string): string {
  return (name.split(".").at(-1) ?? name).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

export interface LineOfGroup {
  readonly mean: MeanSeries
  /** As it was measured, where one curve is drawn smoothed. */
  readonly raw?: Series
}

export function lineOf(
  group: CurveGroup,
  figure: string,
  options: { axis: AxisName; smoothing: number; of: "steps" | "validation" },
): LineOfGroup {
  const raw = group.curves.map(({ training }) => seriesOf(training[options.of], figure, options.axis))
  const smoothed = raw.map((series) => smooth(series, options.of === "steps" ? options.smoothing : 0))
  const isSmoothed = options.of === "steps" && options.smoothing > 0
  return { mean: averageSeries(smoothed), ...(isSmoothed && raw.length === 1 && { raw: raw[0] }) }
}

function seriesOf(points: PointList, figure: string, axis: AxisName): Series {
  const values = points.figures[figure] ?? []
  const kept = points.step.map((_step, at) => at).filter((at) => Number.isFinite(values[at]))
  return { x: kept.map((at) => points[axis][at]), y: kept.map((at) => values[at]) }
}
