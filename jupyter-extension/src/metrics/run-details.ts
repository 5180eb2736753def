// What a run's folder holds beside its curves, found by listing: reports, ablations, and the rows that a report is about.
import { join } from "./find-runs"
import type { RunFiles } from "./run-files"

export interface ReportFile {
  readonly report: string
  /** Its rows with their answers, for the dataset viewer. */
  readonly rows: string | undefined
  /** The test set, where no file has the answers. */
  readonly test: string | undefined
}

/** The newest report of a run; undefined where it has none. */
export async function findReport(files: RunFiles, run: string): Promise<ReportFile | undefined> {
  const inRun = await files.list(run)
  if (!inRun.some(({ name, isFolder }) => name === "stages" && isFolder)) return undefined
  const stages = await files.list(join(run, "stages"))
  const evaluations = stages
    .filter(({ name, isFolder }) => isFolder && name.startsWith("evaluate-"))
    .sort((a, b) => b.changedAt - a.changedAt)
  for (const { path } of evaluations.slice(0, 4)) {
    const names = (await files.list(path)).map(({ name }) => name)
    if (!names.includes("report.json")) continue
    const rows = names.includes("rows.jsonl") ? join(path, "rows.jsonl") : undefined
    return { report: join(path, "report.json"), rows, test: await findTest(files, run, stages, inRun) }
  }
  return undefined
}

async function findTest(
  files: RunFiles,
  run: string,
  stages: Awaited<ReturnType<RunFiles["list"]>>,
  inRun: Awaited<ReturnType<RunFiles["list"]>>,
): Promise<string | undefined> {
  const splits = stages.filter(({ name }) => name.startsWith("processDatasets-")).sort((a, b) => b.changedAt - a.changedAt)
  const folders = [
    ...(inRun.some(({ name }) => name === "datasets") ? [join(run, "datasets")] : []),
    ...splits.slice(0, 2).map(({ path }) => path),
  ]
  for (const folder of folders) {
    const test = (await files.list(folder)).find(({ name }) => name === "test.parquet")
    if (test) return test.path
  }
  return undefined
}

/** Files of ablations in a run's folder, the newest first. */
export async function findAblations(files: RunFiles, run: string): Promise<string[]> {
  const entries = await files.list(run)
  return entries
    .filter(({ name, isFolder }) => !isFolder && /^ablation-[0-9a-f]+\.json$/.test(name))
    .sort((a, b) => b.changedAt - a.changedAt)
    .map(({ path }) => path)
}
