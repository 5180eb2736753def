// Makes the test set of the default task, notebooks/prompts/dates.test.jsonl: dates from the calendar, written by the grammar, so that each
// reference is right whatever a teacher says. From the repository's root:
//
//   npx unrun kernel-lib/scripts/make-dates-test.ts > notebooks/prompts/dates.test.jsonl
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Random } from "../src/core/random"
import { toIso } from "../src/services/teachers/simulated/calendar"
import { daringAt, drawDate, unseenDateWays, unseenGroup, writeDate } from "../src/services/teachers/simulated/date-ways"
import { findExamples } from "../src/services/teachers/simulated/read-examples"

export const seenRows = 256
export const unseenRows = 64

export interface TestRow {
  readonly input: string
  readonly output: string
  readonly group?: string
}

/** The rows, none of which has an input of `taken` or of another row. */
export function makeDatesTest(taken: Iterable<string>): TestRow[] {
  const random = new Random("dates test")
  const used = new Set(taken)
  const rows: TestRow[] = []
  const add = (row: TestRow) => {
    if (used.has(row.input)) return
    used.add(row.input)
    rows.push(row)
  }
  while (rows.length < seenRows) {
    // Any day, in the ways of a whole generation's temperatures.
    const date = drawDate(random, 1)
    add({ input: writeDate(date, random, daringAt(0.5 + 1.2 * random.next())), output: toIso(date) })
  }
  while (rows.length < seenRows + unseenRows) {
    const date = drawDate(random, 1)
    add({ input: unseenDateWays[rows.length % unseenDateWays.length].write(date), output: toIso(date), group: unseenGroup })
  }
  return rows
}

/** The inputs of the prompt's own examples. */
export function demonstrationInputs(prompt: string): string[] {
  return findExamples(prompt).examples.map(({ input }) => input)
}

export function toJsonLines(rows: readonly TestRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("")
}

const isRunByHand = process.argv[1]?.includes("make-dates-test")
if (isRunByHand) {
  const prompt = readFileSync(join("notebooks", "prompts", "dates.txt"), "utf8")
  process.stdout.write(toJsonLines(makeDatesTest(demonstrationInputs(prompt))))
}
