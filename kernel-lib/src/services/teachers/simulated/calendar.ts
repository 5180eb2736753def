// The calendar of the simulated teacher's grammar: dates from 1900 to 2099 and the English words for their parts. Proleptic Gregorian, no time zones.

export interface CalendarDate {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
}

export const firstYear = 1900
export const lastYear = 2099

export const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const

export const weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const

const units = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
const teens = [
  "tenth",
  "eleventh",
  "twelfth",
  "thirteenth",
  "fourteenth",
  "fifteenth",
  "sixteenth",
  "seventeenth",
  "eighteenth",
  "nineteenth",
]

/** Words for the days of a month: the word for day 3 is at 2. */
export const ordinalWords: readonly string[] = [
  ...units,
  ...teens,
  "twentieth",
  ...units.map((unit) => `twenty-${unit}`),
  "thirtieth",
  "thirty-first",
]

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Days of `month` (1 to 12). */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** Whether the day exists, in any year of four digits. */
export function isRealDate({ year, month, day }: CalendarDate): boolean {
  return year >= 1000 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

/** ISO 8601: `1999-05-03`. */
export function toIso({ year, month, day }: CalendarDate): string {
  return `${year}-${twoDigits(month)}-${twoDigits(day)}`
}

/** The date that `text` names in ISO 8601, or undefined when it is none. */
export function fromIso(text: string): CalendarDate | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!match) return undefined
  const date = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) }
  return isRealDate(date) ? date : undefined
}

/** The English name of the day of the week. */
export function weekdayOf({ year, month, day }: CalendarDate): string {
  return weekdayNames[new Date(Date.UTC(year, month - 1, day)).getUTCDay()]
}

/** The date `days` later, or earlier when negative. */
export function addDays({ year, month, day }: CalendarDate, days: number): CalendarDate {
  const moved = new Date(Date.UTC(year, month - 1, day + days))
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() }
}

export function twoDigits(number: number): string {
  return String(number).padStart(2, "0")
}

/** `1st`, `2nd`, `3rd`, `11th` ... */
export function ordinal(number: number): string {
  const tens = number % 100
  if (tens >= 11 && tens <= 13) return `${number}th`
  return `${number}${["th", "st", "nd", "rd"][number % 10] ?? "th"}`
}
