// The verdict on a generated test set, from what was measured: a rule a paragraph, the first that speaks decides.
import { formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"
import type { DeploymentEstimateData, Verdict } from "./deployment-estimate"

/** With fewer models no order is unlikely by chance: of four, the two perfect orders are 2 of 24, more than 5%. */
const leastModels = 5
/** Models from which an order that does not agree speaks against the test, and not against their number. */
const enoughModels = 20
/** With fewer rows of either kind, models change places by chance. */
const leastRows = 20
/** A test of which more repeats train rows or demonstrations measures memory. */
const mostLeaked = 0.02
/** A test of which more repeats itself has fewer rows than it says. */
const mostNearDuplicates = 0.3
const leastTau = 0.5
/** A test whose scores may be further off, as a share of the metric's scale, is no measure of the task. */
const mostGap = 0.1
/** As `mostGap`: a difference that is sure to be there, and too small to matter. */
const smallGap = 0.025

type Facts = Omit<DeploymentEstimateData, "verdict" | "reasons">
type Judgement = Pick<DeploymentEstimateData, "verdict" | "reasons">

export function judge(facts: Facts): Judgement {
  const faults = findFaults(facts)
  if (faults.length > 0) return { verdict: "not trusted", reasons: faults }
  const { models, generatedRows, realRows } = facts
  const count = models.filter(({ real }) => real !== undefined).length
  if (count === 0)
    return say(
      "no real rows to tell by",
      "Annotate some dozens of rows and pass them as realTest; nothing else shows whether the generated ones stand for the task.",
    )
  if (count < leastModels)
    return say(
      "too few models to tell",
      `With ${count} model${count === 1 ? "" : "s"} any order may be chance: at least ${leastModels} are needed, about ${enoughModels} to be sure.`,
    )
  if (Math.min(generatedRows, realRows) < leastRows)
    return say(
      "too few rows to tell",
      `With ${generatedRows} generated and ${realRows} real rows models change places by chance: give at least ${leastRows} of each, better some dozens.`,
    )
  return judgeRanking(facts, count) ?? judgeDifficulty(facts)
}

/** What speaks against a test whatever it says of models. */
function findFaults({ leaks, diversity, generatedRows }: Facts): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(0)}% of the generated test`
  const repeats = (count: number | undefined, what: string) => {
    const share = (count ?? 0) / Math.max(1, generatedRows)
    return share > mostLeaked ? [`${percent(share)} repeats ${what}: it measures memory.`] : []
  }
  const { nearDuplicates } = diversity.generated
  return [
    ...repeats(leaks.train, "train rows"),
    ...repeats(leaks.demonstrations, "the prompt's demonstrations"),
    ...(nearDuplicates > mostNearDuplicates ? [`${percent(nearDuplicates)} repeats itself: it is smaller than it looks.`] : []),
  ]
}

/** Undefined where it ranks models as real rows do. */
function judgeRanking({ ranking }: Facts, count: number): Judgement | undefined {
  if (!ranking || Number.isNaN(ranking.value))
    return say("too few models to tell", "All models score alike on one of the two tests: take models that differ, or another metric.")
  if (ranking.p < 0.05 && ranking.value >= leastTau) return undefined
  const measured = `Kendall's tau is ${ranking.value.toFixed(2)} (${ranking.low.toFixed(2)} to ${ranking.high.toFixed(2)}), and ${leastTau} is the least to rely on`
  if (count >= enoughModels || ranking.high < leastTau)
    return say("not trusted", `It does not rank the models as real rows do: ${measured}.`)
  return say(
    "too few models to tell",
    `The order of ${count} models neither shows agreement nor excludes it: ${measured}; about ${enoughModels} are needed.`,
  )
}

function judgeDifficulty({ gap, metric }: Facts): Judgement {
  const { scale, label } = metricNamed(metric)
  const show = (value: number) => `${value < 0 ? "-" : "+"}${formatScore(Math.abs(value), scale)}`
  const { value = 0, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = gap ?? {}
  const isShifted = low > 0 || high < 0
  const most = Math.max(-low, high)
  if (most < mostGap * scale && !(isShifted && Math.abs(value) > smallGap * scale))
    return say("trusted", `It ranks the models as real rows do, and is as hard to within ${formatScore(most, scale)} ${label}.`)
  return say(
    "trusted for ranking only",
    isShifted
      ? `It ranks the models as real rows do, but is ${value > 0 ? "easier" : "harder"} by ${formatScore(Math.abs(value), scale)} ${label}: do not report its scores as the task's.`
      : `It ranks the models as real rows do; whether it is as hard is not known (${show(low)} to ${show(high)} ${label}): do not report its scores as the task's.`,
  )
}

function say(verdict: Verdict, reason: string): Judgement {
  return { verdict, reasons: [reason] }
}
