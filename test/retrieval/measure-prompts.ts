// How well datasets and base models of the bundled hub are found for prompts of different tasks. From the repository's root:
//
//   npx unrun test/retrieval/measure-prompts.ts [--json]
//
// A line for each prompt and each way, and recall at 1 and at 5: the share of prompts of which one that serves is the first, or among the
// first five. `search` is what a run without a teacher does; `simulated` is what the simulated teacher's votes make of it. A prompt for which
// the catalogue has nothing has no place among these shares; it is right where the pipeline takes none.
import { PromptSpec } from "../../kernel-lib/src/core/prompt-spec"
import type { Teacher } from "../../kernel-lib/src/core/teacher"
import { bundledHub } from "../../kernel-lib/src/services/hubs"
import { simulatedTeacher } from "../../kernel-lib/src/services/teachers"
import { retrieveDatasets } from "../../kernel-lib/src/stages/retrieve-datasets/retrieve-datasets"
import { retrieveModels } from "../../kernel-lib/src/stages/retrieve-models/retrieve-models"
import { afterwardsPrompts } from "./prompts/afterwards"
import { firstPrompts } from "./prompts/first"
import { freshPrompts } from "./prompts/fresh"
import { heldOutPrompts } from "./prompts/held-out"
import type { RetrievalPrompt } from "./prompts/prompt"
import { variedPrompts } from "./prompts/varied"

export interface PromptResult {
  readonly task: string
  readonly way: "search" | "simulated"
  readonly what: "datasets" | "models"
  /** From 1; undefined where none of those that serve is among the first five. */
  readonly place?: number
  /** What the pipeline would take; undefined where it takes none. */
  readonly chosen?: string
  /** Whether it takes one that serves; or none, where none does. */
  readonly isChosenRight: boolean
  /** Whether anything serves. */
  readonly isServed: boolean
  readonly first: string
}

const nameOf = (id: string) => id.slice(id.indexOf("/") + 1)

export async function measurePrompt(prompt: RetrievalPrompt, way: PromptResult["way"], teacher?: Teacher): Promise<PromptResult[]> {
  const spec = new PromptSpec({
    instruction: prompt.instruction,
    demonstrations: prompt.examples.map(([input, output]) => ({ input, output })),
  })
  const options = { hub: bundledHub(), teacher }
  const datasets = await retrieveDatasets(spec, options)
  const models = await retrieveModels(spec, options)
  const describe = (
    what: PromptResult["what"],
    found: readonly { card: { id: string }; isChosen: boolean }[],
    right: readonly string[],
  ): PromptResult => {
    const at = found.findIndex(({ card }) => right.includes(nameOf(card.id)))
    const chosen = found.find(({ isChosen }) => isChosen)
    const name = chosen && nameOf(chosen.card.id)
    return {
      task: prompt.task,
      way,
      what,
      place: at < 0 ? undefined : at + 1,
      chosen: name,
      isChosenRight: right.length === 0 ? name === undefined : name !== undefined && right.includes(name),
      isServed: right.length > 0,
      first: nameOf(found[0]?.card.id ?? "/none"),
    }
  }
  return [describe("datasets", datasets, prompt.datasets), describe("models", models, prompt.models)]
}

export function recall(results: readonly PromptResult[], most: number): number {
  const served = results.filter(({ isServed }) => isServed)
  return served.filter(({ place }) => place !== undefined && place <= most).length / served.length
}

const sets = { first: firstPrompts, "held out": heldOutPrompts, fresh: freshPrompts, varied: variedPrompts, afterwards: afterwardsPrompts }

async function main(): Promise<void> {
  const rows: Record<string, unknown>[] = []
  const teacher = simulatedTeacher()
  for (const [set, members] of Object.entries(sets)) {
    for (const way of ["search", "simulated"] as const) {
      const results: PromptResult[] = []
      for (const prompt of members) results.push(...(await measurePrompt(prompt, way, way === "search" ? undefined : teacher)))
      for (const what of ["datasets", "models"] as const) {
        const found = results.filter((result) => result.what === what)
        if (found.length === 0) continue
        rows.push({
          set,
          way,
          what,
          prompts: found.length,
          "R@1": recall(found, 1),
          "R@5": recall(found, 5),
          "taken right": found.filter(({ chosen, isChosenRight }) => chosen && isChosenRight).length,
          "taken wrong": found.filter(({ chosen, isChosenRight }) => chosen && !isChosenRight).length,
          "none, rightly": found.filter(({ chosen, isChosenRight }) => !chosen && isChosenRight).length,
        })
        if (!process.argv.includes("--json")) {
          for (const { task, place, chosen, first, isChosenRight } of found)
            console.log(
              [
                set,
                way,
                what,
                task,
                place ?? "-",
                chosen ? (isChosenRight ? "taken" : `takes ${chosen}`) : isChosenRight ? "none, rightly" : "takes none",
                place === 1 ? "" : `first: ${first}`,
              ].join("\t"),
            )
        }
      }
    }
  }
  await teacher.close?.()
  if (process.argv.includes("--json")) console.log(JSON.stringify(rows))
  else console.table(rows)
}

if (process.argv[1]?.includes("measure-prompts")) await main()
