// Annealed or constant temperature, with and without voting: four students on Temporal that differ in nothing else.
import { metricNamed, pairedBootstrap } from "../../measures"
import { type Artifacts, readPredictions, type StoredStudent } from "./artifacts"
import { type ReproducedCell, ReproducedTable } from "./reproduced-table"
import { metricsOf, protocol, scoreStudent } from "./score-stored"

const task = "normalization"

export async function tabulateAnnealing(artifacts: Artifacts): Promise<ReproducedTable> {
  const all = artifacts.students.filter((student) => student.task === task && student.generation !== undefined)
  const models = [...new Set(all.map(({ model }) => model))].filter((model) => countVariants(all, model) > 1)
  const students = all.filter(({ model }) => models.includes(model))
  const cells: ReproducedCell[] = []
  for (const student of sortVariants(students)) cells.push(...(await scoreStudent(student, metricsOf(task))))
  const notes = [
    "The paper has no such table; the predictions are in its artefacts.",
    ...(await compareVariants(students.filter(({ test }) => test === "real"))),
    protocol,
  ]
  return new ReproducedTable(
    "annealing",
    "Annealing and voting on Temporal",
    cells,
    students.length > 0 ? notes : ["The artefacts have no such students."],
  )
}

function countVariants(students: readonly StoredStudent[], model: string): number {
  return students.filter((student) => student.model === model && student.test === "real").length
}

/** The real test first, then annealed before constant, then voting before none. */
function sortVariants(students: readonly StoredStudent[]): StoredStudent[] {
  const key = ({ test, generation, model }: StoredStudent) =>
    [test === "real" ? 0 : 1, model, generation!.firstTemperature, generation!.hasVoting ? 0 : 1].join(" ")
  return [...students].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** What each switch changes on the same rows, as sentences. */
async function compareVariants(students: readonly StoredStudent[]): Promise<string[]> {
  const metric = metricNamed(metricsOf(task)[0])
  const sentences: string[] = []
  const statistics = async (student: StoredStudent) => {
    const { answers, references } = await readPredictions(student.folder)
    return metric.statistics(answers, references)
  }
  const compare = async (first: StoredStudent | undefined, second: StoredStudent | undefined, words: string) => {
    if (!first || !second) return
    const { value, low, high, p } = pairedBootstrap(await statistics(first), await statistics(second), metric.score)
    sentences.push(
      `${words}: ${value >= 0 ? "+" : ""}${value.toFixed(1)} ${metric.label} (${low.toFixed(1)} to ${high.toFixed(1)}), paired bootstrap p = ${p.toFixed(3)}.`,
    )
  }
  const isAnnealed = ({ generation }: StoredStudent) => generation!.firstTemperature !== generation!.lastTemperature
  for (const hasVoting of [true, false]) {
    const same = students.filter(({ generation }) => generation!.hasVoting === hasVoting)
    const constant = same.find((student) => !isAnnealed(student))
    const annealed = same.find((student) => isAnnealed(student) && student.model === constant?.model)
    await compare(annealed, constant, `Annealing ${hasVoting ? "with" : "without"} voting`)
  }
  for (const hasAnnealing of [true, false]) {
    const same = students.filter((student) => isAnnealed(student) === hasAnnealing)
    const without = same.find(({ generation }) => !generation!.hasVoting)
    const withVoting = same.find(({ generation, model }) => generation!.hasVoting && model === without?.model)
    await compare(withVoting, without, `Voting ${hasAnnealing ? "with" : "without"} annealing`)
  }
  return sentences
}
