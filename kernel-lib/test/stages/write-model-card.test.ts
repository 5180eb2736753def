// HyDE: models are searched by a card that the teacher makes up, where it can, and by the prompt's own words where it cannot.
import { describe, expect, it } from "vitest"
import type { Hub, ModelCard } from "../../src/core/hub"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Teacher } from "../../src/core/teacher"
import { simulatedTeacher } from "../../src/services/teachers"
import { retrieveModels } from "../../src/stages/retrieve-models/retrieve-models"

const cardOf = (id: string, description: string): ModelCard => ({
  ...{ id, description, tags: [], languages: ["en"], license: "mit", downloads: 100, architecture: "t5", isPretrained: true },
})
const hub: Hub = {
  ...{ name: "two models", identity: "two models" },
  findDatasets: async () => ({ cards: [], searched: 0 }),
  findModels: async () => ({
    cards: [
      cardOf("lab/chat", "An assistant for sentences, word by word."),
      cardOf("lab/seq", "Text normalization of temporal expressions."),
    ],
    searched: 2,
  }),
  readRows: async () => ({ columns: [], rows: [] }),
  fetchModel: async () => "",
}
const spec = new PromptSpec({ instruction: "Write sentences word by word.", demonstrations: [{ input: "3rd of May", output: "05-03" }] })
const teacherThat = (text: string, asked: string[] = []): Teacher => ({
  name: `says ${text}`,
  // Its answers are not kept, so that it is asked each time that the tests run.
  isRecorded: true,
  complete: async ({ messages }) => {
    asked.push(messages.at(-1)!.content)
    return { texts: [text], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
  },
})
const first = async (options: Parameters<typeof retrieveModels>[1]) => (await retrieveModels(spec, { hub, ...options }))[0].card.id
const subtitle = async (options: Parameters<typeof retrieveModels>[1]) =>
  Object.values(
    ((await retrieveModels(spec, { hub, ...options })) as unknown as Record<symbol, () => Record<string, { subtitle: string }>>)[
      Symbol.for("Jupyter.display")
    ](),
  )[0].subtitle

describe("retrieveModels with hyde", () => {
  const card = '{"card": "A model for temporal text normalization"}'

  it("ranks by the card that the teacher makes up", async () => {
    const asked: string[] = []
    expect(await first({ teacher: teacherThat(card, asked) })).toBe("lab/seq")
    expect(asked).toEqual([expect.stringContaining("Write sentences word by word.")])
    expect(await subtitle({ teacher: teacherThat(card) })).toBe(`2 of 2 searched, by a hypothetical card of says ${card}`)
  })

  it("ranks by the prompt where it is off, where no teacher is there, or a simulated one, and asks nothing then", async () => {
    const asked: string[] = []
    expect(await first({ hyde: false, teacher: teacherThat(card, asked) })).toBe("lab/chat")
    expect(await first({})).toBe("lab/chat")
    expect(await first({ teacher: simulatedTeacher() })).toBe("lab/chat")
    expect(asked).toEqual([])
  })

  it("falls back to the prompt where the teacher writes no card, and says so", async () => {
    const teacher = teacherThat("I know of none.")
    expect(await first({ teacher })).toBe("lab/chat")
    expect(await subtitle({ teacher })).toContain("by the prompt: says I know of none. did not answer in the form that was asked for")
  })
})
