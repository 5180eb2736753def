// The families of models that can be students, found by their `config.json`.
import { InputError } from "../core/errors"
import type { Architecture, Family } from "./architecture"
import { bertFamily } from "./bert-architecture"
import { gpt2Family } from "./gpt2-architecture"
import { llamaFamily } from "./llama-architecture"
import { t5Family } from "./t5-architecture"

const families: readonly Family[] = [t5Family, gpt2Family, llamaFamily, bertFamily]

/** transformers' `model_type`s that can be students. */
export const supportedModelTypes: readonly string[] = families.flatMap(({ modelTypes }) => modelTypes)

/**
 * The architecture that a parsed `config.json` describes.
 * @throws InputError `student.architecture` for a model of no family here, `student.config` for a member that cannot be
 */
export function readArchitecture(json: Readonly<Record<string, unknown>>, path: string): Architecture {
  const modelType = String(json.model_type)
  const family = families.find(({ modelTypes }) => modelTypes.includes(modelType))
  if (family) return family.read(json, path)
  throw new InputError(
    "student.architecture",
    `${path} describes a model of type ${modelType}; students are models of these types: ${supportedModelTypes.join(", ")}.`,
  )
}
