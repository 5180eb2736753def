// Exercises about time for pretraining: dates to ISO 8601 and back, and sentences whose expressions of time are found and resolved against
// the day that stands before them. Sentences are WordNet's; expressions and their values come from the calendar.
import type { Random } from "../../src/core/random"
import type { Exercise } from "./exercises"

const dayMilliseconds = 86_400_000
const months = "January February March April May June July August September October November December".split(" ")
const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ")
const numbers = "one two three four five six seven eight nine ten eleven twelve".split(" ")
const ordinals = ["first", "second", "third", "fourth"]

const isoDay = (day: Date) => day.toISOString().slice(0, 10)
const isoMonth = (day: Date) => day.toISOString().slice(0, 7)
const yearOf = (day: Date) => day.getUTCFullYear()
const addDays = (day: Date, days: number) => new Date(day.getTime() + days * dayMilliseconds)
const addMonths = (day: Date, count: number) => new Date(Date.UTC(yearOf(day), day.getUTCMonth() + count, 1))
const suffixOf = (day: number) =>
  day % 10 === 1 && day !== 11 ? "st" : day % 10 === 2 && day !== 12 ? "nd" : day % 10 === 3 && day !== 13 ? "rd" : "th"
const shorten = (month: string, random: Random) => (month.length > 4 && random.next() < 0.3 ? `${month.slice(0, 3)}.` : month)

function drawDay(random: Random): Date {
  const first = Date.UTC(random.next() < 0.7 ? 1985 : 1900, 0, 1)
  const last = Date.UTC(2031, 0, 1)
  return new Date(first + random.integer((last - first) / dayMilliseconds) * dayMilliseconds)
}

/** An expression of time and what it stands for, seen from `today`; a value is a day, a month, a year or a quarter. */
type Expression = readonly [written: string, value: string]
type Write = (random: Random, today: Date) => Expression

/** The nearest such weekday before (-1) or after (1) today. */
function nearWeekday(today: Date, weekday: number, direction: 1 | -1): Date {
  const away = (((weekday - today.getUTCDay()) * direction + 6) % 7) + 1
  return addDays(today, away * direction)
}

function writeDay(random: Random, day: Date): string {
  const month = shorten(months[day.getUTCMonth()], random)
  const date = day.getUTCDate()
  const ordinal = `${date}${suffixOf(date)}`
  const year = yearOf(day)
  return random.pick([
    () => `${month} ${date}, ${year}`,
    () => `${date} ${month} ${year}`,
    () => `${month} ${ordinal}, ${year}`,
    () => `the ${ordinal} of ${month} ${year}`,
    () => `${ordinal} of ${month} ${year}`,
    () => `${month} ${date} ${year}`,
    () => `${weekdays[day.getUTCDay()]}, ${month} ${date}, ${year}`,
    () => `${weekdays[day.getUTCDay()].slice(0, 3)} ${date} ${month} ${year}`,
    () => `${year}/${String(day.getUTCMonth() + 1).padStart(2, "0")}/${String(date).padStart(2, "0")}`,
    () => `${year} ${month} ${date}`,
    () => `${String(date).padStart(2, "0")}.${String(day.getUTCMonth() + 1).padStart(2, "0")}.${year}`,
    () => `${date}-${months[day.getUTCMonth()].slice(0, 3)}-${year}`,
  ])()
}

const count = (random: Random): [number, string] => {
  const amount = 2 + random.integer(11)
  return [amount, random.next() < 0.5 ? numbers[amount - 1] : String(amount)]
}

const expressions: readonly Write[] = [
  (random, today) => [random.pick(["today", "today", "tonight", "this morning", "this evening", "this afternoon", "now"]), isoDay(today)],
  (random, today) => [random.pick(["tomorrow", "tomorrow", "tomorrow morning", "tomorrow night"]), isoDay(addDays(today, 1))],
  (random, today) => [random.pick(["yesterday", "yesterday", "yesterday morning", "last night"]), isoDay(addDays(today, -1))],
  (random, today) =>
    random.pick([
      ["the day after tomorrow", isoDay(addDays(today, 2))],
      ["the day before yesterday", isoDay(addDays(today, -2))],
    ] as const),
  (random, today) => {
    const weekday = random.integer(7)
    const name = weekdays[weekday]
    return random.pick([
      [`next ${name}`, isoDay(nearWeekday(today, weekday, 1))],
      [`this ${name}`, isoDay(nearWeekday(today, weekday, 1))],
      [`on ${name}`, isoDay(nearWeekday(today, weekday, 1))],
      [name, isoDay(nearWeekday(today, weekday, 1))],
      [`last ${name}`, isoDay(nearWeekday(today, weekday, -1))],
    ] as const)
  },
  (random, today) => {
    const [amount, written] = count(random)
    return random.pick([
      [`${written} days ago`, isoDay(addDays(today, -amount))],
      [`in ${written} days`, isoDay(addDays(today, amount))],
      [`in ${written} weeks`, isoDay(addDays(today, 7 * amount))],
      [`${written} weeks ago`, isoDay(addDays(today, -7 * amount))],
      [`${written} months ago`, isoMonth(addMonths(today, -amount))],
      [`in ${written} months`, isoMonth(addMonths(today, amount))],
      [`${written} years ago`, String(yearOf(today) - amount)],
      [`in ${written} years`, String(yearOf(today) + amount)],
    ] as const)
  },
  (random, today) =>
    random.pick([
      ["next month", isoMonth(addMonths(today, 1))],
      ["last month", isoMonth(addMonths(today, -1))],
      ["this month", isoMonth(today)],
      ["the end of the month", isoDay(addDays(addMonths(today, 1), -1))],
      ["the end of next month", isoDay(addDays(addMonths(today, 2), -1))],
    ] as const),
  (random, today) =>
    random.pick([
      ["next year", String(yearOf(today) + 1)],
      ["last year", String(yearOf(today) - 1)],
      ["this year", String(yearOf(today))],
      ["the end of the year", String(yearOf(today))],
      ["the year before", String(yearOf(today) - 1)],
    ] as const),
  (random) => {
    const year = random.next() < 0.7 ? 1950 + random.integer(80) : 1600 + random.integer(350)
    return [random.pick(["", "", "", "early ", "late ", "mid-", "fiscal "]) + year, String(year)]
  },
  (random) => {
    const day = drawDay(random)
    return [`${random.pick(["", "", "early ", "late "])}${shorten(months[day.getUTCMonth()], random)} ${yearOf(day)}`, isoMonth(day)]
  },
  (random, today) => {
    const month = random.integer(12)
    const name = shorten(months[month], random)
    const value = `${yearOf(today)}-${String(month + 1).padStart(2, "0")}`
    return [random.pick([name, `early ${name}`, `late ${name}`, `mid-${name}`]), value]
  },
  (random) => {
    const day = drawDay(random)
    return [writeDay(random, day), isoDay(day)]
  },
  (random, today) => {
    const day = new Date(Date.UTC(yearOf(today), random.integer(12), 1 + random.integer(28)))
    const month = shorten(months[day.getUTCMonth()], random)
    const date = day.getUTCDate()
    return [random.pick([`${month} ${date}`, `${date} ${month}`, `${month} ${date}${suffixOf(date)}`]), isoDay(day)]
  },
  (random, today) => {
    const quarter = random.integer(4)
    const [words, year] = random.pick([
      ["", 0],
      [" of the year", 0],
      [" of next year", 1],
      [" of last year", -1],
    ] as const)
    return [`the ${ordinals[quarter]} quarter${words}`, `${yearOf(today) + year}-Q${quarter + 1}`]
  },
]

/** What a sentence may say of numbers without saying a time. */
const decoys = [
  (random: Random) => `$${1 + random.integer(900)} million`,
  (random: Random) => `${1 + random.integer(99)}%`,
  (random: Random) => `${2 + random.integer(400)} people`,
  (random: Random) => `$${random.integer(90)}.${10 + random.integer(89)} a share`,
  (random: Random) => `#${random.pick(weekdays).toLowerCase()}vibes`,
  (random: Random) => `the ${random.pick(ordinals)} time`,
]

function placeExpression(sentence: string, written: string, random: Random): string {
  const word = random.pick(["", "", "", " by", " since", " until", " for", " of"])
  return random.pick([
    () => `${written[0].toUpperCase()}${written.slice(1)}, ${sentence}.`,
    () => `${written[0].toUpperCase()}${written.slice(1)} ${sentence}.`,
    () => `${sentence}${word} ${written}.`,
    () => `${sentence}${word} ${written}.`,
    () => `${sentence}${word} ${written}`,
    () => `${sentence}, ${written}, ${random.pick(["he said", "she said", "they say", "we hear", "officials said"])}.`,
  ])()
}

const capitalise = (text: string) => text[0].toUpperCase() + text.slice(1)

/** A sentence with no, one or two expressions: `2015-02-04: The shop opens tomorrow.` -> `tomorrow: 2015-02-05`. */
export function findTimes(sentences: readonly string[]): Exercise {
  return (random) => {
    const today = drawDay(random)
    const wanted = random.pick([0, 0, 1, 1, 1, 1, 2])
    const answers: string[] = []
    const parts: string[] = []
    const numSentences = Math.max(wanted, 1 + random.integer(2))
    for (let i = 0; i < numSentences; i++) {
      let sentence = random.pick(sentences).slice(0, 90)
      if (random.next() < 0.15) sentence = `${sentence} ${random.pick(decoys)(random)}`
      if (i < wanted) {
        const [written, value] = random.pick(expressions)(random, today)
        const placed = placeExpression(random.next() < 0.6 ? sentence : capitalise(sentence), written, random)
        // As it stands there, with its capital where it has one.
        answers.push(`${placed.includes(written) ? written : capitalise(written)}: ${value}`)
        parts.push(placed)
      } else parts.push(random.next() < 0.7 ? `${capitalise(sentence)}.` : sentence)
    }
    const text = (wanted === 1 && random.next() < 0.5 ? parts.reverse() : parts).join(" ")
    const input = `${isoDay(today)}: ${random.next() < 0.03 ? text.toUpperCase() : text}`
    return {
      input,
      output:
        (input.includes(answers[0]?.split(": ")[0] ?? "") ? answers : answers.map((answer) => answer.toUpperCase())).join("; ") || "none",
    }
  }
}

/** A date as it is written -> ISO 8601. */
export const readDate: Exercise = (random) => {
  const day = drawDay(random)
  return { input: writeDay(random, day), output: isoDay(day) }
}

/** An expression and a day -> the value. */
export const resolveTime: Exercise = (random) => {
  const today = drawDay(random)
  const [written, value] = random.pick(expressions)(random, today)
  return random.next() < 0.5
    ? { input: `${written} (${isoDay(today)})`, output: value }
    : { input: `${isoDay(today)}: ${written}`, output: `${written}: ${value}` }
}

/** 3:20 in the afternoon -> 15:20. */
export const readClock: Exercise = (random) => {
  const [hour, minute] = [random.integer(24), random.integer(12) * 5 + (random.next() < 0.3 ? random.integer(5) : 0)]
  const half =
    hour < 12
      ? random.pick(["am", "AM", "a.m.", "in the morning"])
      : random.pick(["pm", "PM", "p.m.", hour < 18 ? "in the afternoon" : "in the evening"])
  const twelve = hour % 12 === 0 ? 12 : hour % 12
  return {
    input: `${twelve}:${String(minute).padStart(2, "0")} ${half}`,
    output: `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`,
  }
}
