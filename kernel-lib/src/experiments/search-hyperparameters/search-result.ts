// The result of searchHyperparameters: all trials in a table, the best of them, and a figure of what each setting led to.
import { colours } from "../../display/colours"
import { type Figure, makeFigure } from "../../display/figure"
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { drawPicture, element, guideLine, label, type Picture } from "../../display/svg/picture"
import { formatCount } from "../../display/wording"
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import { writeCsv, writeLatexTable } from "../text-table"
import { type Dimension, type Place, valueAt } from "./space"

export interface Trial {
  /** From 1. */
  readonly number: number
  readonly settings: Partial<TrainingSettings>
  readonly places: readonly Place[]
  /** `stopped` where it was worse than the median of earlier trials at the same epoch; `failed` where training broke. */
  readonly status: "done" | "stopped" | "failed"
  /** Lowest validation loss, in nats a token; undefined where it failed. */
  readonly loss?: number
  /** Validation loss after each epoch. */
  readonly curve: readonly number[]
  /** Why it failed. */
  readonly reason?: string
}

export interface SearchData {
  readonly method: "tpe" | "random"
  readonly dimensions: readonly Dimension[]
  readonly trials: readonly Trial[]
}

const brand = Symbol.for("prompt2model.HyperparameterSearch")
const mostLines = 60

/** Which settings train best. Read-only. */
export class HyperparameterSearch implements SearchData {
  readonly [brand] = true
  readonly kind = "hyperparameterSearch" as const
  readonly method: "tpe" | "random"
  readonly dimensions: readonly Dimension[]
  readonly trials: readonly Trial[]

  constructor({ method, dimensions, trials }: SearchData) {
    this.method = method
    this.dimensions = dimensions
    this.trials = trials
    Object.freeze(this)
  }

  /** The trial with the lowest validation loss; undefined where all failed. `fineTune(base, { ...search.best?.settings, train, validation, run })` finds its student. */
  get best(): Trial | undefined {
    return this.ranked.at(0)
  }

  /** Parallel coordinates: for Plotly, with a static picture beside it. */
  figure(): Figure {
    const trials = this.ranked
    const losses = trials.map(({ loss }) => loss!)
    const dimensions = this.dimensions.map((dimension, at) => ({
      label: dimension.name,
      ...axisOf(dimension),
      values: trials.map(({ places }) => placeOnAxis(dimension, places[at])),
    }))
    const line = { color: losses, colorscale: "Viridis", reversescale: true, showscale: true }
    const data = [{ type: "parcoords", line, dimensions: [...dimensions, { label: "validation loss", values: losses }] }]
    return makeFigure("Hyperparameter search", { data, layout: {} }, this.draw())
  }

  toLatex(): string {
    return writeLatexTable(this.toPayload())
  }

  toCsv(): string {
    const names = this.dimensions.map(({ name }) => name as keyof TrainingSettings)
    return writeCsv(
      ["trial", ...names, "status", "loss", "epochs"],
      this.trials.map(({ number, settings, status, loss, curve }) => [
        number,
        ...names.map((name) => describe(settings[name])),
        status,
        loss,
        curve.length,
      ]),
    )
  }

  toJSON(): SearchData {
    return { method: this.method, dimensions: this.dimensions, trials: this.trials }
  }

  /** What it shows of itself, best trial first. */
  toPayload(): TablePayload {
    const { best, trials } = this
    const count = (status: Trial["status"]) => trials.filter((trial) => trial.status === status).length
    const failed = trials.filter(({ status }) => status === "failed")
    return {
      kind: "table",
      version: payloadVersion,
      title: "Hyperparameter search",
      subtitle: `${formatCount(trials.length)} trials (${this.method === "tpe" ? "tree-structured Parzen estimator" : "random"}), ${count("stopped")} stopped early, ${failed.length} failed`,
      columns: [
        { name: "trial", isNumber: true },
        ...this.dimensions.map((dimension) => ({
          name: dimension.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
          isNumber: dimension.kind === "range" || dimension.values.every((value) => typeof value === "number"),
        })),
        { name: "validation loss", isNumber: true },
        { name: "epochs trained", isNumber: true },
        { name: "status" },
      ],
      rows: [...this.ranked, ...failed].map((trial) => ({
        cells: [
          String(trial.number),
          ...this.dimensions.map(({ name }) => describe(trial.settings[name as keyof TrainingSettings])),
          trial.loss?.toFixed(4) ?? "-",
          String(trial.curve.length),
          trial.status,
        ],
        isOurs: trial === best,
      })),
      notes: [
        "Every trial begins from a fresh copy of the base model. A trial is stopped after an epoch in which its validation loss is above the median of earlier trials' after the same epoch.",
        "The lowest of many losses on the same validation rows is a bit too good: judge the winner on test rows.",
        ...failed.map(({ number, reason }) => `Trial ${number}: ${reason}`),
      ],
      nextStep: "fineTune(base, { ...search.best?.settings, train, validation, run })",
    }
  }

  private get ranked(): Trial[] {
    return this.trials.filter(({ loss }) => loss !== undefined).sort((a, b) => a.loss! - b.loss! || a.number - b.number)
  }

  private draw(): Picture {
    const [left, top, height, between] = [60, 34, 160, 130]
    const trials = this.ranked.slice(0, mostLines).reverse()
    const [best] = this.ranked
    const losses = trials.map(({ loss }) => loss!)
    const [lowest, highest] = [Math.min(...losses), Math.max(...losses)]
    const axes = [...this.dimensions.map(({ name }) => name), "validation loss"]
    const x = (axis: number) => left + axis * between
    const y = (share: number) => top + height * (1 - share)
    const shareOf = (dimension: Dimension, place: Place) =>
      placeOnAxis(dimension, place) / (dimension.kind === "range" ? 1 : Math.max(1, dimension.values.length - 1))
    const lines = trials.map((trial) => {
      const shares = [
        ...this.dimensions.map((dimension, at) => shareOf(dimension, trial.places[at])),
        highest > lowest ? (trial.loss! - lowest) / (highest - lowest) : 0.5,
      ]
      const points = shares.map((share, axis) => `${x(axis)},${y(share).toFixed(1)}`).join(" ")
      const isBest = trial === best
      return element("polyline", {
        points,
        fill: "none",
        stroke: isBest ? colours.blue : colours.grey,
        "stroke-width": isBest ? 2.5 : 1,
        "stroke-opacity": isBest ? 1 : 0.45,
      })
    })
    const ends = [...this.dimensions.map((dimension) => endsOf(dimension)), [lowest?.toPrecision(3), highest?.toPrecision(3)]]
    const scales = axes.flatMap((name, axis) => [
      guideLine(x(axis), top, x(axis), top + height),
      label(x(axis), 12, name, { "text-anchor": "middle" }),
      label(x(axis), top - 6, ends[axis][1], { "text-anchor": "middle" }),
      label(x(axis), top + height + 14, ends[axis][0], { "text-anchor": "middle" }),
    ])
    const words = best
      ? `lowest validation loss ${best.loss!.toFixed(4)} in trial ${best.number} of ${this.trials.length}`
      : "no trial has a loss"
    return drawPicture(x(axes.length - 1) + 60, top + height + 26, words, best ? [...scales, ...lines] : [label(left, top, words)])
  }
}
makeSelfShowing(HyperparameterSearch.prototype, (search: HyperparameterSearch) => search.toPayload())

function axisOf(dimension: Dimension): Record<string, unknown> {
  if (dimension.kind === "list")
    return {
      range: [0, Math.max(1, dimension.values.length - 1)],
      tickvals: [...dimension.values.keys()],
      ticktext: dimension.values.map(describe),
    }
  const tickvals = [0, 0.25, 0.5, 0.75, 1]
  const { low, high, scale } = dimension.range
  return {
    range: [0, 1],
    tickvals,
    ticktext: tickvals.map((share) => describe(scale === "log" ? low * (high / low) ** share : low + (high - low) * share)),
  }
}

/** Where the value of a place stands; several places of a whole-numbered range have one value. */
function placeOnAxis(dimension: Dimension, place: Place): number {
  if (dimension.kind === "list" || !dimension.range.isWhole) return place
  const { low, high, scale } = dimension.range
  const value = valueAt(dimension, place) as number
  return scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)
}

function endsOf(dimension: Dimension): [string, string] {
  if (dimension.kind === "list") return [describe(dimension.values[0]), describe(dimension.values.at(-1))]
  return [describe(dimension.range.low), describe(dimension.range.high)]
}

function describe(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(4)))
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "default")
}
