// Groups of training rows that have something in common, and how much more often they are nearest to errors than to right answers.
import { type Dataset, type Row, sourceName } from "../../core/dataset"
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { formatCount } from "../../display/wording"
import { formOf } from "../../stages/retrieve-datasets/guess-columns"
import { adjustByHolm } from "../ablate/compare-cells"
import { fisherExact } from "./fisher-exact"

/** Names the group of a row, by one thing that rows may have in common; undefined where it has no such thing. */
export type GroupBy = (row: Row) => string | undefined

/** Training rows that have something in common. */
export interface SuspectGroup {
  /** What they have in common: `source: old sheet`, `call: gpt-6-luna 12`. */
  readonly name: string
  /** Their positions in the training set. */
  readonly positions: readonly number[]
  /** Errors that have one of them among their nearest rows. */
  readonly nearErrors: number
  /** Right answers that have one of them among their nearest rows. */
  readonly nearRight: number
  /** One-sided Fisher's exact test: how often chance alone would put the group near so many of the errors. */
  readonly p: number
  /** `p` after Holm's correction for all groups that are near an error. */
  readonly adjustedP: number
}

/** Positions of the rows nearest to each answer. */
export type NearestPositions = readonly (readonly number[])[]

/** Distinct outputs up to which each is a group by itself. */
const fewOutputs = 12
const bandWidth = 0.2
/** Groups that are shown. */
const mostShown = 20

/** What rows are grouped by without being asked: where each came from, how sure its teacher was, and what its output looks like. */
function usualFacets(train: Dataset): Readonly<Record<string, GroupBy>> {
  const hasLabels = new Set(train.outputs).size <= fewOutputs
  const samples = new Map<string, string>()
  for (const output of train.outputs) if (!samples.has(formOf(output))) samples.set(formOf(output), shorten(output))
  return {
    source: ({ from }) => sourceName(from),
    call: ({ from }) => (from.kind === "generated" ? `${from.teacher} ${from.call}` : undefined),
    temperature: ({ from }) => (from.kind === "generated" && from.temperature !== undefined ? describeBand(from.temperature) : undefined),
    votes: ({ from }) => (from.kind === "generated" ? describeVotes(from) : undefined),
    group: ({ group }) => group,
    output: ({ output }) => (hasLabels ? shorten(output) : `like ${samples.get(formOf(output))}`),
  }
}

/**
 * All groups that are near an error, the most suspicious first.
 * @param facets beside the usual ones, by the word that names them
 */
export function findSuspects(
  train: Dataset,
  wrong: NearestPositions,
  right: NearestPositions,
  facets: Readonly<Record<string, GroupBy>>,
): readonly SuspectGroup[] {
  const groups = groupRows(train, { ...usualFacets(train), ...facets })
  const counted = groups.map(({ name, positions }) => {
    const members = new Set(positions)
    const count = (nearest: NearestPositions) => nearest.filter((near) => near.some((position) => members.has(position))).length
    const [nearErrors, nearRight] = [count(wrong), count(right)]
    return { name, positions, nearErrors, nearRight, p: fisherExact(nearErrors, wrong.length, nearRight, right.length) }
  })
  const near = counted.filter(({ nearErrors }) => nearErrors > 0)
  const adjusted = adjustByHolm(near.map(({ p }) => p))
  const suspects = near
    .map((group, at) => ({ ...group, adjustedP: adjusted[at] }))
    .sort((a, b) => a.p - b.p || b.nearErrors - a.nearErrors || (a.name < b.name ? -1 : 1))
  makeSelfShowing(suspects, () => describeSuspects(suspects, train, wrong.length, right.length))
  return Object.freeze(suspects)
}

/** Rows by what they have in common. What all rows have in common tells nothing, and of equal groups the first name stands. */
function groupRows(train: Dataset, facets: Readonly<Record<string, GroupBy>>): { name: string; positions: number[] }[] {
  const byName = new Map<string, number[]>()
  for (const [facet, nameOf] of Object.entries(facets)) {
    for (const [position, row] of [...train].entries()) {
      const value = nameOf(row)
      if (value === undefined) continue
      const name = `${facet}: ${value}`
      const known = byName.get(name)
      if (known) known.push(position)
      else byName.set(name, [position])
    }
  }
  const seen = new Set<string>()
  return [...byName].flatMap(([name, positions]) => {
    const key = positions.join()
    if (positions.length === train.length || seen.has(key)) return []
    seen.add(key)
    return [{ name, positions }]
  })
}

function describeBand(temperature: number): string {
  // Half a thousandth more, since 0.6 / 0.2 is a bit less than 3.
  const band = Math.floor(temperature / bandWidth + 5e-4)
  return `${(band * bandWidth).toFixed(1)} to ${((band + 1) * bandWidth).toFixed(1)}`
}

function describeVotes({ votes, voters }: { readonly votes: number; readonly voters: number }): string {
  if (voters === 1) return "one answer"
  return votes === voters ? "all agreed" : "contested"
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > 40 ? `${line.slice(0, 39)}…` : line
}

function describeSuspects(groups: readonly SuspectGroup[], train: Dataset, wrong: number, right: number): TablePayload {
  return {
    kind: "table",
    version: payloadVersion,
    title: "Groups of training rows",
    subtitle: `nearest rows of ${formatCount(wrong)} errors and ${formatCount(right)} right answers, ${formatCount(train.length)} training rows`,
    columns: [
      { name: "group", isText: true },
      { name: "rows", isNumber: true },
      { name: "near errors", isNumber: true },
      { name: "near right answers", isNumber: true },
      { name: "p", isNumber: true },
      { name: "p, corrected", isNumber: true },
    ],
    rows: groups.slice(0, mostShown).map(({ name, positions, nearErrors, nearRight, p, adjustedP }) => ({
      cells: [
        name,
        formatCount(positions.length),
        describeShare(nearErrors, wrong),
        describeShare(nearRight, right),
        formatP(p),
        formatP(adjustedP),
      ],
      isOurs: adjustedP < 0.05,
    })),
    notes: [
      ...(groups.length > mostShown ? [`The first ${mostShown} of ${formatCount(groups.length)} groups.`] : []),
      "p: Fisher's exact test, one-sided, that the group is among the nearest rows of errors more often than of right answers; corrected by Holm for all groups here. It points to a cause and proves none: drop or relabel the group, train again, and compare.",
    ],
    nextStep: groups.length > 0 ? `trace.dropGroup(${JSON.stringify(groups[0].name)})` : undefined,
  }
}

function describeShare(count: number, all: number): string {
  return all === 0 ? "-" : `${formatCount(count)} of ${formatCount(all)}`
}

export function formatP(p: number): string {
  return p < 0.001 ? "<0.001" : p.toFixed(3)
}
