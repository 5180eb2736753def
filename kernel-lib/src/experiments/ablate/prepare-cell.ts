// What a cell needs before it trains: rows and a base model. Stages that an earlier cell went through with the same inputs are not done again.
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { PromptSpec } from "../../core/prompt-spec"
import { type GeneratedDataset, generateDataset, usualResponses } from "../../stages/generate-dataset/generate-dataset"
import { loadDataset } from "../../stages/load-dataset/load-dataset"
import { loadModel } from "../../stages/load-model/load-model"
import { parsePrompt } from "../../stages/parse-prompt/parse-prompt"
import { processDatasets, type Splits } from "../../stages/process-datasets/process-datasets"
import { retrieveDatasets } from "../../stages/retrieve-datasets/retrieve-datasets"
import { retrieveModels } from "../../stages/retrieve-models/retrieve-models"
import { transformDataset } from "../../stages/transform-dataset/transform-dataset"
import type { TransformedDataset } from "../../stages/transform-dataset/transformed-dataset"
import type { FolderRun } from "../../store/run"
import type { BaseModel } from "../runners/train-cell"
import type { AskedRequests } from "./price-requests"
import type { CellPlan } from "./switches"

/** Rows and a base model, ready to train. */
export interface PreparedCell {
  readonly spec: PromptSpec
  readonly splits: Splits
  readonly base: BaseModel
  /** Requests for rows that its sources take, by kind. */
  readonly asked: readonly AskedRequests[]
  /** Name and inputs of every stage that was gone through, by which stages are the same. */
  readonly stages: readonly string[]
  /** What a reader should know: rows that are fewer than asked for. */
  readonly notes: readonly string[]
}

/** Results of stages, by their name and inputs. */
export class SharedStages {
  private readonly results = new Map<string, Promise<unknown>>()
  private lastBase: { key: string; base: Promise<BaseModel> } | undefined

  /** The result of `work`, of this call or of an earlier one with the same inputs. */
  share<Result>(stage: string, inputs: unknown, stages: string[], work: () => Promise<Result>): Promise<Result> {
    const key = keyOf(stage, inputs)
    stages.push(key)
    const known = this.results.get(key) as Promise<Result> | undefined
    if (known) return known
    const result = work()
    this.results.set(key, result)
    // What failed may be tried again.
    result.catch(() => this.results.delete(key))
    return result
  }

  /** As `share`; only the last base model stays in memory. */
  async shareBase(inputs: unknown, stages: string[], work: () => Promise<BaseModel>): Promise<BaseModel> {
    const key = keyOf("loadModel", inputs)
    stages.push(key)
    if (this.lastBase?.key !== key) {
      await this.dispose()
      this.lastBase = { key, base: work() }
    }
    return this.lastBase.base
  }

  async dispose(): Promise<void> {
    const last = this.lastBase
    this.lastBase = undefined
    await last?.base.then(
      (base) => base.dispose(),
      () => {},
    )
  }
}

function keyOf(stage: string, inputs: unknown): string {
  return `${stage}-${fingerprintOf(inputs)}`
}

export interface PrepareOptions {
  readonly test: Dataset
  readonly own?: Dataset
  /** With the seed of the rows. */
  readonly dataRun: FolderRun
  /** With the seed of the training. */
  readonly run: FolderRun
  readonly shared: SharedStages
}

/** @throws InputError `ablate.none-retrieved`, and every error of the stages */
export async function prepareCell(text: string, plan: CellPlan, options: PrepareOptions): Promise<PreparedCell> {
  const { shared, run, dataRun, test } = options
  const { source } = plan
  const stages: string[] = []
  const notes: string[] = []
  const teacher = identify(dataRun)
  const spec = await shared.share("parsePrompt", [text, teacher], stages, () => parsePrompt(text, { run: dataRun }))
  const wants = (...sources: string[]) => sources.includes(source)
  const retrieved = wants("retrieved", "both", "all") ? await retrieve(spec, plan, options, stages) : undefined
  if (wants("retrieved") && !retrieved)
    throw new InputError("ablate.none-retrieved", "No dataset of the hub fits the prompt, so there is nothing to train on.")
  if (wants("both", "all") && !retrieved) notes.push("no dataset of the hub fits the prompt")
  const generated = wants("generated", "both", "all") ? await generate(spec, plan, options, stages) : undefined
  if (generated?.status === "partial") notes.push(`generation ended early: ${generated.reason}`)
  const sources = { retrieved, generated, own: wants("own", "all") ? options.own : undefined }
  const fingerprints = Object.values(sources).map((rows) => rows?.fingerprint)
  const splits = await shared.share(
    "processDatasets",
    [dataRun.seed, spec.fingerprint, test.fingerprint, fingerprints, plan.maxRows],
    stages,
    () => processDatasets(sources, { spec, test, maxRows: plan.maxRows, run: dataRun }),
  )
  const base = await prepareBase(spec, plan, { shared, run }, stages)
  return {
    spec,
    splits,
    base,
    asked: [...countTransforms(retrieved, teacher), ...countGenerations(generated, plan, teacher)],
    stages,
    notes,
  }
}

function identify({ teacher }: FolderRun): string | undefined {
  return teacher?.identity ?? teacher?.name
}

function countTransforms(retrieved: TransformedDataset | undefined, teacher = ""): AskedRequests[] {
  return retrieved?.how === "teacher" ? [{ purpose: "transform", teacher, responses: 1, requests: retrieved.asked }] : []
}

function countGenerations(generated: GeneratedDataset | undefined, { generation }: CellPlan, teacher = ""): AskedRequests[] {
  if (!generated) return []
  const { responsesPerRequest: responses = usualResponses } = generation
  return [{ purpose: "generate", teacher, responses, requests: generated.requests.sent + generated.requests.reused }]
}

async function retrieve(spec: PromptSpec, { votes }: CellPlan, { shared, dataRun: run }: PrepareOptions, stages: string[]) {
  const teacher = identify(run)
  const candidates = await shared.share("retrieveDatasets", [spec.fingerprint, votes, teacher], stages, () =>
    retrieveDatasets(spec, { votes, run }),
  )
  const { chosen } = candidates
  if (!chosen) return undefined
  const place = [chosen.card.id, chosen.configuration, chosen.split, chosen.inputColumns, chosen.outputColumn]
  const source = await shared.share("loadDataset", place, stages, () => loadDataset(chosen, { run }))
  return shared.share("transformDataset", [source.fingerprint, spec.fingerprint, teacher], stages, () =>
    transformDataset(source, { spec, run }),
  )
}

function generate(spec: PromptSpec, { numExamples, generation }: CellPlan, { shared, dataRun: run }: PrepareOptions, stages: string[]) {
  const inputs = [run.seed, spec.fingerprint, numExamples, generation, identify(run)]
  return shared.share("generateDataset", inputs, stages, async () => generateDataset(spec, { ...generation, numExamples, run }))
}

async function prepareBase(
  spec: PromptSpec,
  { model, hyde }: CellPlan,
  { shared, run }: Pick<PrepareOptions, "shared" | "run">,
  stages: string[],
): Promise<BaseModel> {
  if (typeof model === "string") return shared.shareBase([run.seed, model], stages, () => loadModel(model, { run }))
  const candidates = await shared.share(
    "retrieveModels",
    [spec.fingerprint, model, hyde, hyde === false ? undefined : identify(run)],
    stages,
    () => retrieveModels(spec, { limit: Math.max(5, model + 1), hyde, run }),
  )
  const candidate = candidates[model]
  if (!candidate)
    throw new InputError(
      "ablate.switch-value",
      `The switch model is ${model}: there are ${candidates.length} candidates, from 0; or give a model's name.`,
    )
  return shared.shareBase([run.seed, candidate.card.id], stages, () => loadModel(candidate, { run }))
}
