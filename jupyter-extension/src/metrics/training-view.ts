// A training in an output: its losses, smoothed or not, and what is known of it. It goes on being drawn while the training runs.
import { colours, textColours } from "../../../kernel-lib/src/display/colours"
import type { TrainingPayload } from "../../../kernel-lib/src/display/payloads"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { createElement } from "../viewer/elements"
import { Chart } from "./chart"
import type { ChartLine } from "./chart-parts"
import { renderBar } from "./result-parts"
import { type Series, smooth, valueAt } from "./smooth"
import { createSlider, createSwitch } from "./switches"
import { watchTheme } from "./theme"

const usualSmoothing = 0.6

export class TrainingView {
  readonly node = createElement("div")
  private readonly head = createElement("div")
  private readonly foot = createElement("div", "p2m-foot")
  private readonly readout = createElement("span", "p2m-mute p2m-readout")
  private readonly chart: Chart
  private readonly forgetTheme: () => void
  private payload: TrainingPayload | undefined
  private isLog = true
  private smoothing = usualSmoothing

  constructor() {
    this.chart = new Chart({ point: (x) => this.point(x) })
    this.forgetTheme = watchTheme(() => this.chart.draw())
    const tools = createElement("div", "p2m-tools")
    this.readout.setAttribute("role", "status")
    tools.append(
      createSlider("smooth", { value: usualSmoothing, most: 0.98, step: 0.02 }, (value) => {
        this.smoothing = value
        this.draw()
      }).node,
      createSwitch("log", true, (isOn) => {
        this.isLog = isOn
        this.draw()
      }).node,
      this.readout,
    )
    this.node.append(this.head, tools, this.chart.node, this.foot)
  }

  show(payload: TrainingPayload): void {
    this.payload = payload
    const facts = createElement("div", "p2m-facts")
    for (const { label, value } of payload.facts) {
      const fact = createElement("span")
      fact.append(createElement("b", "", value), createElement("span", "p2m-mute", ` ${label}`))
      facts.append(fact)
    }
    this.head.replaceChildren(renderBar(payload.title, payload.subtitle), facts)
    this.foot.replaceChildren(...(payload.nextStep ? ["Next: ", createElement("code", "", payload.nextStep)] : []))
    this.draw()
  }

  dispose(): void {
    this.forgetTheme()
    this.chart.dispose()
  }

  private draw(): void {
    if (!this.payload) return
    const { train, validation, totalSteps, isRunning } = this.payload
    const lines: ChartLine[] = []
    const raw = seriesOf(train)
    const line = { name: "train", colour: colours.blue, textColour: textColours.blue, isGrowing: isRunning }
    if (train.length > 0) lines.push({ ...line, series: smooth(raw, this.smoothing), ...(this.smoothing > 0 && { raw }) })
    if (validation.length > 0)
      lines.push({
        ...{ name: "validation", colour: colours.orange, textColour: textColours.orange },
        ...{ series: seriesOf(validation), hasMarkers: true },
      })
    // Where the loss reaches 0, a logarithm would leave it out.
    const isLogY = this.isLog && lines.every(({ series }) => series.y.every((loss) => loss > 0))
    const title = `loss${isLogY ? ", log scale" : ""}${isRunning && totalSteps > 0 ? `, step ${formatCount(train.at(-1)?.[0] ?? 0)} of ${formatCount(totalSteps)}` : ""}`
    const last = (points: TrainingPayload["train"]) => points.at(-1)?.[1].toPrecision(3) ?? "unknown"
    const words = `Loss over ${formatCount(train.at(-1)?.[0] ?? 0)} steps: train ends at ${last(train)}, validation at ${last(validation)}. Arrow keys read it point by point.`
    this.chart.show({ title, xName: "step", lines, isLogX: false, isLogY, formatX: formatCount }, words)
  }

  private point(x: number | undefined): void {
    this.chart.setCrosshair(x)
    if (x === undefined || !this.payload) {
      this.readout.textContent = ""
      return
    }
    const at = (name: string, points: TrainingPayload["train"]) => {
      const value = valueAt(seriesOf(points), x)
      return value === undefined ? [] : [`${name} ${value.toPrecision(4)}`]
    }
    this.readout.textContent = `step ${formatCount(Math.round(x))}: ${[...at("train", this.payload.train), ...at("validation", this.payload.validation)].join(" \u00b7 ")}`
  }
}

function seriesOf(points: TrainingPayload["train"]): Series {
  return { x: points.map(([step]) => step), y: points.map(([, loss]) => loss) }
}
