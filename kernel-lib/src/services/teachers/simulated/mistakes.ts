// How the simulated teacher is wrong: the slips that people and language models make with dates, more of them as temperature rises.
import type { Random } from "../../../core/random"
import { addDays, type CalendarDate, daysInMonth, isRealDate, monthNames, toIso, twoDigits } from "./calendar"
import { pickWeighted } from "./date-ways"

/** The share of answers that name the wrong day or are not ISO 8601: 5% at temperature 0, 15% at 1.7. */
export function wrongRateAt(temperature: number): number {
  return Math.min(0.5, 0.05 + 0.06 * Math.max(0, temperature))
}

/** The share of responses that are no JSON object. */
export function malformedRateAt(temperature: number): number {
  return 0.005 + 0.01 * Math.max(0, temperature)
}

/** The share of responses that decline to answer. */
export function refusalRateAt(temperature: number): number {
  return 0.002 + 0.004 * Math.max(0, temperature)
}

export const refusal = "I'm sorry, but I can't help with that request."

type Slip = (date: CalendarDate, random: Random) => string | undefined

const slips: readonly { readonly weight: number; readonly slip: Slip }[] = [
  { weight: 4, slip: (date, random) => toIso(addDays(date, random.pick([-1, 1]))) },
  { weight: 3, slip: neighbourMonth },
  { weight: 3, slip: swappedDigits },
  { weight: 2, slip: (date) => toIso({ ...date, year: date.year < 2000 ? date.year + 100 : date.year - 100 }) },
  { weight: 3, slip: (date) => (date.day <= 12 ? toIso({ ...date, month: date.day, day: date.month }) : undefined) },
  { weight: 3, slip: notIso },
  {
    weight: 2,
    slip: (date, random) => random.pick([`The date is ${toIso(date)}.`, `${toIso(date)} (ISO 8601)`, `${toIso(date)}T00:00:00Z`]),
  },
]

/** An answer for `date` that is never the right one. */
export function makeMistake(date: CalendarDate, random: Random): string {
  for (;;) {
    const answer = pickWeighted(slips, random).slip(date, random)
    if (answer !== undefined && answer !== toIso(date)) return answer
  }
}

function neighbourMonth(date: CalendarDate, random: Random): string {
  const month = ((date.month - 1 + random.pick([1, 11])) % 12) + 1
  return toIso({ year: date.year, month, day: Math.min(date.day, daysInMonth(date.year, month)) })
}

function swappedDigits(date: CalendarDate, random: Random): string | undefined {
  const swap = (text: string) => Number(text.slice(0, -2) + text.at(-1) + text.at(-2))
  const swapped = random.next() < 0.5 ? { ...date, day: swap(twoDigits(date.day)) } : { ...date, year: swap(String(date.year)) }
  return isRealDate(swapped) ? toIso(swapped) : undefined
}

function notIso({ year, month, day }: CalendarDate, random: Random): string {
  return random.pick([
    `${year}-${month}-${day}`,
    `${twoDigits(month)}/${twoDigits(day)}/${year}`,
    `${year}/${twoDigits(month)}/${twoDigits(day)}`,
    `${day} ${monthNames[month - 1]} ${year}`,
    `${year}${twoDigits(month)}${twoDigits(day)}`,
  ])
}

/** A JSON object as it looks when something went wrong on the way. */
export function breakJson(json: string, random: Random): string {
  return random.pick([
    json.slice(0, Math.floor(json.length * (0.4 + 0.5 * random.next()))),
    json.replaceAll('"', ""),
    json.replace('"output"', '"label"'),
    json.replace('", "', '" "'),
  ])
}
