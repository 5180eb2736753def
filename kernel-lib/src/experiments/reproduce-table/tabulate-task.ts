// Table 1 by task: the teacher and the students on the real test, beside answers that cost nothing.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type Artifacts, type ArtifactTask, readPredictions, readTest } from "./artifacts"
import { mainTable, type PublishedScore, squadSources } from "./published"
import { type ReproducedCell, ReproducedTable } from "./reproduced-table"
import { metricsOf, protocol, protocolOf, rounding, scoreCells, scoreStudent } from "./score-stored"

const teacherName = "gpt-3.5-turbo"
const taskTitles: Readonly<Record<ArtifactTask, string>> = {
  normalization: "Temporal (normalisation of dates)",
  jp2python: "MCoNaLa (Japanese to Python)",
  SQuAD: "SQuAD",
}

/** The teacher, every stored student and two baselines on the real test of a task. */
export async function tabulateTask(name: string, task: ArtifactTask, artifacts: Artifacts): Promise<ReproducedTable> {
  const metrics = metricsOf(task)
  const students = artifacts.students.filter((student) => student.task === task && student.test === "real")
  const stored = (await Promise.all(students.map((student) => scoreStudent(student, metrics)))).flat()
  const cells = [
    ...(await teacherCells(task, artifacts)),
    ...publishedOnly(task, stored),
    ...stored,
    ...(await baselineCells(task, artifacts)),
  ]
  const notes = [rounding, protocol]
  const best = cells
    .filter(({ system }) => students.some(({ model }) => system.startsWith(model)))
    .filter(({ metric }) => metric === cells[0].metric)
  if (best.length > 0) {
    const [top] = [...best].sort((a, b) => b.recomputed! - a.recomputed!)
    notes.push(`The best of the stored students in ${top.metric} is ${top.system}: ${top.recomputed!.toFixed(2)}.`)
  }
  return new ReproducedTable(name, `${taskTitles[task]}: published and recomputed`, cells, notes)
}

async function teacherCells(task: ArtifactTask, artifacts: Artifacts): Promise<ReproducedCell[]> {
  const metrics = metricsOf(task)
  const inPaper = (mainTable[task] as readonly PublishedScore[]).find(({ system }) => system === teacherName)?.score
  const folder = await artifacts.teacherFolder(task)
  if (folder === undefined) {
    return [absent(task, { system: teacherName, score: inPaper }, "not recomputed, since the artefacts have no answers of it on this task")]
  }
  const said = { ...(await readAuthorsScores(artifacts, task)), [metrics[0]]: inPaper }
  return scoreCells(await readPredictions(folder), metrics, { system: teacherName, test: "real test", published: said })
}

/** The scores that stand beside the teacher's answers, in the authors' own words. */
async function readAuthorsScores({ folder }: Artifacts, task: ArtifactTask): Promise<Record<string, number>> {
  const text = await readFile(join(folder, `baseline/gpt_baseline/results/${task}.txt`), "utf8").catch(() => "")
  const exactMatch = /^exact_match:\s*([\d.]+)/m.exec(text)?.[1]
  return exactMatch === undefined ? {} : { exactMatch: Number(exactMatch) }
}

function publishedOnly(task: ArtifactTask, stored: readonly ReproducedCell[]): ReproducedCell[] {
  const scored = stored.filter(({ metric }) => metric === nameMetric(task))
  const explain = (score: number | undefined): string => {
    if (score === undefined) return "not recomputed, since the paper has no number here (N/A)"
    if (scored.length === 0) return "not recomputed, since the artefacts have no predictions of such students"
    const nearest = [...scored].sort((a, b) => Math.abs(a.recomputed! - score) - Math.abs(b.recomputed! - score))[0]
    return `not recomputed, since the artefacts do not say which of their predictions it is; nearest is ${nearest.system}: ${nearest.recomputed!.toFixed(2)}`
  }
  return (mainTable[task] as readonly PublishedScore[])
    .filter(({ system }) => system !== teacherName)
    .map((row) => absent(task, row, explain(row.score)))
}

function nameMetric(task: ArtifactTask): string {
  return task === "SQuAD" ? "exact match, %" : "chrF++"
}

function absent(task: ArtifactTask, { system, score }: PublishedScore, remark: string): ReproducedCell {
  const protocol = protocolOf(task === "SQuAD" ? "exactMatch" : "chrF++")
  return { system, test: "real test", metric: nameMetric(task), scale: 100, protocol, published: score, remark }
}

async function baselineCells(task: ArtifactTask, artifacts: Artifacts): Promise<ReproducedCell[]> {
  const folder = await artifacts.testFolder(task)
  if (folder === undefined) return []
  const { inputs, references } = await readTest(folder)
  const metrics = metricsOf(task)
  const shown = { test: "real test", isPercent: task === "SQuAD" }
  const majority = mostFrequent(references.map((reference) => (typeof reference === "string" ? reference : reference[0])))
  return [
    ...scoreCells({ answers: inputs.map(() => majority), references }, metrics, { ...shown, system: `always "${majority}"` }),
    ...scoreCells({ answers: inputs, references }, metrics, { ...shown, system: "copy the input" }),
  ]
}

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

/** SQuAD: table 1, and by source of data. */
export async function tabulateSquad(artifacts: Artifacts): Promise<ReproducedTable> {
  const table = await tabulateTask("squad", "SQuAD", artifacts)
  const sources = squadSources.map(
    ({ system, rows, score, usd }): ReproducedCell => ({
      system: `${system} (${rows.toLocaleString("en")} rows, $${usd})`,
      test: "real test",
      metric: nameMetric("SQuAD"),
      scale: 100,
      protocol: protocolOf("exactMatch"),
      published: score,
      remark: "not recomputed, since the artefacts have no predictions of such students",
    }),
  )
  return new ReproducedTable(
    "squad",
    table.title,
    [...table.cells, ...sources],
    [...table.notes, "Published: table 1, and the table of SQuAD by source of data, which has two decimals and about what the rows cost."],
  )
}
