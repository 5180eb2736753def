import { describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { InputError, isPrompt2ModelError, redactSecrets } from "../../src/core/errors"
import { fingerprintOf } from "../../src/core/fingerprint"
import { PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"

describe("Random", () => {
  it("gives the same numbers for the same seed, other numbers for another, and independent forks", () => {
    const draw = (seed: string | number) =>
      Array.from(
        { length: 5 },
        (
          (random) => () =>
            random.next32()
        )(new Random(seed)),
      )
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    const [forked, whole] = [new Random(7), new Random(7)]
    forked.fork("a").next()
    expect(forked.next()).toBe(whole.next())
    expect(new Random(7).fork("a").next()).not.toBe(new Random(7).fork("b").next())
  })

  it("is uniform enough, and normal enough", () => {
    const random = new Random("moments")
    const uniform = Array.from({ length: 20_000 }, () => random.next())
    const normal = Array.from({ length: 20_000 }, () => random.normal())
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(4 * (Math.sqrt(1 / 12) / Math.sqrt(20_000)))
    expect(mean(normal)).toBeCloseTo(0, 1)
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1)
    expect(random.shuffle([...Array(100).keys()]).sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })
})

describe("fingerprintOf", () => {
  it("does not depend on the order of keys, and tells values apart", () => {
    expect(fingerprintOf({ a: 1, b: { c: 2, d: 3 } })).toBe(fingerprintOf({ b: { d: 3, c: 2 }, a: 1 }))
    expect(fingerprintOf({ a: 1 })).not.toBe(fingerprintOf({ a: "1" }))
    expect(fingerprintOf([1, 2])).not.toBe(fingerprintOf([2, 1]))
  })
})

describe("errors", () => {
  it("keep no secret in their sentence, and are known by their brand", () => {
    process.env.SOME_API_KEY = "very-secret-value"
    try {
      const error = new InputError("a.b", "failed with very-secret-value and sk-abcdefghijkl and Bearer abcdefghijkl12345")
      expect(error.message).toBe("failed with [redacted] and [redacted] and [redacted]")
      expect(isPrompt2ModelError(error)).toBe(true)
      expect(isPrompt2ModelError(new Error("x"))).toBe(false)
      expect(error.name).toBe("InputError")
    } finally {
      delete process.env.SOME_API_KEY
    }
    const plain = "a basic understanding of bearer instruments; ask-something-longer; Basic mathematics"
    expect(redactSecrets(plain)).toBe(plain)
  })
})

describe("Dataset", () => {
  const rows = [
    { input: "a", output: "1" },
    { input: "b", output: "2" },
    { input: "c", output: "3", group: "odd ones" },
  ]

  it("keeps rows, their ids and groups through every method, and changes nothing", () => {
    const set = Dataset.from(rows, { name: "mine" })
    expect(set.length).toBe(3)
    expect(set.row(2)).toMatchObject({ input: "c", output: "3", group: "odd ones", from: { kind: "annotated", source: "mine", row: 2 } })
    const picked = set.select([2, 0])
    expect(picked.ids).toEqual([set.ids[2], set.ids[0]])
    expect(set.filter((row) => row.group === undefined).inputs).toEqual(["a", "b"])
    expect(set.concat(picked).length).toBe(5)
    expect(set.fingerprint).toBe(Dataset.from(rows, { name: "mine" }).fingerprint)
    expect(set.fingerprint).not.toBe(picked.fingerprint)
  })

  it("refuses rows that are no text and positions that are not there", () => {
    expect(() => Dataset.from([{ input: 1 as unknown as string, output: "x" }])).toThrow("Row 0 of own rows needs two texts")
    expect(() => Dataset.from(rows).row(3)).toThrow("There is no row 3")
  })

  it("shows itself as a bundle with our JSON, HTML and text", () => {
    const set = Dataset.from(rows, { name: "<b>mine</b>" })
    const bundle = (set as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]()
    expect(Object.keys(bundle)).toEqual(["application/vnd.prompt2model.dataset+json", "text/html", "text/plain"])
    expect(bundle["application/vnd.prompt2model.dataset+json"]).toMatchObject({ version: 1, numRows: 3, rejected: [] })
    expect(bundle["text/html"]).not.toContain("<b>mine")
  })
})

describe("PromptSpec", () => {
  it("is changed into a copy", () => {
    const spec = new PromptSpec({ instruction: "do", demonstrations: [{ input: "a", output: "b" }] })
    const other = spec.with({ instruction: "do it" })
    expect(spec.instruction).toBe("do")
    expect(other.instruction).toBe("do it")
    expect(other.demonstrations).toEqual(spec.demonstrations)
    expect(other.fingerprint).not.toBe(spec.fingerprint)
  })
})
