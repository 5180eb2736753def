// How `config.json` says what rotary positions are: transformers 4 has `rope_theta` and `rope_scaling`, 5 has both in `rope_parameters`.
import { InputError } from "../core/errors"
import type { RotaryShape } from "../networks/rotary"
import { type ConfigurationJson, ConfigurationMembers } from "./configuration-members"

/**
 * @param maxPositions the model's `max_position_embeddings`
 * @param defaultTheta the `rope_theta` of a model that names none
 * @throws InputError `student.config` for a way of turning that is not known here
 */
export function readRotary(json: ConfigurationJson, path: string, maxPositions: number, defaultTheta = 10_000): RotaryShape {
  const parameters = asObject(json.rope_scaling) ?? asObject(json.rope_parameters) ?? {}
  const members = new ConfigurationMembers({ rope_theta: json.rope_theta, ...parameters }, `the rotary positions of ${path}`)
  const theta = members.number("rope_theta", defaultTheta, 1)
  const originalPositions = () =>
    new ConfigurationMembers({ ...parameters, ...pick(json, "original_max_position_embeddings") }, path).count(
      "original_max_position_embeddings",
      maxPositions,
    )
  const kind = String(parameters.rope_type ?? parameters.type ?? "default")
  const share = parameters.partial_rotary_factor ?? json.partial_rotary_factor ?? 1
  // transformers' networks of this family turn whole heads in the default way, whatever the factor says, and fail in the others.
  if (share !== 1 && kind !== "default") {
    throw new InputError(
      "student.config",
      `Only a part of each head is turned in ${path} (partial_rotary_factor ${JSON.stringify(share)}), which students cannot do: choose a model that turns whole heads.`,
    )
  }
  switch (kind) {
    case "default":
      return { kind, theta }
    case "linear":
    case "dynamic":
      return { kind, theta, factor: members.number("factor", undefined, 1) }
    case "llama3":
      return {
        kind,
        theta,
        factor: members.number("factor", undefined, 1),
        lowFrequencyFactor: members.number("low_freq_factor"),
        highFrequencyFactor: members.number("high_freq_factor"),
        originalPositions: originalPositions(),
      }
    case "yarn": {
      const original = originalPositions()
      const factor = members.number("factor", maxPositions / original, 1)
      return {
        kind,
        theta,
        factor,
        originalPositions: original,
        attentionFactor: members.number("attention_factor", attentionFactorOf(factor, parameters.mscale, parameters.mscale_all_dim)),
        betaFast: members.number("beta_fast", 32),
        betaSlow: members.number("beta_slow", 1),
        isTruncated: members.flag("truncate", true),
      }
    }
    default:
      throw new InputError(
        "student.config",
        `The rotary positions of ${path} are of the type ${JSON.stringify(kind)}; students know default, linear, dynamic, llama3 and yarn: choose another model.`,
      )
  }
}

/** As the paper on yarn suggests (Peng et al. 2023, arXiv 2309.00071). */
function attentionFactorOf(factor: number, share: unknown, shareOfAll: unknown): number {
  const scale = (share: number) => (factor <= 1 ? 1 : 0.1 * share * Math.log(factor) + 1)
  if (typeof share === "number" && share > 0 && typeof shareOfAll === "number" && shareOfAll > 0) return scale(share) / scale(shareOfAll)
  return scale(1)
}

/** The members that say it to transformers 4 and 5. */
export function writeRotary(rotary: RotaryShape): Record<string, unknown> {
  const parameters = { rope_theta: rotary.theta, rope_type: rotary.kind, ...writeStretching(rotary) }
  const { rope_theta, ...scaling } = parameters
  return { rope_theta, rope_scaling: rotary.kind === "default" ? null : scaling, rope_parameters: parameters }
}

function writeStretching(rotary: RotaryShape): Record<string, unknown> {
  switch (rotary.kind) {
    case "default":
      return {}
    case "linear":
    case "dynamic":
      return { factor: rotary.factor }
    case "llama3":
      return {
        factor: rotary.factor,
        low_freq_factor: rotary.lowFrequencyFactor,
        high_freq_factor: rotary.highFrequencyFactor,
        original_max_position_embeddings: rotary.originalPositions,
      }
    case "yarn":
      return {
        factor: rotary.factor,
        original_max_position_embeddings: rotary.originalPositions,
        attention_factor: rotary.attentionFactor,
        beta_fast: rotary.betaFast,
        beta_slow: rotary.betaSlow,
        truncate: rotary.isTruncated,
      }
  }
}

function asObject(value: unknown): ConfigurationJson | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as ConfigurationJson) : undefined
}

function pick(json: ConfigurationJson, name: string): ConfigurationJson {
  return json[name] === undefined || json[name] === null ? {} : { [name]: json[name] }
}
