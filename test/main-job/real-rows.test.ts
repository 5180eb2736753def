// The main job on the paper authors' rows: the teacher's real answers, and real tests. Short trainings: that it runs to its end and
// reports honest baselines is what is held here; the full training's scores stand in the README.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { readJson, runCommand } from "./command"

const artifacts = process.env.PAPER_ARTIFACTS
const folder = mkdtempSync(join(tmpdir(), "prompt2model-real-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!artifacts)("recorded rows (PAPER_ARTIFACTS names the authors' folder)", () => {
  const generated = (name: string) => `recorded:${artifacts}/generation/generated_dataset/${name}`

  it("run to the end on the Temporal task, beside the majority baseline", async () => {
    const out = join(folder, "temporal")
    const finished = await runCommand([
      ...["run", "notebooks/prompts/temporal.txt", "--teacher", generated("normalization_1.4_1.4_without_filtering")],
      ...["--test", `${artifacts}/baseline/real_datasets/datasets/normalization`, "--num-examples", "300", "--epochs", "1", "--out", out],
    ])
    expect(finished.stderr).not.toContain("Error")
    expect(finished.code).toBe(0)
    const run = readJson(join(out, "run.json"))
    expect(run.rows.test).toBe(860)
    expect(run.scores).toMatchObject({ exactMatch: expect.any(Number), "chrF++": expect.any(Number) })
    expect(run.rows.retrieved).toBe(0)
  })

  it("run to the end on a prompt of quite another task", async () => {
    const out = join(folder, "ja-to-python")
    const finished = await runCommand([
      "run",
      "notebooks/prompts/ja-to-python.txt",
      "--teacher",
      generated("jp2python"),
      "--num-examples",
      "200",
      "--epochs",
      "1",
      "--out",
      out,
    ])
    expect(finished.code).toBe(0)
    expect(readJson(join(out, "run.json"))).toMatchObject({ status: "done", scores: { exactMatch: expect.any(Number) } })
  })
})
