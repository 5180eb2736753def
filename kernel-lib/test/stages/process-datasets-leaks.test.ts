// processDatasets lets nothing leak: out of a test set, out of the prompt, or from one split into another.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"
import { NearDuplicateIndex } from "../../src/measures/near-duplicates"
import { normalizeText } from "../../src/measures/normalize-text"
import { type Splits, splitWithoutLeak } from "../../src/stages/process-datasets/process-datasets"
import { paperArtifacts, readColumns } from "../measures/read-arrow"
import { dates, sentences, splitsOf, straddling } from "./split-rows"

describe("processDatasets with a test set and demonstrations", () => {
  const long = sentences(30, 1)
  const test = Dataset.from([...dates(20), ...long.slice(0, 5)])
  const spec = new PromptSpec({ instruction: "Read dates.", demonstrations: [{ input: "21 January 1999", output: "1999-01-21" }] })
  const nearTest = { input: long[0].input.replace("changed", "altered"), output: "other" }
  const generated = Dataset.from([
    { input: "3 JANUARY, 1999.", output: "1999-01-03" },
    { input: "21 January 1999", output: "1999-01-21" },
    nearTest,
    ...dates(100, 2001),
    ...long.slice(5),
  ])
  const splits = splitWithoutLeak({ generated }, { seed: 1, test, spec })

  it("leaves the test set as it is and takes what repeats it out of the others", () => {
    expect(splits.test).toBe(test)
    expect(Object.fromEntries(splits.rejected.map(({ input, reason }) => [input, reason]))).toEqual({
      "3 JANUARY, 1999.": "leak: same as a test row",
      [nearTest.input]: "leak: near a test row",
      "21 January 1999": "leak: same as a demonstration",
    })
    expect(splits.rejected).toHaveLength(3)
    expect(splits.leak.removed).toContainEqual({ reason: "leak: near a test row", against: "test", rows: 1 })
    expect(splits.train.length + splits.validation.length).toBe(125)
    expect(splits.validation).toHaveLength(14)
    expect(straddling(splits)).toBe(0)
  })

  it("names the test row that a leak repeats", () => {
    expect(splits.rejected.find(({ input }) => input === nearTest.input)?.detail).toBe("row 20 of the test set")
  })

  it("keeps dates that differ from the test set's in one digit or in one word", () => {
    const years = splitWithoutLeak({ generated: Dataset.from(dates(300, 1998)) }, { seed: 1, test: Dataset.from(dates(300)) })
    expect(years.rejected).toEqual([])
    expect(years.train.length + years.validation.length).toBe(300)
  })

  it("counts test rows that are demonstrations, and keeps them", () => {
    const repeated = Dataset.from([...test, { input: "21 january 1999", output: "1999-01-21" }])
    const { leak, test: kept } = splitWithoutLeak({ generated }, { seed: 1, test: repeated, spec })
    expect(kept).toHaveLength(26)
    expect(leak.keptInTest).toBe(1)
    expect(leak.notes).toEqual(["1 of the given test rows repeat demonstrations of the prompt"])
  })

  it("takes out only equal rows where most rows are near the test set's by their form", () => {
    const form =
      "Please read the following line of the old parish register of Saint Mary and write down the name of the person meant by it: "
    const names = ["Anna Bell", "Carl Dorn", "Ella Frey", "Gus Hahn", "Ida Jung", "Karl Lang", "Mia Nagel", "Otto Penz"]
    const rows = names.map((name) => ({ input: form + name, output: name }))
    const splits = splitWithoutLeak({ generated: Dataset.from(rows) }, { seed: 1, test: Dataset.from(rows.slice(0, 3)) })
    expect(splits.rejected.map(({ reason }) => reason)).toEqual(Array(3).fill("leak: same as a test row"))
    expect(splits.train.length + splits.validation.length).toBe(5)
    expect(splits.leak.notes).toHaveLength(1)
  })

  it("says what to do when nothing is left or nothing came", () => {
    const code = (act: () => unknown, expected: string) => expect(act).toThrow(expect.objectContaining({ code: expected }))
    code(() => splitWithoutLeak({ own: test }, { seed: 1, test }), "splits.nothing-left")
    code(() => splitWithoutLeak({ generated: undefined, own: Dataset.from([]) }, { seed: 1 }), "splits.no-rows")
    code(() => splitWithoutLeak({ own: test }, { seed: 1, proportions: { train: 0 } }), "splits.proportions")
    code(() => splitWithoutLeak({ own: test }, { seed: 1, proportions: { test: -1 } }), "splits.proportions")
    code(() => splitWithoutLeak({ own: test }, { seed: 1, weights: { own: 0 } }), "splits.weights")
    code(() => splitWithoutLeak({ own: test }, { seed: 1, maxRows: 0 }), "splits.max-rows")
  })
})

describe("processDatasets on any rows", () => {
  /** The rule, written down again without hashing: same, or long, with equal numbers and four fifths of all shingles shared. */
  function repeats(a: string, b: string): boolean {
    const [first, second] = [normalizeText(a), normalizeText(b)]
    if (first === second) return true
    if (Math.min(first.length, second.length) < 80) return false
    const numbers = (text: string) => (text.match(/\p{N}+/gu) ?? []).join(" ")
    if (numbers(first) !== numbers(second)) return false
    const shingles = (text: string) => new Set(Array.from({ length: text.length - 4 }, (_, at) => text.slice(at, at + 5)))
    const [mine, theirs] = [shingles(first), shingles(second)]
    const shared = [...mine].filter((shingle) => theirs.has(shingle)).length
    return shared >= 0.8 * (mine.size + theirs.size - shared)
  }

  /** Passages and what people make of them: other case, a word changed, a word or a number more. */
  const passages = sentences(40, 1).map(({ input }) => input)
  const edits: ((text: string) => string)[] = [
    (text) => text,
    (text) => `${text.toUpperCase()}.`,
    (text) => text.replace(/^\S+/, "another"),
    (text) => `${text} too`,
    (text) => `${text} 7`,
    (text) => text.slice(0, 40),
  ]
  const anyText = fc.tuple(fc.constantFrom(...passages), fc.constantFrom(...edits)).map(([passage, edit]) => edit(passage))
  const anyRow = fc.record({ input: anyText, output: fc.constantFrom("x", "y") })
  const anyRows = fc.array(anyRow, { minLength: 3, maxLength: 60, size: "max" })
  const anyTask = fc.record({
    rows: anyRows,
    test: fc.option(fc.array(anyRow, { minLength: 1, maxLength: 5 }), { nil: undefined }),
    demonstrations: fc.array(anyRow, { minLength: 1, maxLength: 2 }),
    seed: fc.integer(),
  })
  type Task = typeof anyTask extends fc.Arbitrary<infer Value> ? Value : never

  /** Undefined where nothing is left to learn from. */
  function split({ rows, test, demonstrations, seed }: Task, options: { maxRows?: number; weights?: object } = {}): Splits | undefined {
    const half = rows.length >> 1
    try {
      return splitWithoutLeak(
        { own: Dataset.from(rows.slice(0, half)), generated: Dataset.from(rows.slice(half)) },
        { seed, test: test && Dataset.from(test), spec: new PromptSpec({ instruction: "Do.", demonstrations }), ...options },
      )
    } catch (error) {
      if ((error as { code?: string }).code !== "splits.nothing-left") throw error
      return undefined
    }
  }

  it("lets no row of one split, and no demonstration, repeat a row of another", () => {
    let compared = 0
    fc.assert(
      fc.property(anyTask, (task) => {
        const splits = split(task)
        // Where most rows are variations of one form only equal ones are kept apart, and the report says so.
        if (!splits || splits.leak.notes.some((note) => note.includes("one form"))) return
        const sets = [...splitsOf(splits).map((set) => set.inputs), task.demonstrations.map(({ input }) => input)]
        for (const [number, set] of sets.entries()) {
          for (const [other, texts] of sets.entries()) {
            // A test set that is given stays as it is, demonstrations in it are counted.
            if (other <= number || (task.test && number === 2 && other === 3)) continue
            for (const a of set) for (const b of texts) expect([a, b, repeats(a, b)]).toEqual([a, b, false])
            compared += set.length * texts.length
          }
        }
      }),
      { numRuns: 20, seed: 7 },
    )
    expect(compared).toBeGreaterThan(3000)
  })

  it("depends on what the rows say and not on their order", () => {
    fc.assert(
      fc.property(anyTask, fc.integer(), (task, shuffle) => {
        const shuffled = new Random(shuffle).shuffle(task.rows.slice(0, task.rows.length >> 1))
        const rest = new Random(shuffle).shuffle(task.rows.slice(task.rows.length >> 1))
        const again = split({ ...task, rows: [...shuffled, ...rest] })
        const splits = split(task)
        expect(again && splitsOf(again).map((set) => [set.inputs, set.outputs])).toEqual(
          splits && splitsOf(splits).map((set) => [set.inputs, set.outputs]),
        )
      }),
      { numRuns: 12, seed: 8 },
    )
  })

  it("takes for a smaller cap a part of what a larger one takes, with weights too, and loses no row", () => {
    fc.assert(
      fc.property(
        anyTask,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
        fc.boolean(),
        (task, cap, more, hasWeights) => {
          const weights = hasWeights ? { weights: { own: 1, generated: 2 } } : {}
          const [smaller, larger] = [cap, cap + more].map((maxRows) => split(task, { maxRows, ...weights }))
          if (!smaller || !larger) return
          const rowsOf = ({ train, validation, test }: Splits) =>
            [train, validation, ...(task.test ? [] : [test])].flatMap((set) => set.ids)
          expect(rowsOf(smaller).length).toBeLessThanOrEqual(cap)
          expect(rowsOf(larger)).toEqual(expect.arrayContaining(rowsOf(smaller)))
          for (const splits of [smaller, larger]) expect(rowsOf(splits).length + splits.rejected.length).toBe(task.rows.length)
        },
      ),
      { numRuns: 25, seed: 9 },
    )
  })
})

describe.skipIf(!paperArtifacts)("processDatasets on the paper's Temporal rows (PAPER_ARTIFACTS)", () => {
  it("keeps nearly all of the teacher's rows beside the 860 real ones", () => {
    const rowsOf = (...path: string[]) => {
      const { input_col: inputs, output_col: outputs } = readColumns(...path)
      return Dataset.from(inputs.map((input, index) => ({ input, output: outputs[index] })))
    }
    const generated = rowsOf("generation/generated_dataset/normalization_1.4_1.4_without_filtering")
    const test = rowsOf("baseline/real_datasets/datasets/normalization")
    const splits = splitWithoutLeak({ generated }, { seed: 1, test })
    expect(splits.test).toHaveLength(860)
    expect(splits.leak.removed).toEqual([])
    const pairs = new Set([...generated].map(({ input, output }) => JSON.stringify([input.trim(), output.trim()]))).size
    expect(splits.train.length + splits.validation.length).toBe(pairs)
    const index = new NearDuplicateIndex()
    for (const input of splits.validation.inputs) index.add(input)
    expect(splits.train.inputs.filter((input) => index.find(input))).toEqual([])
    const tested = new Set(test.inputs.map(normalizeText))
    expect(splits.train.inputs.filter((input) => tested.has(normalizeText(input)))).toEqual([])
  })
})
