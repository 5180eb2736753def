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
  const family = families.find(({ modelTypes }) => modelTypes.some((type) => type === json.model_type))
  if (!family) {
    const found = typeof json.model_type === "string" ? `describes a model of type ${json.model_type}` : "names no model_type"
    throw new InputError(
      "student.architecture",
      `${path} ${found}; choose a model of one of these types: ${supportedModelTypes.join(", ")}.`,
    )
  }
  const [name] = Array.isArray(json.architectures) ? json.architectures : []
  if (typeof name === "string" && family.foreignHeads.some((head) => name.endsWith(head)))
    throw new InputError(
      "student.architecture",
      `${path} describes a ${name}, whose head no student has; choose the model that it was made from.`,
    )
  return family.read(json, path)
}
