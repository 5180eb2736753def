// What voting and filtering find in rows that gpt-3.5-turbo really made: the paper authors' own, where PAPER_ARTIFACTS names their folder.
// The counts of duplicates and votes are checked against a plain count over the rows; those of the filters are held as they were seen.
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import { recordedTeacher } from "../../src/services/teachers"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { paperArtifacts, readColumns } from "../measures/read-arrow"

const spec = new PromptSpec({ instruction: "Do the task.", demonstrations: [{ input: "a", output: "b" }] })

describe.skipIf(!paperArtifacts)("generateDataset on gpt-3.5-turbo's rows (PAPER_ARTIFACTS)", () => {
  const folderOf = (name: string) => join("generation", "generated_dataset", name)
  const generate = async (name: string, options = {}) =>
    generateDataset(spec, { teacher: await recordedTeacher(join(paperArtifacts!, folderOf(name))), ...options })
  const countsOf = ({ rejectedByReason }: Awaited<ReturnType<typeof generate>>) =>
    Object.fromEntries(rejectedByReason.map(({ reason, rows }) => [reason, rows]))

  it("finds the teacher's repetitions, as many as a plain count does", async () => {
    for (const name of ["normalization_0.3_1.4_without_filtering", "normalization_1.4_1.4_without_filtering"]) {
      const made = await generate(name, { filters: { nearDuplicate: false, lengthOutlier: false } })
      const { input_col: inputs } = readColumns(folderOf(name))
      const different = new Set(inputs.map((input) => input.trim())).size
      expect(made.asked).toBe(inputs.length)
      expect(made.length).toBe(different)
      const { duplicate, outvoted } = countsOf(made)
      expect(duplicate + outvoted).toBe(inputs.length - different)
    }
  })

  const seen: Record<string, { accepted: number; rejected: Record<string, number> }> = {
    "normalization_0.3_1.4_without_filtering": {
      accepted: 4092,
      rejected: { duplicate: 644, outvoted: 225, "near-duplicate": 40, "length outlier": 2 },
    },
    "normalization_1.4_1.4_without_filtering": { accepted: 4895, rejected: { outvoted: 72, duplicate: 33, "length outlier": 1 } },
    "SQuAD_0.3_1.4_without_filtering": {
      accepted: 4282,
      rejected: { "near-duplicate": 510, duplicate: 163, "length outlier": 35, outvoted: 11 },
    },
    jp2python: { accepted: 5000, rejected: { "length outlier": 1 } },
  }
  for (const [name, expected] of Object.entries(seen)) {
    it(`rejects of ${name} what it rejected before, each with its reason`, async () => {
      const made = await generate(name)
      expect({ accepted: made.length, rejected: countsOf(made) }).toEqual(expected)
      expect(made.asked).toBe(made.length + made.rejected.length)
    })
  }

  it("shows that a low temperature at first repeats itself more", async () => {
    const [annealed, hot] = await Promise.all(
      ["0.3_1.4", "1.4_1.4"].map((temperatures) =>
        generate(`normalization_${temperatures}_without_filtering`, { filters: { nearDuplicate: false, duplicate: false } }),
      ),
    )
    expect(annealed.diversity.nearDuplicates).toBeGreaterThan(3 * hot.diversity.nearDuplicates)
    expect(annealed.diversity.distinct2).toBeLessThan(hot.diversity.distinct2!)
    expect(annealed.diversity.similarity).toBeGreaterThan(hot.diversity.similarity!)
  })
})
