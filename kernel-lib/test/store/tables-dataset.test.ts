// Datasets on disk: which columns are taken, and what comes back of what was written.
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { Dataset, type Provenance, type RejectedRow } from "../../src/core/dataset"
import { readDataset, readTable, writeDataset } from "../../src/store/tables"
import { makeFolder, removeFolders } from "./folders"

const golden = join(import.meta.dirname, "golden")
const artifacts = process.env.PAPER_ARTIFACTS
afterAll(removeFolders)

const generated: Provenance = {
  kind: "generated",
  teacher: "t",
  isSimulated: true,
  call: 3,
  response: 1,
  temperature: 0.75,
  votes: 2,
  voters: 4,
}
const retrieved: Provenance = { kind: "retrieved", dataset: "d", configuration: "c", split: "train", row: 9 }
const whole = Dataset.from(
  [
    { input: "plain", output: "1", from: generated },
    { input: 'quotes ", commas, and\nlines', output: "", from: retrieved, group: "held out" },
    { input: "日本語\u2028", output: " spaces ", id: "my-id", from: generated },
    { input: "", output: "=1+1" },
  ],
  {
    name: "mixed rows",
    note: "made for a test",
    rejected: [
      { id: "r1", input: "bad", output: "", from: generated, reason: "malformed", detail: "no, comma" },
      { id: "r2", input: "twice", output: "x", from: retrieved, reason: "duplicate" },
    ] satisfies RejectedRow[],
  },
)

describe.each(["parquet", "jsonl", "csv"])("writeDataset and readDataset, .%s", (ending) => {
  test("rows, ids, provenance, groups and rejected rows come back", async () => {
    const folder = await makeFolder()
    const path = join(folder, `rows.${ending}`)
    await writeDataset(whole, path)
    expect((await readdir(folder)).sort()).toEqual([`rows.${ending}`, `rows.rejected.${ending}`])
    const back = await readDataset(path)
    expect([...back]).toEqual([...whole])
    expect(back.fingerprint).toBe(whole.fingerprint)
    expect(back.rejected).toEqual(whole.rejected)
    expect(back.file).toBe(path)
    expect(back.name).toBe(ending === "parquet" ? "mixed rows" : "rows")
    expect(back.note).toBe(ending === "parquet" ? "made for a test" : "")
  })

  test("rejected rows of an earlier writing do not stay behind", async () => {
    const path = join(await makeFolder(), `rows.${ending}`)
    await writeDataset(whole, path)
    await writeDataset(whole.with({ rejected: [] }), path)
    expect((await readDataset(path)).rejected).toEqual([])
  })

  test("a set whose first rows have no group keeps the later ones", async () => {
    const path = join(await makeFolder(), `rows.${ending}`)
    await writeDataset(whole, path)
    expect((await readDataset(path)).groups).toEqual([undefined, "held out", undefined, undefined])
  })
})

test("an empty dataset comes back empty, with its rejected rows", async () => {
  const path = join(await makeFolder(), "none.parquet")
  await writeDataset(whole.select([]).with({ rejected: whole.rejected }), path)
  const back = await readDataset(path)
  expect(back.length).toBe(0)
  expect(back.rejected).toEqual(whole.rejected)
})

test("many rows go into several row groups", async () => {
  const path = join(await makeFolder(), "many.parquet")
  const many = Dataset.from(Array.from({ length: 5000 }, (_, index) => ({ input: `row ${index}`, output: String(index % 7) })))
  await writeDataset(many, path)
  expect((await readDataset(path)).fingerprint).toBe(many.fingerprint)
  expect((await readTable(path, { maxRows: 1500, columns: ["input"] })).rows.at(-1)).toEqual({ input: "row 1499" })
})

describe("columns", () => {
  const write = async (content: string, name = "own.csv") => {
    const path = join(await makeFolder(), name)
    await writeFile(path, content)
    return path
  }

  test("input and output, the paper's input_col and output_col, or those that are named", async () => {
    const own = await readDataset(await write("output,input,id,from\nB,A,7,home\n"))
    expect([...own]).toMatchObject([{ input: "A", output: "B", from: { kind: "annotated", source: "own", row: 0 } }])
    expect(own.ids[0]).not.toBe("7")
    expect((await Dataset.from(join(golden, "saved-shards"))).row(6)).toMatchObject({ input: "in 6", output: "out 6" })
    const named = await readDataset(await write("question,answer,output\nA,B,C\n"), {
      inputColumn: "question",
      outputColumn: "answer",
      name: "quiz",
    })
    expect(named.row(0)).toMatchObject({ input: "A", output: "B", from: { source: "quiz" } })
  })

  test("without such a pair it says what there is", async () => {
    await expect(readDataset(await write("question,answer\nA,B\n"))).rejects.toMatchObject({
      code: "dataset.no-columns",
      message: expect.stringContaining("needs the columns input and output; it has question, answer"),
    })
  })

  test("numbers, booleans and labels become text, rows without a value are rejected, structures are refused", async () => {
    const path = join(golden, "typed.parquet")
    const labelled = await readDataset(path, { outputColumn: "label" })
    expect(labelled.outputs).toEqual(["negative", "neutral", "positive", "neutral", "negative", "positive"])
    expect(labelled.rejected).toMatchObject([{ reason: "malformed", detail: "no input", from: { row: 4 } }])
    expect((await readDataset(path, { inputColumn: "count", outputColumn: "isRight" })).row(0)).toMatchObject({
      input: "1",
      output: "true",
    })
    await expect(readDataset(path, { outputColumn: "answers" })).rejects.toMatchObject({ code: "dataset.row-not-text" })
  })
})

describe.skipIf(!artifacts)("the paper's artefacts (PAPER_ARTIFACTS)", () => {
  test("the real Temporal test: 860 rows, 369 of them N/A", async () => {
    const real = await Dataset.from(join(artifacts!, "baseline/real_datasets/datasets/normalization"))
    expect(real.length).toBe(860)
    expect(real.outputs.filter((output) => output === "N/A").length / real.length).toBeCloseTo(0.429, 3)
    expect(new Set(real.ids).size).toBe(860)
    const path = join(await makeFolder(), "real.parquet")
    await writeDataset(real, path)
    expect((await readDataset(path)).fingerprint).toBe(real.fingerprint)
  })

  test("predictions: output beside model_output", async () => {
    const folder = "generation/generated_dataset/flan-t5-base_normalization_1.4_1.4_with_filtering_real_dataset_without_post_filter"
    const { columns, rows } = await readTable(join(artifacts!, folder))
    expect(columns).toEqual(expect.arrayContaining(["output", "model_output"]))
    expect(rows.filter((row) => row.output === row.model_output).length / rows.length).toBeCloseTo(0.5523, 4)
  })
})
