// The ways in which people write dates in English: the grammar that the simulated teacher writes with and the test rows are made from.
// Two ways stand apart: no teacher writes them, so they show what a student makes of a form that it never saw.
import type { Random } from "../../../core/random"
import { type CalendarDate, daysInMonth, firstYear, lastYear, monthNames, ordinal, ordinalWords, twoDigits, weekdayOf } from "./calendar"

export interface DateWay {
  /** The way by its example, 3 May 1999. */
  readonly name: string
  /** How common it is, beside the others. */
  readonly weight: number
  /** Words may stand before it (`on`, `since`), and its letters may be small. False where there are no letters. */
  readonly isWorded: boolean
  write(date: CalendarDate): string
}

const month = (date: CalendarDate) => monthNames[date.month - 1]
const shortMonth = (date: CalendarDate) => month(date).slice(0, 3)
/** As newspapers shorten it: `Sept.`, `Jan.`, and May stays. */
const dottedMonth = (date: CalendarDate) => (date.month === 9 ? "Sept." : month(date).length <= 4 ? month(date) : `${shortMonth(date)}.`)

/** Common ways first: a cautious teacher keeps to the first ones. */
export const dateWays: readonly DateWay[] = [
  { name: "May 3, 1999", weight: 10, isWorded: true, write: (date) => `${month(date)} ${date.day}, ${date.year}` },
  { name: "3 May 1999", weight: 10, isWorded: true, write: (date) => `${date.day} ${month(date)} ${date.year}` },
  { name: "03.05.1999", weight: 8, isWorded: false, write: (date) => `${twoDigits(date.day)}.${twoDigits(date.month)}.${date.year}` },
  { name: "1999/05/03", weight: 7, isWorded: false, write: (date) => `${date.year}/${twoDigits(date.month)}/${twoDigits(date.day)}` },
  { name: "the 3rd of May 1999", weight: 8, isWorded: true, write: (date) => `the ${ordinal(date.day)} of ${month(date)} ${date.year}` },
  { name: "3-May-1999", weight: 7, isWorded: false, write: (date) => `${date.day}-${shortMonth(date)}-${date.year}` },
  { name: "May 3rd, 1999", weight: 7, isWorded: true, write: (date) => `${month(date)} ${ordinal(date.day)}, ${date.year}` },
  {
    name: "Mon, 3 May 1999",
    weight: 6,
    isWorded: false,
    write: (date) => `${weekdayOf(date).slice(0, 3)}, ${date.day} ${shortMonth(date)} ${date.year}`,
  },
  { name: "3rd May 1999", weight: 6, isWorded: true, write: (date) => `${ordinal(date.day)} ${month(date)} ${date.year}` },
  {
    name: "Monday, May 3, 1999",
    weight: 6,
    isWorded: true,
    write: (date) => `${weekdayOf(date)}, ${month(date)} ${date.day}, ${date.year}`,
  },
  { name: "3rd of May, 1999", weight: 6, isWorded: true, write: (date) => `${ordinal(date.day)} of ${month(date)}, ${date.year}` },
  { name: "MAY 3 1999", weight: 6, isWorded: false, write: (date) => `${month(date).toUpperCase()} ${date.day} ${date.year}` },
  { name: "May the 3rd, 1999", weight: 5, isWorded: true, write: (date) => `${month(date)} the ${ordinal(date.day)}, ${date.year}` },
  { name: "Sept. 3, 1999", weight: 5, isWorded: true, write: (date) => `${dottedMonth(date)} ${date.day}, ${date.year}` },
  { name: "3.5.1999", weight: 4, isWorded: false, write: (date) => `${date.day}.${date.month}.${date.year}` },
  { name: "03 May 1999", weight: 4, isWorded: true, write: (date) => `${twoDigits(date.day)} ${shortMonth(date)} ${date.year}` },
  {
    name: "the third of May, 1999",
    weight: 3,
    isWorded: true,
    write: (date) => `the ${ordinalWords[date.day - 1]} of ${month(date)}, ${date.year}`,
  },
]

/** Ways that only the test has. */
export const unseenDateWays: readonly DateWay[] = [
  {
    name: "3 May 1999 (Monday)",
    weight: 1,
    isWorded: false,
    write: (date) => `${date.day} ${month(date)} ${date.year} (${weekdayOf(date)})`,
  },
  { name: "1999 May 3rd", weight: 1, isWorded: false, write: (date) => `${date.year} ${month(date)} ${ordinal(date.day)}` },
]

/** The name of the group of rows whose ways no training row has. */
export const unseenGroup = "ways outside its rows"

/** Words that may stand before a date without changing it. */
export const leadIns = ["on", "dated", "since", "as of", "from"] as const

/** How daring a writer is at `temperature`: 0 up to 0.3, 1 from 1.4 on. */
export function daringAt(temperature: number): number {
  return Math.min(1, Math.max(0, (temperature - 0.3) / 1.1))
}

/** The days that come to mind first: a careful writer falls back on them, and so repeats itself. */
const famousDays: readonly CalendarDate[] = [
  [2000, 1, 1],
  [1999, 12, 31],
  [2020, 2, 29],
  [2021, 7, 4],
  [2023, 3, 15],
  [2022, 12, 25],
  [2024, 10, 31],
  [1969, 7, 20],
  [1989, 11, 9],
  [2001, 9, 11],
  [2012, 12, 12],
  [2018, 2, 14],
].map(([year, month, day]) => ({ year, month, day }))

/** A date: often a famous one or near our time when careful, any of 1900 to 2099 when daring. */
export function drawDate(random: Random, daring: number): CalendarDate {
  if (random.next() < 0.4 * (1 - daring)) return random.pick(famousDays)
  const isAnyYear = random.next() < 0.25 + 0.6 * daring
  const year = isAnyYear ? firstYear + random.integer(lastYear - firstYear + 1) : 1975 + random.integer(60)
  const drawnMonth = 1 + random.integer(12)
  return { year, month: drawnMonth, day: 1 + random.integer(daysInMonth(year, drawnMonth)) }
}

/** A date as someone may write it; a careful writer knows fewer ways. */
export function writeDate(date: CalendarDate, random: Random, daring: number): string {
  const known = Math.round(6 + daring * (dateWays.length - 6))
  const way = pickWeighted(dateWays.slice(0, known), random)
  let text = way.write(date)
  if (way.isWorded && random.next() < 0.25 * daring) text = `${random.pick(leadIns)} ${text}`
  if (way.isWorded && random.next() < 0.2 * daring) text = text.toLowerCase()
  return text
}

/** One of `items`, as likely as its weight. */
export function pickWeighted<T extends { readonly weight: number }>(items: readonly T[], random: Random): T {
  let left = random.next() * items.reduce((sum, item) => sum + item.weight, 0)
  for (const item of items) {
    left -= item.weight
    if (left < 0) return item
  }
  return items[items.length - 1]
}
