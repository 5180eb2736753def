// How far rotary positions turn, against transformers, for every way of stretching them.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { rotaryFrequencies } from "../../src/networks/rotary"
import { readRotary } from "../../src/students/rotary-configuration"
import { decoderFolder } from "../students/decoder-golden"

interface GoldenFrequencies {
  readonly parameters: Record<string, unknown>
  readonly frequencies: number[]
  readonly attentionFactor: number
}

const golden: GoldenFrequencies[] = JSON.parse(readFileSync(decoderFolder("frequencies.json"), "utf8"))
const maxPositions = 2048

describe.each(golden)("$parameters", ({ parameters, frequencies, attentionFactor }) => {
  const expectSame = (json: Record<string, unknown>) => {
    const rotary = readRotary(json, "config.json", maxPositions)
    const ours = rotaryFrequencies(rotary, 64)
    expect(ours.length).toBe(frequencies.length)
    frequencies.forEach((frequency, i) => {
      expect(ours[i] / frequency, `pair ${i}`).toBeCloseTo(1, 5)
    })
    expect(rotary.kind === "yarn" ? rotary.attentionFactor : 1).toBeCloseTo(attentionFactor, 6)
  }

  it("turns as in transformers, as version 5 writes it", () => {
    expectSame({ rope_parameters: parameters })
  })

  it("turns the same as version 4 writes it", () => {
    const { rope_theta, rope_type, ...scaling } = parameters
    expectSame({ rope_theta, rope_scaling: rope_type === "default" ? null : { type: rope_type, ...scaling } })
  })
})
