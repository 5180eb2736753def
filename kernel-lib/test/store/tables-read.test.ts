// readTable on files that Python wrote (golden/make_golden.py), on the paper's artefacts, and on files that are not what they seem.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { isPrompt2ModelError } from "../../src/core/errors"
import { Random } from "../../src/core/random"
import { readTable } from "../../src/store/tables"
import { makeFolder, removeFolders } from "./folders"

const golden = join(import.meta.dirname, "golden")
const artifacts = process.env.PAPER_ARTIFACTS
afterAll(removeFolders)

const pairRows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ input_col: `in ${from + index}`, output_col: `out ${from + index}` }))

describe("what Python wrote", () => {
  test.each(["saved-typed", "typed.parquet"])("%s has every type as plain data", async (name) => {
    const expected: Record<string, unknown[]> = JSON.parse(await readFile(join(golden, "typed.json"), "utf8"))
    const { columns, rows } = await readTable(join(golden, name))
    expect(columns).toEqual(Object.keys(expected))
    expect(rows).toHaveLength(7)
    for (const column of columns) {
      const cells = rows
        .map((row) => row[column])
        .map((cell) => (cell instanceof Date ? cell.toISOString() : Object.is(cell, -0) ? 0 : cell))
      expect(cells, column).toEqual(expected[column])
    }
  })

  test.each(["saved-shards", "pairs.arrow", ...["snappy", "gzip", "zstd", "brotli", "lz4"].map((codec) => `pairs-${codec}.parquet`)])(
    "%s: all rows, the first five, one column",
    async (name) => {
      const path = join(golden, name)
      expect(await readTable(path)).toMatchObject({ columns: ["input_col", "output_col"], rows: pairRows(0, 7) })
      expect((await readTable(path, { maxRows: 5 })).rows).toEqual(pairRows(0, 5))
      expect((await readTable(path, { columns: ["output_col"], maxRows: 1 })).rows).toEqual([{ output_col: "out 0" }])
      await expect(readTable(path, { columns: ["output"] })).rejects.toThrow(/ has no column output; it has input_col, output_col\.$/)
    },
  )

  test("a folder of splits gives the one asked for, or names them", async () => {
    const path = join(golden, "saved-dict")
    expect((await readTable(path, { split: "test" })).rows).toEqual(pairRows(5, 7))
    expect((await readTable(join(path, "train"))).rows).toEqual(pairRows(0, 5))
    await expect(readTable(path)).rejects.toMatchObject({
      code: "table.which-split",
      message: expect.stringContaining("train, test: name one"),
    })
    await expect(readTable(path, { split: "dev" })).rejects.toMatchObject({ code: "table.no-such-split" })
  })

  test("a saved dataset without rows still has its columns", async () => {
    expect(await readTable(join(golden, "saved-empty"))).toEqual({ columns: ["input_col", "output_col"], rows: [] })
  })
})

describe("text", () => {
  test("JSON lines: other line separators, a byte order mark and missing members are taken as they are", async () => {
    const path = join(await makeFolder(), "rows.jsonl")
    await writeFile(path, '\uFEFF{"input": "one\u2028line", "n": 1}\r\n\n{"input": "two", "extra": [1]}')
    expect(await readTable(path)).toEqual({
      columns: ["input", "n", "extra"],
      rows: [
        { input: "one\u2028line", n: 1 },
        { input: "two", extra: [1] },
      ],
    })
    expect((await readTable(path, { columns: ["n"] })).rows).toEqual([{ n: 1 }, { n: null }])
    expect((await readTable(path, { maxRows: 1 })).rows).toHaveLength(1)
  })

  test("CSV: quotes, line breaks in cells, a byte order mark", async () => {
    const path = join(await makeFolder(), "rows.csv")
    await writeFile(path, '\uFEFFinput,output\r\n"a ""b"", c","two\nlines"\r\n\r\n ,\r\n')
    expect(await readTable(path)).toEqual({
      columns: ["input", "output"],
      rows: [
        { input: 'a "b", c', output: "two\nlines" },
        { input: " ", output: "" },
      ],
    })
    expect((await readTable(path, { maxRows: 1, columns: ["output"] })).rows).toEqual([{ output: "two\nlines" }])
    await writeFile(path, "input,output,input\n1,2,3\n")
    await expect(readTable(path)).rejects.toMatchObject({ code: "table.repeated-column" })
  })
})

describe("bad files get one sentence and a code", () => {
  const cases: [name: string, content: string | Buffer, code: string][] = [
    ["nothing.jsonl", "", "table.empty"],
    ["blank.jsonl", "\n\n", "table.empty"],
    ["nothing.csv", "", "table.empty"],
    ["blank.csv", "\n\n", "table.empty"],
    ["nothing.parquet", "", "table.empty"],
    ["nothing.arrow", "", "table.empty"],
    ["cut.jsonl", '{"input": "a"}\n{"inp', "table.damaged"],
    ["list.jsonl", "[1, 2]\n", "table.damaged"],
    ["ragged.csv", "input,output\n1,2\n3\n", "table.damaged"],
    ["open.csv", 'input,output\n"1,2\n', "table.damaged"],
    ["text.parquet", "input,output\n1,2\n", "table.damaged"],
    ["text.arrow", "input,output\n1,2\n", "table.damaged"],
    ["rows.xlsx", "PK", "table.unknown-type"],
    ["rows", "input,output\n", "table.unknown-type"],
  ]
  test.each(cases)("%s", async (name, content, code) => {
    const path = join(await makeFolder(), name)
    await writeFile(path, content)
    await expect(readTable(path)).rejects.toMatchObject({ code, message: expect.stringMatching(/^[^\n]+\.$/) })
  })

  test("a missing file, and a folder that is no dataset", async () => {
    const folder = await makeFolder()
    await expect(readTable(join(folder, "none.csv"))).rejects.toMatchObject({ code: "table.missing" })
    await expect(readTable(folder)).rejects.toMatchObject({ code: "table.not-saved" })
    await writeFile(join(folder, "a.jsonl"), "")
    await expect(readTable(folder)).rejects.toThrow("give one of its files")
  })

  test("a saved folder that names files elsewhere, lacks a shard, or uses indices", async () => {
    const folder = join(await makeFolder(), "saved")
    await mkdir(folder)
    const save = (state: unknown) => writeFile(join(folder, "state.json"), JSON.stringify(state))
    await save({ _data_files: [{ filename: "../../secret.arrow" }] })
    await expect(readTable(folder)).rejects.toMatchObject({ code: "table.damaged" })
    await save({ _data_files: [{ filename: "gone.arrow" }] })
    await expect(readTable(folder)).rejects.toMatchObject({ code: "table.missing", message: expect.stringContaining("gone.arrow") })
    await save({ _data_files: [{ filename: "gone.arrow" }], _indices_data_files: [{ filename: "indices.arrow" }] })
    await expect(readTable(folder)).rejects.toMatchObject({ code: "table.has-indices" })
    await writeFile(join(folder, "state.json"), "{")
    await expect(readTable(folder)).rejects.toMatchObject({ code: "table.damaged", message: expect.stringContaining("state.json") })
  })

  test.each(["typed.parquet", "pairs-zstd.parquet", "pairs.arrow", "saved-typed"])(
    "%s, cut short anywhere or with any bytes changed, never gives fewer rows in silence",
    async (name) => {
      const folder = await makeFolder()
      await cp(join(golden, name), join(folder, name), { recursive: true })
      const path = join(folder, name)
      const file = name === "saved-typed" ? join(path, "data-00000-of-00001.arrow") : path
      const whole = await readFile(file)
      const random = new Random(name)
      let refused = 0
      for (let trial = 0; trial < 60; trial++) {
        const bytes = Buffer.from(whole.subarray(0, trial % 3 === 0 ? random.integer(whole.length - 1) : whole.length))
        if (trial % 3 !== 0) for (let change = 0; change < 3; change++) bytes[random.integer(bytes.length)] = random.integer(256)
        await writeFile(file, bytes)
        const outcome = await readTable(path).catch((error: unknown) => error)
        if (outcome instanceof Error) {
          expect(isPrompt2ModelError(outcome), String(outcome.stack)).toBe(true)
          refused++
        } else {
          expect(trial % 3, "a file that was cut short was taken").not.toBe(0)
          expect((outcome as { rows: unknown[] }).rows).toHaveLength(7)
        }
      }
      expect(refused).toBeGreaterThanOrEqual(20)
    },
  )
})

describe.skipIf(!artifacts)("the paper's artefacts (PAPER_ARTIFACTS)", () => {
  test.each([
    ["generation/generated_dataset/normalization_1.4_1.4_without_filtering", 5001, ["input_col", "output_col"]],
    ["baseline/real_datasets/datasets/jp2python", 210, ["intent", "output_col", "question_id", "input_col"]],
    ["baseline/gpt_baseline/results/normalization_gpt_results", 860, ["input_col", "model_input", "output_col", "model_output", "output"]],
    ["testdataset/SQuAD_transformed", 1000, ["id", "title", "context", "question", "answers", "input_col", "output_col"]],
  ])("%s has %i rows", async (folder, numRows, columns) => {
    const table = await readTable(join(artifacts!, folder))
    expect(table.columns).toEqual(columns)
    expect(table.rows).toHaveLength(numRows)
    expect(table.rows.every((row) => typeof row.input_col === "string" && typeof row.output_col === "string")).toBe(true)
    if (columns.includes("answers"))
      expect(table.rows[0].answers).toMatchObject({
        text: expect.arrayContaining([expect.any(String)]),
        answer_start: expect.arrayContaining([expect.any(Number)]),
      })
  })
})
