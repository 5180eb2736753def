// `config.json` of GPT-2 and the Llama family: published models come out with as many weights as they have, and what cannot be is refused.
import { describe, expect, it } from "vitest"
import { readArchitecture } from "../../src/students/families"
import { readGpt2Configuration } from "../../src/students/gpt2-configuration"
import { readLlamaConfiguration, writeLlamaConfiguration } from "../../src/students/llama-configuration"
import { decoderModels, readDecoderConfiguration } from "./decoder-golden"

/** As published, but for members that change no shape. */
const published = {
  "GPT-2": [{ model_type: "gpt2", n_ctx: 1024, n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 }, 124_439_808],
  "GPT-2 medium": [{ model_type: "gpt2", n_embd: 1024, n_head: 16, n_layer: 24 }, 354_823_168],
  "SmolLM2-135M": [
    {
      model_type: "llama",
      hidden_size: 576,
      intermediate_size: 1536,
      num_attention_heads: 9,
      num_hidden_layers: 30,
      num_key_value_heads: 3,
      rope_scaling: null,
      rope_theta: 100000,
      tie_word_embeddings: true,
      vocab_size: 49152,
    },
    134_515_008,
  ],
  "Qwen2-0.5B": [
    {
      model_type: "qwen2",
      hidden_size: 896,
      intermediate_size: 4864,
      num_attention_heads: 14,
      num_hidden_layers: 24,
      num_key_value_heads: 2,
      sliding_window: 32768,
      use_sliding_window: false,
      tie_word_embeddings: true,
      vocab_size: 151936,
    },
    494_032_768,
  ],
  "Llama-3.2-1B": [
    {
      model_type: "llama",
      head_dim: 64,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_attention_heads: 32,
      num_hidden_layers: 16,
      num_key_value_heads: 8,
      tie_word_embeddings: true,
      vocab_size: 128256,
    },
    1_235_814_400,
  ],
  "Mistral-7B": [{ model_type: "mistral", sliding_window: null }, 7_241_732_096],
  "Qwen3-0.6B": [
    {
      model_type: "qwen3",
      hidden_size: 1024,
      intermediate_size: 3072,
      num_attention_heads: 16,
      num_hidden_layers: 28,
      num_key_value_heads: 8,
      tie_word_embeddings: true,
    },
    596_049_920,
  ],
  "SmolLM3-3B": [{ model_type: "smollm3" }, 3_075_098_624],
} as const satisfies Record<string, readonly [Record<string, unknown>, number]>

describe("a published config.json", () => {
  it.each(Object.entries(published))("of %s stands for as many weights as the model has", (_name, [json, expected]) => {
    const weights = readArchitecture(json, "config.json").weights
    expect(weights.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)).toBe(expected)
  })
})

describe("a config.json that this library writes", () => {
  it.each(decoderModels)("describes the same model again: %s", (name) => {
    const first = readArchitecture(readDecoderConfiguration(name), "config.json")
    const again = readArchitecture(JSON.parse(JSON.stringify(first.describe())), "config.json")
    expect(again.identity).toEqual(first.identity)
    expect(again.describe()).toEqual(first.describe())
  })

  it("says rotary positions in the words of transformers 4 and of 5", () => {
    const described = writeLlamaConfiguration(readLlamaConfiguration(readDecoderConfiguration("llama3"), "config.json"))
    expect(described).toMatchObject({ rope_theta: 300, rope_scaling: { rope_type: "llama3", factor: 4 } })
    const { rope_theta, rope_scaling, ...of5 } = described
    const { rope_parameters, ...of4 } = described
    const rotaries = [of5, of4].map((json) => readLlamaConfiguration(json, "config.json").shape.rotary)
    expect(rotaries[0]).toEqual(rotaries[1])
    expect(rotaries[0]).toMatchObject({ kind: "llama3", lowFrequencyFactor: 1, highFrequencyFactor: 3, originalPositions: 40 })
  })
})

describe("a config.json that students cannot follow", () => {
  const llama = readDecoderConfiguration("llama3")
  const gpt2 = readDecoderConfiguration("gpt2")

  it.each([
    [{ ...gpt2, n_head: 3 }, "n_head"],
    [{ ...gpt2, activation_function: "mish" }, "activation_function"],
    [{ ...gpt2, add_cross_attention: true }, "add_cross_attention"],
    [{ ...gpt2, n_embd: "20" }, "n_embd"],
    [{ ...gpt2, attn_pdrop: 0.1, resid_pdrop: 1 }, "resid_pdrop"],
    [{ ...llama, num_key_value_heads: 3 }, "num_key_value_heads"],
    [{ ...llama, head_dim: 9 }, "head_dim"],
    [{ ...llama, rope_parameters: { rope_type: "longrope", rope_theta: 100 } }, "longrope"],
    [{ ...llama, rope_parameters: { rope_type: "linear", rope_theta: 100 } }, "factor"],
    [{ ...llama, partial_rotary_factor: 0.5 }, "partial_rotary_factor"],
    [{ ...llama, tie_word_embeddings: "no" }, "tie_word_embeddings"],
    [{ ...readDecoderConfiguration("smollm3"), no_rope_layers: [1] }, "no_rope_layers"],
  ])("is refused by the member's name: %#", (json, member) => {
    expect(() => readArchitecture(json, "folder/config.json")).toThrow(
      expect.objectContaining({
        code: "student.config",
        message: expect.stringMatching(new RegExp(`${member}.*folder/config\\.json|folder/config\\.json.*${member}`)),
      }),
    )
  })

  it("turns whole heads in the default way whatever the factor says, as transformers does", () => {
    const whole = { ...llama, rope_parameters: { rope_type: "default", rope_theta: 300 } }
    const partial = { ...llama, rope_parameters: { rope_type: "default", rope_theta: 300, partial_rotary_factor: 0.5 } }
    expect(readLlamaConfiguration(partial, "config.json").shape).toEqual(readLlamaConfiguration(whole, "config.json").shape)
  })

  it("bounds texts where positions end: learned ones, dynamic ones, those of a sliding window", () => {
    const { longestText } = readLlamaConfiguration(llama, "config.json").shape
    expect(longestText).toBeUndefined()
    const dynamic = { rope_type: "dynamic", rope_theta: 100, factor: 2 }
    expect(readLlamaConfiguration({ ...llama, rope_parameters: dynamic }, "config.json").shape.longestText).toBe(80)
    const sliding = { ...readDecoderConfiguration("mistral"), sliding_window: 50 }
    expect(readLlamaConfiguration(sliding, "config.json").shape.longestText).toBe(50)
    expect(readLlamaConfiguration({ ...sliding, sliding_window: null }, "config.json").shape.longestText).toBeUndefined()
    expect(readGpt2Configuration(gpt2, "config.json").shape.maxPositions).toBe(72)
  })
})
