// fineTune: a base model and rows in, a trained student out. Each row's output is learnt from its input, step by step, by the engine's
// traced graph; the loop is the textbook's.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { payloadVersion, type TrainingPayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage } from "../../store/define-stage"
import { type LoadedStudent, loadStudent, type Template } from "../../students"
import type { TrainingSettings } from "./choose-settings"
import { trainStudent } from "./train-student"
import type { TrainingOutcome } from "./training-outcome"

export interface FineTuneOptions extends StageInlineOptions, Partial<TrainingSettings> {
  readonly train: Dataset
  /** Decides which epoch's weights are kept. Default: none, and the last epoch's are. */
  readonly validation?: Dataset
  /** The prompt, for the paper's template. */
  readonly spec?: PromptSpec
  /** How an input becomes the student's text: `paper` puts the instruction before it, `bare` leaves it as it is. Default: `paper` for a pretrained base with a `spec`, else `bare`. */
  readonly template?: "paper" | "bare"
}

/** A student with the history of its training. */
export interface TrainedStudent extends TrainingOutcome {
  readonly kind: "trained"
  readonly student: LoadedStudent
  readonly fingerprint: string
}

/**
 * Trains a base model on rows of input and output. Interrupted, it saves a checkpoint and the student as far as it is, and the same call
 * goes on from there to the same weights as an undisturbed one.
 *
 * @throws InputError `train.no-rows`; EngineError `engine.*`; InterruptedError
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
 * const trained = await fineTune(base, { train: own, epochs: 1 })
 * const [{ output }] = await trained.student.predict(["3rd of May 1999"])
 */
export const fineTune = defineStage<LoadedStudent, FineTuneOptions, TrainedStudent>({
  name: "fineTune",
  version: 1,
  uses: ["seed", "engine"],
  key: (
    base,
    {
      train,
      validation,
      spec,
      template,
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
    instruction: templateOf(base, { spec, template }),
    settings,
  }),
  async work(base, options, context) {
    if (!options.train || options.train.length === 0)
      throw new InputError(
        "train.no-rows",
        "There are no rows to train on: every row was rejected or lost to the other splits. Generate more, or loosen the filters.",
      )
    const { student, outcome } = await trainStudent(base, templateOf(base, options), options, context)
    return present({ kind: "trained", ...outcome, student, fingerprint: context.fingerprint })
  },
  async save({ student, kind: _kind, fingerprint: _fingerprint, ...outcome }, folder) {
    await student.save(join(folder, "student"))
    await writeFileAtomically(join(folder, "training.json"), JSON.stringify(outcome))
  },
  async load(folder, run, fingerprint) {
    const outcome: TrainingOutcome = JSON.parse(await readFile(join(folder, "training.json"), "utf8"))
    return present({
      kind: "trained",
      ...outcome,
      student: await loadStudent(join(folder, "student"), { engine: run.engine }),
      fingerprint,
    })
  },
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

function templateOf(base: LoadedStudent, { spec, template }: { spec?: PromptSpec; template?: "paper" | "bare" }): Template {
  const kind = template ?? (base.isPretrained && spec ? "paper" : "bare")
  if (kind === "bare") return { kind }
  if (!spec) throw new InputError("train.no-instruction", 'The paper\'s template needs the prompt: pass spec, or template: "bare".')
  return { kind, instruction: spec.instruction }
}

function present(trained: TrainedStudent): TrainedStudent {
  makeSelfShowing(trained, describeTraining)
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
    { label: "rows a step", value: String(settings.batchSize) },
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
