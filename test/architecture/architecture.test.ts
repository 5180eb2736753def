// The house holds: no room imports what its row of the table does not name, no stage another stage, and there is no cycle.
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { findCycle, findForbiddenImports, readImports } from "./rooms"

const graph = readImports(join(__dirname, "../../kernel-lib/src"))

describe("the rooms of kernel-lib", () => {
  it("import only what they may", () => {
    expect(graph.size).toBeGreaterThan(50)
    expect(findForbiddenImports(graph)).toEqual([])
  })

  it("have no cycle of files", () => {
    expect(findCycle(graph)).toBeUndefined()
  })

  it("would not pass if a stage imported a service, or another stage, or if two files imported each other", () => {
    const stage = "stages/generate-dataset/generate-dataset.ts"
    expect(graph.has(stage)).toBe(true)
    const broken = new Map([...graph, [stage, ["services/teachers/index.ts", "stages/evaluate/evaluate.ts"]]])
    expect(findForbiddenImports(broken)).toEqual([
      `${stage} imports services/teachers/index.ts: stages may not import services`,
      `${stage} imports stages/evaluate/evaluate.ts: a stage may not import another stage`,
    ])
    const circular = new Map([...graph, ["core/errors.ts", ["core/random.ts"]], ["core/random.ts", ["core/errors.ts"]]])
    expect(findCycle(circular)).toEqual(["core/errors.ts", "core/random.ts", "core/errors.ts"])
  })
})
