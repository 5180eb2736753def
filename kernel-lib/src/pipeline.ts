// prompt2model(): the notebook's cells as one readable function, from a prompt to a student with its report.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "./core/dataset"
import { InputError, InterruptedError, isPrompt2ModelError, messageOf, type Prompt2ModelError } from "./core/errors"
import { fingerprintOf } from "./core/fingerprint"
import { type PromptSpec, titleOf } from "./core/prompt-spec"
import type { StageInlineOptions } from "./core/run"
import type { Payload } from "./display/payloads"
import { renderReportPage } from "./display/report-page"
import { evaluate, type Report } from "./stages/evaluate/evaluate"
import { type FineTuneOptions, fineTune, type TrainedStudent } from "./stages/fine-tune/fine-tune"
import { type GenerateDatasetOptions, type GeneratedDataset, generateDataset } from "./stages/generate-dataset/generate-dataset"
import { loadDataset } from "./stages/load-dataset/load-dataset"
import { loadModel } from "./stages/load-model/load-model"
import { parsePrompt } from "./stages/parse-prompt/parse-prompt"
import { processDatasets, type Splits } from "./stages/process-datasets/process-datasets"
import { type DatasetCandidates, retrieveDatasets } from "./stages/retrieve-datasets/retrieve-datasets"
import { type ModelCandidates, retrieveModels } from "./stages/retrieve-models/retrieve-models"
import { transformDataset } from "./stages/transform-dataset/transform-dataset"
import { writeFileAtomically } from "./store/atomic"
import { ephemeralRun, type FolderRun } from "./store/run"
import { writeDataset } from "./store/tables"

export interface PipelineOptions extends StageInlineOptions {
  /** Rows with right answers, to evaluate on. Default: a tenth of the rows that were made. */
  readonly test?: Dataset
  /** Rows of one's own, trained on beside the retrieved and the generated ones. */
  readonly own?: Dataset
  readonly numExamples?: number
  readonly generation?: Omit<GenerateDatasetOptions, keyof StageInlineOptions | "numExamples">
  readonly training?: Omit<FineTuneOptions, keyof StageInlineOptions | "train" | "validation" | "spec">
  /** Default exact match and chrF++. */
  readonly metrics?: readonly string[]
}

/** Everything that the pipeline made. */
export interface PipelineResult {
  readonly kind: "pipelineResult"
  readonly spec: PromptSpec
  readonly candidates: DatasetCandidates
  /** Undefined where no dataset of the hub fits. */
  readonly retrieved?: Dataset
  readonly generated: GeneratedDataset
  readonly splits: Splits
  readonly models: ModelCandidates
  readonly trained: TrainedStudent
  readonly report: Report
  /** Wall seconds, earlier interrupted goes included. */
  readonly seconds: number
}

/**
 * Makes a model out of a prompt: parse, retrieve, generate, process, fine-tune, evaluate. With a run that has a folder, the student, the
 * datasets, `report.html` and the figures of `run.json` are written there, and a call that was interrupted goes on.
 *
 * @throws every error of the stages; InputError `run.other-prompt`
 */
export async function prompt2model(text: string, options: PipelineOptions = {}): Promise<PipelineResult> {
  const run = options.run ?? ephemeralRun(options)
  const folderRun = run.folder ? (run as FolderRun) : undefined
  const started = performance.now()
  const before = folderRun ? await claimFolder(folderRun, text) : { seconds: 0 }
  const seconds = () => before.seconds + (performance.now() - started) / 1000
  try {
    const spec = await parsePrompt(text, { run })
    const candidates = await retrieveDatasets(spec, { run })
    const retrieved = candidates.chosen && (await transformDataset(await loadDataset(candidates.chosen, { run }), { spec, run }))
    const generated = await generateDataset(spec, { ...options.generation, numExamples: options.numExamples, run })
    const splits = await processDatasets({ retrieved, generated, own: options.own }, { spec, run, test: options.test })
    const models = await retrieveModels(spec, { run })
    const base = await loadModel(models[0], { run })
    const trained = await fineTune(base, { ...options.training, spec, train: splits.train, validation: splits.validation, run })
    const report = await evaluate(trained.student, splits.test, {
      metrics: options.metrics ?? ["exactMatch", "chrF++"],
      baselines: { teacher: run.teacher, base: base.isPretrained ? base : undefined },
      spec,
      train: splits.train,
      run,
    })
    const result: PipelineResult = {
      kind: "pipelineResult",
      spec,
      candidates,
      retrieved,
      generated,
      splits,
      models,
      trained,
      report,
      seconds: seconds(),
    }
    if (folderRun) await publish(folderRun, result)
    return result
  } catch (error) {
    if (folderRun) await publishPartial(folderRun, error, seconds())
    throw error
  }
}

/** A folder belongs to one prompt; its first call writes which. */
async function claimFolder(run: FolderRun, text: string): Promise<{ seconds: number }> {
  const content = await run.read()
  const prompt = fingerprintOf(text.trim())
  if (content.promptFingerprint !== undefined && content.promptFingerprint !== prompt) {
    throw new InputError("run.other-prompt", `${run.folder} holds a run of another prompt: choose another folder with --out.`)
  }
  await run.write({ status: "running", prompt: text, promptFingerprint: prompt, versions: { node: process.versions.node } })
  return { seconds: content.status === "done" ? 0 : Number(content.seconds ?? 0) }
}

async function publish(run: FolderRun, result: PipelineResult): Promise<void> {
  const { retrieved, generated, splits, trained, report, spec, candidates, models } = result
  const datasets = join(run.folder, "datasets")
  await mkdir(datasets, { recursive: true })
  if (retrieved) await writeDataset(retrieved, join(datasets, "retrieved.parquet"))
  await writeDataset(generated, join(datasets, "generated.parquet"))
  for (const name of ["train", "validation", "test"] as const) await writeDataset(splits[name], join(datasets, `${name}.parquet`))
  await trained.student.save(join(run.folder, "student"))
  const payloads = [spec, candidates, retrieved, generated, splits, models, trained, report].flatMap((shown) => payloadOf(shown))
  await writeFileAtomically(join(run.folder, "report.html"), renderReportPage({ title: titleOf(spec), payloads }))
  await run.write({
    status: generated.status === "partial" || trained.status === "partial" ? "partial" : "done",
    reason: generated.reason ?? trained.reason,
    scores: report.scores,
    groups: report.groups,
    baselines: report.baselines,
    seconds: result.seconds,
    engine: trained.engine,
    teacher: run.teacher?.name,
    isTeacherSimulated: run.teacher?.isSimulated ?? false,
    rows: countRows(result),
    student: { base: models[0].card.id, parameters: trained.student.parameters, bytes: trained.student.bytes },
    training: { ...trained.settings, steps: trained.steps, tokensPerSecond: trained.tokensPerSecond, seconds: trained.seconds },
    spending: { ...run.spending },
    sent: run.sent(),
    files: { student: "student", report: "report.html", datasets: "datasets", events: "events.jsonl" },
  })
}

/** What a run that did not end leaves: its status, why, and the student as far as it was trained. */
async function publishPartial(run: FolderRun, error: unknown, seconds: number): Promise<void> {
  const isInterrupted = error instanceof InterruptedError
  const trained = isInterrupted ? ((await run.latest("fineTune").catch(() => undefined)) as TrainedStudent | undefined) : undefined
  if (trained) await trained.student.save(join(run.folder, "student"))
  const code = isPrompt2ModelError(error) ? (error as Prompt2ModelError).code : "unexpected"
  // The disk may be what failed; then the error that is thrown says more than a second one would.
  await run
    .write({
      status: isInterrupted ? "partial" : "failed",
      reason: isInterrupted ? "interrupted" : messageOf(error),
      code,
      seconds,
      ...(trained && {
        engine: trained.engine,
        student: { parameters: trained.student.parameters },
        files: { student: "student", events: "events.jsonl" },
      }),
    })
    .catch(() => {})
}

/** How many rows came from where, and how many were rejected and why. */
function countRows({ retrieved, generated, splits }: PipelineResult) {
  const rejected: Record<string, number> = {}
  for (const dataset of [retrieved, generated]) {
    for (const { reason, rows } of dataset?.rejectedByReason ?? []) rejected[reason] = (rejected[reason] ?? 0) + rows
  }
  for (const { reason } of splits.rejected) rejected[reason] = (rejected[reason] ?? 0) + 1
  return {
    retrieved: retrieved?.length ?? 0,
    generated: generated.length,
    asked: generated.asked,
    failed: generated.failed,
    rejected,
    train: splits.train.length,
    validation: splits.validation.length,
    test: splits.test.length,
  }
}

function payloadOf(shown: object | undefined): Payload[] {
  const display = (shown as Record<symbol, (() => Record<string, unknown>) | undefined> | undefined)?.[Symbol.for("Jupyter.display")]
  if (!shown || !display) return []
  const bundle = display.call(shown)
  return Object.entries(bundle).flatMap(([type, payload]) => (type.endsWith("+json") ? [payload as Payload] : []))
}
