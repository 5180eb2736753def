// What a run folder knows of its stages: a record beside each result, written last, so that a result without one is none.
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Run } from "../core/run"
import { exists, writeFileAtomically } from "./atomic"

export interface StageRecord {
  readonly stage: string
  readonly fingerprint: string
  readonly status: "done" | "partial"
  readonly summary: string
  readonly seconds: number
  readonly at: string
}

type StageLoader = (folder: string, run: Run, fingerprint: string) => Promise<object>

const recordFile = "stage.json"
const loaders = new Map<string, StageLoader>()

/** How `loadLatest` brings a stage's result back. */
export function setStageLoader(stage: string, load: StageLoader): void {
  loaders.set(stage, load)
}

/** The record in a stage's folder; undefined where the stage did not get to write one. */
export async function readStageRecord(folder: string): Promise<StageRecord | undefined> {
  const path = join(folder, recordFile)
  if (!(await exists(path))) return undefined
  try {
    return JSON.parse(await readFile(path, "utf8")) as StageRecord
  } catch {
    return undefined
  }
}

export async function writeStageRecord(folder: string, record: StageRecord): Promise<void> {
  await writeFileAtomically(join(folder, recordFile), `${JSON.stringify(record, null, 2)}\n`)
}

/** The newest result of a stage in the run's folder, partial ones included; undefined when there is none. */
export async function loadLatest(run: Run, stage: string): Promise<object | undefined> {
  const load = loaders.get(stage)
  if (!run.folder || !load) return undefined
  const stages = join(run.folder, "stages")
  const folders = (await readdir(stages).catch(() => []))
    .filter((entry) => entry.startsWith(`${stage}-`))
    .map((entry) => join(stages, entry))
  const dated = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      at: await stat(join(folder, recordFile)).then(
        ({ mtimeMs }) => mtimeMs,
        () => -1,
      ),
    })),
  )
  const newest = dated.filter(({ at }) => at >= 0).sort((a, b) => b.at - a.at)[0]
  const record = newest && (await readStageRecord(newest.folder))
  return record && load(newest.folder, run, record.fingerprint)
}
