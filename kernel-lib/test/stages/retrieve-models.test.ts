// retrieveModels against a hub of odd models.
import { describe, expect, it } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import { retrieveModels } from "../../src/stages/retrieve-models/retrieve-models"
import { hubOf, modelCard, spec } from "./odd-hub"

describe("retrieveModels", () => {
  it("weighs relevance by downloads, and shows what cannot be used behind the rest, each with its reason", async () => {
    const models = [
      modelCard("z/neox", { architecture: "gpt_neox", downloads: 1e9 }),
      modelCard("z/huge", { bytes: 5e9 }),
      modelCard("z/other", { description: "Segments pictures." }),
      modelCard("z/known", { downloads: 1e6 }),
      modelCard("z/scratch", { isPretrained: false, downloads: 0 }),
      modelCard("z/rare"),
    ]
    const found = await retrieveModels(spec, { hub: hubOf([], models), limit: 10 })
    expect(found.map(({ card }) => card.id)).toEqual(["z/known", "z/rare", "z/other", "z/scratch", "z/huge", "z/neox"])
    expect(found.chosen?.card.id).toBe("z/known")
    expect(found.named("neox").why).toMatch(/^gpt_neox is no architecture that this library trains/)
    expect(found.named("huge").why).toMatch(/^5\.0 GB, more than 3\.0 GB/)
  })

  it("keeps to licences and languages that were asked for", async () => {
    const models = [
      modelCard("z/a", { license: "cc-by-nc-4.0" }),
      modelCard("z/b", { languages: ["de"] }),
      modelCard("z/c", { license: "MIT", languages: ["multilingual"] }),
    ]
    const found = await retrieveModels(spec, { hub: hubOf([], models), licenses: ["mit"], languages: ["en-GB"] })
    expect(found.map(({ card, isChosen }) => [card.id, isChosen])).toEqual([
      ["z/c", true],
      ["z/a", false],
      ["z/b", false],
    ])
    expect(found[1].why).toContain("its licence is cc-by-nc-4.0")
    expect(found[2].why).toContain("not made for en-GB")
    await expect(retrieveModels(spec, { hub: hubOf([], models), licenses: ["gpl-3.0"] })).rejects.toMatchObject({
      code: "model.none-found",
    })
  })

  it("takes an encoder where labels or spans are asked for only, and no English model for other scripts", async () => {
    const models = [
      modelCard("z/bert", { architecture: "bert", downloads: 1e6 }),
      modelCard("z/t5"),
      modelCard("z/mt5", { architecture: "mt5", languages: ["ja", "en"], downloads: 0 }),
    ]
    const first = async (demonstrations: [string, string][]) => {
      const task = new PromptSpec({
        instruction: "Answer questions.",
        demonstrations: demonstrations.map(([input, output]) => ({ input, output })),
      })
      return (await retrieveModels(task, { hub: hubOf([], models) }))[0].card.id
    }
    expect(
      await first([
        ["good film", "positive"],
        ["bad film", "negative"],
        ["fine film", "positive"],
      ]),
    ).toBe("z/bert")
    expect(
      await first([
        ["It is in Oslo.", "Oslo"],
        ["Ada came.", "Ada"],
      ]),
    ).toBe("z/bert")
    expect(
      await first([
        ["red fox", "Vulpes vulpes"],
        ["house mouse", "Mus musculus"],
      ]),
    ).toBe("z/t5")
    expect(
      await first([
        ["リストの最大値", "max(values)"],
        ["文字列を分割する", "text.split()"],
      ]),
    ).toBe("z/mt5")
  })

  it("puts what suits the prompt's languages and answers before what does not, however popular, and says so", async () => {
    const models = [
      modelCard("z/all", { languages: ["mul"], downloads: 1e8 }),
      modelCard("z/decoder", { architecture: "llama", downloads: 1e7 }),
      modelCard("z/plain"),
      modelCard("z/europe", { languages: ["en", "de", "fr"], downloads: 1 }),
      modelCard("z/unsaid", { languages: [], downloads: 2 }),
    ]
    const order = async (instruction: string, output: string) => {
      const task = new PromptSpec({ instruction, demonstrations: [{ input: "red", output }] })
      return await retrieveModels(task, { hub: hubOf([], models) })
    }
    const names = (found: Awaited<ReturnType<typeof order>>) => found.map(({ card }) => card.id.slice(2))
    const short = await order("Answer questions.", "blue")
    expect(names(short)).toEqual(["plain", "unsaid", "europe", "all", "decoder"])
    expect(short.named("all").why).toContain("made for many languages")
    expect(short.named("decoder").why).toContain("a decoder, for short answers")
    expect(names(await order("Answer questions in German.", "blau")).slice(0, 3)).toEqual(["all", "unsaid", "europe"])
    expect(names(await order("Answer questions in German.", "blau")).slice(3)).toEqual(["plain", "decoder"])
    const nationality = new PromptSpec({
      instruction: "Give the year of birth.",
      demonstrations: [
        { input: "A German painter (1850-1921)", output: "1850" },
        { input: "Born in 1902, she wrote plays.", output: "1902" },
      ],
    })
    expect((await retrieveModels(nationality, { hub: hubOf([], models) }))[0].card.id).toBe("z/plain")
    expect(names(await order("Answer questions in Finnish.", "sininen")).slice(0, 2)).toEqual(["all", "unsaid"])
    expect(names(await order("Answer questions.", "a colour like that of the clear sky at noon"))[0]).toBe("decoder")
  })
})
