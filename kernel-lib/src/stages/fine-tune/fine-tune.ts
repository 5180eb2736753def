// fineTune: a base model and rows in, a trained student out. Each row's output is learnt from its input, step by step, by the engine's
// traced graph; the loop is the textbook's.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { Run, StageInlineOptions } from "../../core/run"
import { payloadVersion, type TrainingPayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage } from "../../store/define-stage"
import { type LoadedStudent, loadStudent, type Template } from "../../students"
import { isSmallModel, type TrainingSettings } from "./choose-settings"
import { removeCheckpoints } from "./loop-state"
import { trainStudent } from "./train-student"
import type { TrainingOutcome } from "./training-outcome"

export interface FineTuneOptions extends StageInlineOptions, Partial<TrainingSettings> {
  /** Rows of input and output; at least one. */
  readonly train: Dataset
  /** After each epoch the loss on its first 1,000 rows is taken: it decides which epoch's weights are kept, and when to stop. Default: none, and the last epoch's are kept. */
  readonly validation?: Dataset
  /** The prompt, for the paper's template. */
  readonly spec?: PromptSpec
  /** How an input becomes the student's text: `paper` puts the instruction before it, `bare` leaves it as it is. Default: that of `distillFrom`; else `paper` for a pretrained base with a `spec`, and `bare`; a model of under 5 million parameters keeps its own. */
  readonly template?: "paper" | "bare"
  /**
   * A student whose answers are learnt beside the rows' own, token for token (`distillWeight`, `distillTemperature`): one of the same kind and
   * vocabulary, which stays as it is.
   */
  readonly distillFrom?: LoadedStudent
  /** What an encoder (BERT and its like) learns to give: one of the outputs as its label, or the output as a span of its input. Default: what its head says, or the rows. */
  readonly task?: "labels" | "span"
  /** Seconds between checkpoints, in a run with a folder. An interrupt writes one at once. Default 30. */
  readonly checkpointSeconds?: number
}

/** A student with the history of its training. */
export interface TrainedStudent extends TrainingOutcome {
  readonly kind: "trained"
  readonly student: LoadedStudent
  readonly fingerprint: string
}

/**
 * Trains a base model on rows of input and output. Interrupted, it saves a checkpoint and the student as far as it is, and the same call
 * goes on from there to the same weights as an undisturbed one; so does a process that was killed, from its last checkpoint.
 *
 * An encoder gets the head that the rows ask for; rows that it cannot learn are left out and counted (`refusedRows`).
 *
 * The loss is the mean cross-entropy of the target tokens in nats, on outputs alone unless `lossOn` is `all`. In a run, `events.jsonl` gets
 * a line every ten steps and at the last (`training.step`: loss, learning rate, gradient norm before clipping, epoch, tokens a second) and one
 * after each epoch (`training.validation`).
 *
 * @throws InputError `train.no-rows`, `train.settings`, `train.low-rank`, `train.other-vocabulary`, `train.other-kind`; EngineError
 *   `engine.loss-not-finite`, `engine.gradient-not-finite` and `engine.out-of-memory` with the step, its rows and the remedy; InterruptedError
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
 * const trained = await fineTune(base, { train: own, epochs: 1 })
 * const [{ output }] = await trained.student.predict(["3rd of May 1999"])
 */
export const fineTune = defineStage<LoadedStudent, FineTuneOptions, TrainedStudent>({
  name: "fineTune",
  version: 2,
  uses: ["seed", "engine"],
  key: (
    base,
    {
      train,
      validation,
      spec,
      template,
      distillFrom,
      checkpointSeconds: _checkpointSeconds,
      run: _run,
      teacher: _teacher,
      hub: _hub,
      seed: _seed,
      engine: _engine,
      signal: _signal,
      ...settings
    },
  ) => ({
    base: base.fingerprint,
    train: train?.fingerprint,
    validation: validation?.fingerprint,
    instruction: templateOf(base, { spec, template, distillFrom }),
    distillFrom: distillFrom?.fingerprint,
    settings,
  }),
  async work(base, options, context) {
    if (!options.train || options.train.length === 0)
      throw new InputError(
        "train.no-rows",
        "There are no rows to train on: every row was rejected or lost to the other splits. Generate more, or loosen the filters.",
      )
    // A process that was killed after its work was saved, and before that was written down.
    const saved = context.folder ? await readOutcome(context.folder).catch(() => undefined) : undefined
    if (context.folder && saved?.status === "done") return loadTrained(context.folder, context.run, context.fingerprint)
    const { student, outcome } = await trainStudent(base, templateOf(base, options), options, context)
    return present({ kind: "trained", ...outcome, student, fingerprint: context.fingerprint }, context.run)
  },
  async save({ student, kind: _kind, fingerprint: _fingerprint, ...outcome }, folder) {
    await student.save(join(folder, "student"))
    await writeFileAtomically(join(folder, outcomeFile), JSON.stringify(outcome))
    if (outcome.status === "done") await removeCheckpoints(folder)
  },
  load: loadTrained,
  summarize: ({ settings, steps, tokensPerSecond, bestValidationLoss, status, totalSteps }) =>
    [
      status === "done"
        ? `${settings.epochs} epochs, ${steps.toLocaleString("en")} steps`
        : `${steps.toLocaleString("en")} of ${totalSteps.toLocaleString("en")} steps`,
      bestValidationLoss === undefined ? undefined : `validation loss ${bestValidationLoss.toFixed(3)}`,
      `${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`,
    ]
      .filter(Boolean)
      .join(", "),
})

const outcomeFile = "training.json"

async function readOutcome(folder: string): Promise<TrainingOutcome> {
  return JSON.parse(await readFile(join(folder, outcomeFile), "utf8"))
}

async function loadTrained(folder: string, run: Run, fingerprint: string): Promise<TrainedStudent> {
  const outcome = await readOutcome(folder)
  const student = await loadStudent(join(folder, "student"), { engine: run.engine })
  return present({ kind: "trained", ...outcome, student, fingerprint }, run)
}

function templateOf(
  base: LoadedStudent,
  { spec, template, distillFrom }: Pick<FineTuneOptions, "spec" | "template" | "distillFrom">,
): Template {
  if (!template && distillFrom) return distillFrom.template
  if (!template && isSmallModel(base)) return base.template
  const kind = template ?? (base.isPretrained && spec ? "paper" : "bare")
  if (kind === "bare") return { kind }
  if (!spec) throw new InputError("train.no-instruction", 'The paper\'s template needs the prompt: pass spec, or template: "bare".')
  return { kind, instruction: spec.instruction }
}

function present(trained: TrainedStudent, { folder }: Run): TrainedStudent {
  makeSelfShowing(trained, (shown) => ({ ...describeTraining(shown), ...(folder !== undefined && { run: folder }) }))
  return Object.freeze(trained)
}

function describeTraining(trained: TrainedStudent): TrainingPayload {
  const { student, settings, bestValidationLoss } = trained
  const bestEpoch = Math.round((trained.bestStep / trained.totalSteps) * settings.epochs)
  const facts = [
    { label: "parameters", value: `${(student.parameters / 1e6).toFixed(1)} M` },
    { label: "tokens/s", value: Math.round(trained.tokensPerSecond).toLocaleString("en") },
    { label: "engine", value: trained.engine },
    { label: "learning rate", value: String(settings.learningRate) },
    { label: "rows a step", value: String(settings.batchSize * settings.accumulation) },
  ]
  if (bestValidationLoss !== undefined) facts.push({ label: `best validation, epoch ${bestEpoch}`, value: bestValidationLoss.toFixed(3) })
  return {
    kind: "training",
    version: payloadVersion,
    title: "Training",
    subtitle: [`${student.name}, ${trained.steps.toLocaleString("en")} steps in ${Math.round(trained.seconds)} s`, trained.reason]
      .filter(Boolean)
      .join(", "),
    facts,
    train: trained.trainLoss,
    validation: trained.validationLoss,
    totalSteps: trained.totalSteps,
    isRunning: false,
    nextStep: "evaluate(trained.student, splits.test, { run })",
  }
}
