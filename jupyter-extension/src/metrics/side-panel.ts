// Beside the curves: what differs between the chosen runs, what stands at the crosshair, and what the run in focus got wrong.
import { formatCount, formatSeconds, formatUsd } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement, createLink } from "../viewer/elements"
import { type CurveGroup, countSame, differencesOf, type Settings, wordsOf } from "./compare-runs"
import type { Readout } from "./curves-view"
import { type Errors, type OpenRows, renderKinds } from "./errors-view"
import type { ListedRun } from "./find-runs"

/** More differences than these are only counted. */
const mostDifferences = 14
const mostValues = 6

export class SidePanel {
  readonly node = createElement("div", "p2m-side")
  private readonly differences = createElement("section")
  private readonly readout = createElement("section")
  private readonly focus = createElement("section")

  constructor() {
    this.node.setAttribute("role", "complementary")
    this.node.setAttribute("aria-label", trans.__("What differs between the chosen runs"))
    this.node.tabIndex = 0
    this.readout.setAttribute("aria-live", "polite")
    this.node.append(this.differences, this.readout, this.focus)
  }

  showDifferences(groups: readonly CurveGroup[], runs: readonly ListedRun[]): void {
    const settings: readonly Settings[] =
      groups.length > 0 ? groups.map(({ curves }) => curves[0].settings) : runs.map((run) => run.settings)
    if (settings.length === 0) {
      this.differences.replaceChildren(
        createElement("p", "p2m-mute", trans.__("Choose runs in the table: a click chooses, a second one lets go.")),
      )
      return
    }
    const seeds = [...new Set(groups.flatMap(({ curves }) => curves.map((curve) => String(curve.settings.seed ?? "-"))))].sort()
    const differing = differencesOf(settings).filter(({ name }) => name !== "seed")
    const list = createElement("dl", "p2m-pairs")
    const shown =
      settings.length === 1 ? Object.entries(settings[0]).map(([name, value]) => ({ name, values: [String(value)] })) : differing
    for (const { name, values } of shown.slice(0, mostDifferences)) {
      const distinct = [...new Set(values)]
      const more = distinct.length > mostValues ? trans.__(" and %1 more", distinct.length - mostValues) : ""
      list.append(createElement("dt", "", wordsOf(name)), createElement("dd", "", distinct.slice(0, mostValues).join(" / ") + more))
    }
    if (settings.length > 1 && seeds.length > 1)
      list.append(createElement("dt", "", trans.__("seeds")), createElement("dd", "", seeds.join(", ")))
    const rest = shown.length - mostDifferences
    if (rest > 0) list.append(createElement("dt", "p2m-mute", trans.__("more")), createElement("dd", "p2m-mute", countSettings(rest)))
    if (settings.length > 1)
      list.append(createElement("dt", "p2m-mute", trans.__("same")), createElement("dd", "p2m-mute", countSettings(countSame(settings))))
    const isAlone = settings.length === 1
    const heading = isAlone ? trans.__("What was chosen") : differing.length === 0 ? trans.__("Nothing differs") : trans.__("What differs")
    this.differences.replaceChildren(createElement("h5", "", heading), list)
  }

  showReadout(readout: Readout | undefined): void {
    if (!readout) {
      this.readout.replaceChildren()
      return
    }
    const list = createElement("dl", "p2m-readings")
    for (const { name, textColour, values } of readout.groups) {
      const term = createElement("dt", "", name)
      term.style.color = textColour
      const readings = createElement("dd")
      readings.append(...values.map((value) => createElement("span", "", value)))
      list.append(term, readings)
    }
    this.readout.replaceChildren(createElement("h5", "", trans.__("At %1", readout.place)), list)
  }

  /** @param errors a sentence while or where there are none */
  showFocus(run: ListedRun | undefined, errors: Errors | string | undefined, actions: { open(): void; readonly openRows: OpenRows }): void {
    if (!run) {
      this.focus.replaceChildren()
      return
    }
    const heading = createElement("h5", "", run.run)
    heading.append(createLink(trans.__("open its folder"), actions.open, trans.__("Shows the run's folder in the file browser")))
    const words = [formatUsd(run.usd), ...(run.seconds === undefined ? [] : [formatSeconds(run.seconds)])].join(" \u00b7 ")
    const parts: HTMLElement[] = [heading, createElement("p", "p2m-mute p2m-note", words)]
    if (typeof errors === "string") parts.push(createElement("p", "p2m-mute p2m-note", errors))
    else if (errors) {
      const title = createElement("h5", "", trans.__("What it got wrong"))
      title.append(
        createElement("span", "p2m-mute", ` ${trans.__("%1 of %2", formatCount(errors.wrong.length), formatCount(errors.rows.length))}`),
      )
      parts.push(title, renderKinds(errors, actions.openRows))
      if (errors.wrong.length > 0)
        parts.push(createElement("p", "p2m-mute p2m-note", trans.__("A click opens those rows in the dataset viewer.")))
    }
    this.focus.replaceChildren(...parts)
  }
}

function countSettings(count: number): string {
  return trans._n("%2 setting", "%2 settings", count, formatCount(count))
}
