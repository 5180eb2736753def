// prompt2model score as people call it: every kind of file, several right answers, and what it says when something is not there.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { root, runCommand } from "../main-job/command"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-score-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const golden = join(root, "kernel-lib/test/store/golden")

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const score = (predictions: string, hypothesis: string, reference: string, metrics: string, ...more: string[]) =>
  runCommand([
    "score",
    ...["--predictions", predictions, "--hypothesis", hypothesis, "--reference", reference, "--metrics", metrics],
    ...more,
  ])

async function scoresOf(...words: Parameters<typeof score>) {
  const { code, stdout, stderr } = await score(...words, "--json")
  expect(code, stderr).toBe(0)
  // One JSON object and nothing else.
  return JSON.parse(stdout) as { rows: number; scores: Record<string, number> }
}

describe("prompt2model score", () => {
  it.each([
    ["a save_to_disk folder in shards", "saved-shards", 7],
    ["a Parquet file", "pairs-zstd.parquet", undefined],
    ["an Arrow file", "pairs.arrow", undefined],
  ])("reads %s", async (_, name, rows) => {
    const found = await scoresOf(join(golden, name), "output_col", "output_col", "exactMatch,chrF++,BLEU")
    expect(found.scores).toMatchObject({ exactMatch: 1 })
    expect(found.scores["chrF++"]).toBeCloseTo(100, 8)
    expect(Object.keys(found.scores)).toEqual(["exactMatch", "chrF++", "BLEU"])
    if (rows !== undefined) expect(found.rows).toBe(rows)
  })

  it("reads one split of a folder that holds several", async () => {
    const path = join(golden, "saved-dict")
    expect((await scoresOf(path, "output_col", "input_col", "exactMatch", "--split", "test")).rows).toBe(2)
    const { code, stderr } = await score(path, "output_col", "input_col", "exactMatch")
    expect(code).toBe(1)
    expect(stderr).toMatch(/holds the splits train, test/)
  })

  it("takes any of several right answers: lists, SQuAD's form, columns side by side", async () => {
    const lines = [
      { answer: "7", golds: ["seven", "7"], squad: { text: ["7", "seven"], answer_start: [3, 9] } },
      { answer: "x", golds: ["y"], squad: { text: ["y", "z", "x"], answer_start: [0, 0, 0] } },
      { answer: null, golds: [""], squad: { text: [""], answer_start: [0] } },
    ]
    const jsonl = write("golds.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
    expect(await scoresOf(jsonl, "answer", "golds", "exactMatch")).toEqual({ rows: 3, scores: { exactMatch: 1 / 3 } })
    expect((await scoresOf(jsonl, "answer", "squad", "exactMatch")).scores.exactMatch).toBeCloseTo(2 / 3, 12)
    const csv = write("golds.csv", 'answer,first,second\n"the ""cat""","a dog","the ""cat"""\nno,yes,\n')
    expect((await scoresOf(csv, "answer", "first,second", "exactMatch, tokenF1")).scores).toEqual({ exactMatch: 0.5, tokenF1: 0.5 })
  })

  it("asks an encoder for BERTScore", async () => {
    const csv = write("cats.csv", "answer,gold\nthe cat sat,the cat sat\ndogs bark,the cat sat\n")
    const encoder = join(root, "kernel-lib/test/students/golden-encoders/bert-labels")
    const { scores } = await scoresOf(csv, "answer", "gold", "BERTScore,exactMatch", "--encoder", encoder, "--layer", "1")
    expect(scores.BERTScore).toBeGreaterThan(0.5)
    expect(scores.BERTScore).toBeLessThan(1)
    const without = await score(csv, "answer", "gold", "BERTScore")
    expect(without).toMatchObject({ code: 2, stdout: "" })
    expect(without.stderr).toMatch(/^BERTScore needs --encoder FOLDER/)
  })

  it("says in one sentence what is not there, and what to do", async () => {
    const csv = write("pairs.csv", "answer,gold\na,b\n")
    const wrong: [Parameters<typeof score>, number, RegExp][] = [
      [[csv, "answer", "gold", "bleurt"], 1, /^There is no metric bleurt: choose from exactMatch, .*BERTScore\.\n$/],
      [[csv, "answer", "label", "BLEU"], 1, /^There is no column label: choose from answer, gold\.\n$/],
      [[csv, "answer", "gold", " , "], 2, /^--metrics takes names with commas between them/],
      [[join(folder, "none.csv"), "answer", "gold", "BLEU"], 1, /^There is no file .*none\.csv: check the path\.\n$/],
      [[write("empty.jsonl", ""), "answer", "gold", "BLEU"], 1, /^.*empty\.jsonl is empty: .*\.\n$/],
      [[write("header.csv", "answer,gold\n"), "answer", "gold", "BLEU"], 1, /^There is nothing to score: .*\.\n$/],
      [[write("no-gold.jsonl", '{"answer":"a","gold":null}\n'), "answer", "gold", "BLEU"], 1, /^Row 0 has nothing in column gold: .*\.\n$/],
      [[write("notes.txt", "a"), "answer", "gold", "BLEU"], 1, /^.*notes\.txt is of no known type: .*\.\n$/],
    ]
    for (const [words, code, sentence] of wrong) {
      const found = await score(...words)
      expect(found.stderr).toMatch(sentence)
      expect(found).toMatchObject({ code, stdout: "" })
    }
  })
})

describe.skipIf(!process.env.PAPER_ARTIFACTS)("prompt2model score of the paper's predictions (PAPER_ARTIFACTS)", () => {
  it("gives the numbers that the authors noted of the teacher", async () => {
    const path = join(process.env.PAPER_ARTIFACTS!, "baseline/gpt_baseline/results/normalization_gpt_results")
    const { rows, scores } = await scoresOf(path, "output", "model_output", "chrF++,exactMatch")
    expect(rows).toBe(860)
    expect(scores["chrF++"]).toBeCloseTo(30.658278497666956, 10)
    expect(scores.exactMatch).toBe(0.5)
  })
})
