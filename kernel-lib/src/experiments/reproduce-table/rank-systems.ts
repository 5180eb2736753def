// Do generated tests put students into the order that the real test does (the paper's question about its generated test sets)? And how much
// easier are they?
import { kendallTau, metricNamed, spearmanRho } from "../../measures"
import { meanInterval, meanOf } from "../student-t"
import { type Artifacts, readPredictions, type StoredStudent } from "./artifacts"
import { type ReproducedCell, ReproducedTable } from "./reproduced-table"
import { metricsOf, nameStudent, protocol, scoreCells } from "./score-stored"

const task = "normalization"
/** Below this many students, an order agrees by chance too often to be trusted. */
export const fewSystems = 20

export async function rankSystems(artifacts: Artifacts): Promise<ReproducedTable> {
  const pairs = artifacts.students
    .filter((student) => student.task === task && student.test === "real")
    .flatMap((real): [StoredStudent, StoredStudent][] => {
      const generated = artifacts.students.find(
        (other) => other.test === "generated" && other.task === task && nameStudent(other) === nameStudent(real),
      )
      return generated ? [[real, generated]] : []
    })
  const cells: ReproducedCell[] = []
  const scores = new Map<string, [real: number, generated: number][]>()
  for (const [real, generated] of pairs) {
    const [onReal, onGenerated] = [await readPredictions(real.folder), await readPredictions(generated.folder)]
    const system = nameStudent(real)
    const realCells = scoreCells(onReal, metricsOf(task), { system, test: "real test" })
    const generatedCells = scoreCells(onGenerated, metricsOf(task), { system, test: "generated test" })
    for (const [index, name] of metricsOf(task).entries()) {
      scores.set(name, [...(scores.get(name) ?? []), [realCells[index].recomputed!, generatedCells[index].recomputed!]])
      cells.push(realCells[index], generatedCells[index])
    }
  }
  if (pairs.length < 2) return new ReproducedTable("ranking", title, cells, ["The artefacts have fewer than two students on both tests."])
  const correlations = [...scores].flatMap(([name, values]) => correlate(name, values, pairs.length))
  return new ReproducedTable("ranking", title, [...correlations, ...cells], describe(scores, correlations, pairs.length))
}

const title = "Temporal: generated tests against the real one"

function correlate(name: string, values: readonly [number, number][], count: number): ReproducedCell[] {
  const [real, generated] = [values.map(([one]) => one), values.map(([, one]) => one)]
  return [
    { label: "Kendall's tau", result: kendallTau(real, generated) },
    { label: "Spearman's rho", result: spearmanRho(real, generated) },
  ].map(({ label, result: { value, low, high, p } }) => ({
    system: `${label} of ${metricNamed(name).label}`,
    test: "both",
    metric: "agreement",
    protocol: "with ties",
    scale: 1,
    recomputed: value,
    low,
    high,
    rows: count,
    remark: `p = ${p.toFixed(3)} over permutations of the students`,
  }))
}

function describe(
  scores: ReadonlyMap<string, readonly [number, number][]>,
  correlations: readonly ReproducedCell[],
  count: number,
): string[] {
  const gaps = [...scores].map(([name, values]) => {
    const { label, scale } = metricNamed(name)
    const gap = values.map(([real, generated]) => generated - real)
    const signed = (value: number) => `${value >= 0 ? "+" : ""}${value.toFixed(scale === 1 ? 3 : 1)}`
    const interval = meanInterval(gap)
    return `${signed(meanOf(gap))} ${label}${interval ? ` (${signed(interval.low)} to ${signed(interval.high)})` : ""}`
  })
  const widest = Math.max(...correlations.map(({ low, high }) => high! - low!))
  return [
    `Difficulty gap, generated minus real, mean over students with its 95% interval (Student's t): ${gaps.join(", ")}.`,
    ...(count < fewSystems
      ? [
          `Too few to be sure: with ${count} students the intervals are up to ${widest.toFixed(2)} wide; about ${fewSystems} are needed before an order says much.`,
        ]
      : []),
    protocol,
  ]
}
