// What the bundled base models were pretrained on says what is so, and how they are kept loses next to nothing.
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { drawRows, type Exercise, fillSpans, followOrder, lookUp, repairText } from "../../scripts/pretraining/exercises"
import { savePretrained } from "../../scripts/pretraining/save-pretrained"
import { findTimes, readClock, readDate, resolveTime } from "../../scripts/pretraining/temporal-exercises"
import { Random } from "../../src/core/random"
import { createByteTokenizer, createStudent, loadStudent } from "../../src/students"

const sentences = [
  "the shop on the corner opens late",
  "she sighed sadly and went home",
  "a long walk along the northern shore",
  "he sold the old car",
]

function draw(exercise: Exercise, count = 500) {
  const rows = drawRows([[1, exercise]], new Random("exercises"))
  return Array.from({ length: count }, () => rows.next().value)
}

test("the same seed draws the same rows, another other ones, and each exercise as often as it weighs", () => {
  const take = (seed: string) => {
    const rows = drawRows(
      [
        [3, readDate],
        [1, repairText(sentences)],
      ],
      new Random(seed),
    )
    return Array.from({ length: 400 }, () => rows.next().value)
  }
  expect(take("a")).toEqual(take("a"))
  expect(take("a")).not.toEqual(take("b"))
  const share = take("a").filter(({ output }) => /^\d{4}-\d\d-\d\d$/.test(output)).length / 400
  expect(share).toBeGreaterThan(0.68)
  expect(share).toBeLessThan(0.82)
})

test("spans put back give the text", () => {
  for (const { input, output } of draw(fillSpans(sentences))) {
    const spans = new Map(output.split(/(?=<extra_id_\d>)/).map((span) => [span.slice(0, 12), span.slice(12)]))
    const text = input.replace(/<extra_id_\d>/g, (sentinel) => spans.get(sentinel) ?? "?")
    expect(sentences).toContain(text)
  }
})

test("repairs give a sentence, orders what was ordered, questions what the facts say", () => {
  for (const { output } of draw(repairText(sentences))) expect(sentences).toContain(output)
  for (const { input, output } of draw(followOrder(sentences))) {
    const [order, text] = input.split(": ")
    if (order === "copy") expect(output).toBe(text)
    if (order === "last word") expect(text.endsWith(` ${output}`)).toBe(true)
    if (order.startsWith("after ")) expect(text).toContain(`${order.slice(6)} ${output}`)
    if (order.startsWith("from ")) expect(text).toContain(output)
  }
  for (const { input, output } of draw(lookUp(["red", "blue", "a tall tree", "Oslo", "seven"]))) expect(input).toContain(output)
})

test("expressions stand in their sentences and mean what the calendar says", () => {
  for (const { input, output } of draw(findTimes(sentences), 2000)) {
    const [today, text] = [input.slice(0, 10), input.slice(12)]
    for (const answer of output === "none" ? [] : output.split("; ")) {
      const [written, value] = answer.split(": ")
      expect(text).toContain(written)
      expect(value).toMatch(/^\d{4}(-(\d\d(-\d\d)?|Q[1-4]))?$/)
      const days = (Date.parse(value) - Date.parse(today)) / 86_400_000
      const known: Record<string, number> = { today: 0, tonight: 0, tomorrow: 1, yesterday: -1, "the day after tomorrow": 2 }
      const wanted = known[written.toLowerCase()]
      if (wanted !== undefined) expect([written, days]).toEqual([written, wanted])
      const weekday = /^(next|this|on|last) (\w+day)$/i.exec(written)
      if (weekday) {
        expect(new Date(value).toLocaleDateString("en", { weekday: "long", timeZone: "UTC" }).toLowerCase()).toBe(weekday[2].toLowerCase())
        expect(Math.sign(days)).toBe(weekday[1].toLowerCase() === "last" ? -1 : 1)
      }
    }
  }
  for (const { input, output } of draw(readDate)) {
    const day = new Date(`${output}T00:00:00Z`)
    const numbers = input.match(/\d+/g)!.map(Number)
    expect(numbers).toContain(day.getUTCDate())
    expect(numbers).toContain(day.getUTCFullYear())
  }
  for (const { input, output } of draw(readClock)) expect(Number(output.slice(0, 2)) % 12).toBe(Number(input.split(":")[0]) % 12)
  for (const { output } of draw(resolveTime)) expect(output).toMatch(/\d{4}/)
})

test("kept as bfloat16, weights are half the bytes and off by no more than rounding; the folder says that it is pretrained", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pretrained-"))
  try {
    const shape = { d_model: 16, d_ff: 32, d_kv: 8, num_heads: 2, num_layers: 1, vocab_size: 384, tie_word_embeddings: false }
    const student = createStudent({
      configuration: { model_type: "t5", ...shape },
      tokenizer: createByteTokenizer({ extraIds: 125 }),
      seed: 3,
    })
    await savePretrained(student, join(folder, "model"))
    const loaded = await loadStudent(join(folder, "model"))
    expect(loaded.isPretrained).toBe(true)
    expect((await stat(join(folder, "model", "model.safetensors"))).size).toBeLessThan(student.parameters * 2 + 8000)
    for (const [name, { data }] of Object.entries(student.weights)) {
      const off = data.findIndex((value, i) => Math.abs(loaded.weights[name].data[i] - value) > Math.abs(value) / 256)
      expect([name, off]).toEqual([name, -1])
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
