// loadModel: a candidate, a hub's name or a folder in, a student that can be trained out.
import type { ModelCandidate } from "../../core/candidates"
import { InputError } from "../../core/errors"
import type { StageInlineOptions } from "../../core/run"
import { exists } from "../../store/atomic"
import { defineStage } from "../../store/define-stage"
import { type LoadedStudent, loadStudent } from "../../students"

export type LoadModelOptions = StageInlineOptions

/**
 * Loads a base model: a candidate of `retrieveModels`, a name of the hub, or a folder that transformers wrote. An untrained configuration
 * gets its weights drawn from the run's seed.
 * @throws InputError `hub.missing`, `student.*`; ServiceError where the hub cannot be reached
 */
export const loadModel = defineStage<ModelCandidate | string, LoadModelOptions, LoadedStudent>({
  name: "loadModel",
  version: 1,
  uses: ["hub", "seed"],
  key: (model) => nameOf(model),
  async work(model, _options, { run, signal }) {
    const name = nameOf(model)
    const isFolder = typeof model === "string" && (await exists(`${model}/config.json`))
    if (!isFolder && !run.hub)
      throw new InputError(
        "hub.missing",
        `${name} is no folder with a config.json, and no hub was given: pass hub: bundledHub() or huggingFaceHub().`,
      )
    const folder = isFolder ? name : await run.hub!.fetchModel(name, { signal })
    return loadStudent(folder, { seed: run.seed, engine: run.engine, name: name.split("/").at(-1) })
  },
  summarize: (student) =>
    `${student.name}, ${(student.parameters / 1e6).toFixed(1)} M parameters${student.isPretrained ? "" : ", untrained"}`,
})

function nameOf(model: ModelCandidate | string): string {
  return typeof model === "string" ? model : model.card.id
}
