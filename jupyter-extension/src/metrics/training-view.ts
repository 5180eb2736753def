// A training in an output: its losses, smoothed or not, and what is known of it. It goes on being drawn while the training runs, also where the notebook
// was opened again meanwhile and its kernel tells it no more: then from the events that the run writes.
import { colours, textColours } from "../../../kernel-lib/src/display/colours"
import type { TrainingPayload } from "../../../kernel-lib/src/display/payloads"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement, createLink } from "../viewer/elements"
import { Chart } from "./chart"
import type { ChartLine } from "./chart-parts"
import { FollowedRuns } from "./followed-runs"
import { renderBar } from "./result-parts"
import type { ResultSurroundings } from "./result-renderer"
import type { PointList } from "./run-events"
import { RunFiles } from "./run-files"
import { type Series, smooth, valueAt } from "./smooth"
import { createSlider, createSwitch } from "./switches"
import { watchTheme } from "./theme"

const usualSmoothing = 0.6
/** Milliseconds without a word from the kernel, after which the run itself is looked at. */
const patience = 3000

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
  private followed: FollowedRuns | undefined
  private waiting: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly surroundings: ResultSurroundings) {
    this.chart = new Chart({ point: (x) => this.point(x) })
    this.forgetTheme = watchTheme(() => this.chart.draw())
    const tools = createElement("div", "p2m-tools")
    this.readout.setAttribute("role", "status")
    tools.append(
      createSlider(trans.__("smooth"), { value: usualSmoothing, most: 0.98, step: 0.02 }, (value) => {
        this.smoothing = value
        this.draw()
      }).node,
      createSwitch(trans.__("log"), true, (isOn) => {
        this.isLog = isOn
        this.draw()
      }).node,
      this.readout,
    )
    this.node.append(this.head, tools, this.chart.node, this.foot)
  }

  /** @param run where Jupyter has the run's folder; undefined where it does not show it */
  show(payload: TrainingPayload, run?: string): void {
    this.stopFollowing()
    this.showPayload(payload, run)
    if (payload.isRunning && run !== undefined) this.waiting = setTimeout(() => this.follow(payload, run), patience)
  }

  dispose(): void {
    this.stopFollowing()
    this.forgetTheme()
    this.chart.dispose()
  }

  private showPayload(payload: TrainingPayload, run: string | undefined): void {
    this.payload = payload
    const facts = createElement("div", "p2m-facts")
    for (const { label, value } of payload.facts) {
      const fact = createElement("span")
      fact.append(createElement("b", "", value), createElement("span", "p2m-mute", ` ${label}`))
      facts.append(fact)
    }
    this.head.replaceChildren(renderBar(payload.title, payload.subtitle), facts)
    this.foot.replaceChildren(...(payload.nextStep ? [`${trans.__("Next:")} `, createElement("code", "", payload.nextStep)] : []))
    if (run !== undefined) {
      const links = createElement("span", "p2m-links")
      const show = () => this.surroundings.showRun(run)
      links.append(createLink(trans.__("Show its run"), show, trans.__("Opens the panel over runs with this one chosen")))
      this.foot.append(links)
    }
    this.draw()
  }

  /** Draws on what the run writes, until it has ended. */
  private follow(payload: TrainingPayload, run: string): void {
    const take = () => {
      const training = followed
        .events(run)
        ?.trainings.filter((known) => hasPointsOf(known.steps, payload))
        .at(-1)
      if (!training) return
      const isRunning = followed.isLive(run)
      const [train, validation] = [pointsOf(training.steps), pointsOf(training.validation)]
      this.showPayload({ ...payload, subtitle: trans.__("as its run tells it"), train, validation, isRunning }, run)
      if (!isRunning) this.stopFollowing()
    }
    const isSeen = () => !document.hidden && this.node.isConnected
    const followed = new FollowedRuns(new RunFiles(this.surroundings.services), take, async () => {}, isSeen)
    this.followed = followed
    followed.follow([run])
  }

  private stopFollowing(): void {
    clearTimeout(this.waiting)
    this.followed?.dispose()
    this.followed = undefined
  }

  private draw(): void {
    if (!this.payload) return
    const { train, validation, totalSteps, isRunning } = this.payload
    const lines: ChartLine[] = []
    const raw = seriesOf(train)
    const line = { name: trans.__("train"), colour: colours.blue, textColour: textColours.blue, isGrowing: isRunning }
    if (train.length > 0) lines.push({ ...line, series: smooth(raw, this.smoothing), ...(this.smoothing > 0 && { raw }) })
    if (validation.length > 0)
      lines.push({
        ...{ name: trans.__("validation"), colour: colours.orange, textColour: textColours.orange },
        ...{ series: seriesOf(validation), hasMarkers: true },
      })
    // Where the loss reaches 0, a logarithm would leave it out.
    const isLogY = this.isLog && lines.every(({ series }) => series.y.every((loss) => loss > 0))
    const step = formatCount(train.at(-1)?.[0] ?? 0)
    const title = [
      trans.__("loss"),
      ...(isLogY ? [trans.__("log scale")] : []),
      ...(isRunning && totalSteps > 0 ? [trans.__("step %1 of %2", step, formatCount(totalSteps))] : []),
    ].join(", ")
    const last = (points: TrainingPayload["train"]) => points.at(-1)?.[1].toPrecision(3) ?? trans.__("unknown")
    const words = trans.__(
      "Loss over %1 steps: train ends at %2, validation at %3. Arrow keys read it point by point.",
      ...[step, last(train), last(validation)],
    )
    this.chart.show({ title, xName: trans.__("step"), lines, isLogX: false, isLogY, formatX: formatCount }, words)
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
    const values = [...at(trans.__("train"), this.payload.train), ...at(trans.__("validation"), this.payload.validation)]
    this.readout.textContent = trans.__("step %1: %2", formatCount(Math.round(x)), values.join(" \u00b7 "))
  }
}

/** Whether it is the training that the payload tells of, and no other one of its run. */
function hasPointsOf({ step, figures }: PointList, { train }: TrainingPayload): boolean {
  const [first] = train
  return first !== undefined && figures.loss?.[step.indexOf(first[0])] === first[1]
}

function pointsOf({ step, figures }: PointList): [number, number][] {
  return step.flatMap((at, index): [number, number][] => (Number.isFinite(figures.loss?.[index]) ? [[at, figures.loss[index]]] : []))
}

function seriesOf(points: TrainingPayload["train"]): Series {
  return { x: points.map(([step]) => step), y: points.map(([, loss]) => loss) }
}
