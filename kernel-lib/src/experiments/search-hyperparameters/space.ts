// The space of a search: for each setting a range or a list, and values drawn from it as places between 0 and 1 or as positions in a list.
import { InputError } from "../../core/errors"
import type { Random } from "../../core/random"
import { settingNames, type TrainingSettings } from "../../stages/fine-tune/choose-settings"

/** Numbers from `low` to `high`; on a log scale where their size matters and not their distance; whole ones where `isWhole`. */
export interface Range {
  readonly low: number
  readonly high: number
  readonly scale?: "linear" | "log"
  readonly isWhole?: boolean
}

/** For settings of `fineTune` a range, or a list of values to choose from. */
export type SearchSpace = { readonly [Name in keyof TrainingSettings]?: Range | readonly NonNullable<TrainingSettings[Name]>[] }

/** One setting of the space. */
export type Dimension =
  | { readonly name: string; readonly kind: "range"; readonly range: Range }
  | { readonly name: string; readonly kind: "list"; readonly values: readonly unknown[] }

/** A value of a dimension: a place in [0, 1] of a range, or a position in a list. */
export type Place = number

/** @throws InputError `search.space` */
export function readSpace(space: SearchSpace): Dimension[] {
  const dimensions = Object.entries(space).map(([name, choice]): Dimension => {
    if (!(settingNames as readonly string[]).includes(name))
      throw new InputError("search.space", `There is no setting ${name} to search: choose from ${settingNames.join(", ")}.`)
    if (Array.isArray(choice)) {
      if (choice.length === 0) throw new InputError("search.space", `The list of ${name} is empty: give values to choose from.`)
      return { name, kind: "list", values: choice }
    }
    const range = choice as Range
    const isLog = range.scale === "log"
    if (!(Number.isFinite(range.low) && range.high > range.low && Number.isFinite(range.high) && (!isLog || range.low > 0)))
      throw new InputError(
        "search.space",
        `The range of ${name} must have low below high${isLog ? ", and low above 0 for a log scale" : ""}: for instance { low: 1e-4, high: 1e-2, scale: "log" }.`,
      )
    return { name, kind: "range", range }
  })
  if (dimensions.length === 0)
    throw new InputError(
      "search.space",
      'There is nothing to search: give space a setting, for instance { learningRate: { low: 1e-4, high: 1e-2, scale: "log" } }.',
    )
  return dimensions
}

/** Any place of the dimension, each as likely. */
export function drawPlace(dimension: Dimension, random: Random): Place {
  return dimension.kind === "list" ? random.integer(dimension.values.length) : random.next()
}

/** What a place says. */
export function valueAt(dimension: Dimension, place: Place): unknown {
  if (dimension.kind === "list") return dimension.values[place]
  const { low, high, scale, isWhole } = dimension.range
  const value = scale === "log" ? low * (high / low) ** place : low + (high - low) * place
  if (!isWhole) return Number(value.toPrecision(6))
  // On a linear scale every whole number is as likely as any other, the ends too.
  const whole = scale === "log" ? Math.round(value) : Math.floor(low + (high - low + 1) * place)
  return Math.min(high, Math.max(low, whole))
}
