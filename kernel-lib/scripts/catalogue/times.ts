// Datasets about time: dates, times of day, durations, relative times, names of months and weekdays, other calendars.
import type { Random } from "../../src/core/random"
import { collectRows, distinctRows, type Recipe } from "./recipe"

const dayMilliseconds = 86_400_000
const firstDay = Date.UTC(1900, 0, 1)
const numDays = (Date.UTC(2100, 0, 1) - firstDay) / dayMilliseconds

function drawDay(random: Random): Date {
  return new Date(firstDay + random.integer(numDays) * dayMilliseconds)
}

const isoDate = (day: Date) => day.toISOString().slice(0, 10)

/** English as it is written in these places; their dates differ in order, commas, weekday and zeros. */
const englishLocales = ["en-US", "en-GB", "en-AU", "en-CA", "en-IN", "en-IE", "en-ZA", "en-BZ", "en-MT", "en-ZW", "en-CH", "en-SE"]
const dateForms: readonly Intl.DateTimeFormatOptions[] = [
  { dateStyle: "full" },
  { dateStyle: "long" },
  { dateStyle: "long" },
  { dateStyle: "medium" },
  { dateStyle: "medium" },
  { year: "numeric", month: "short", day: "numeric", weekday: "short" },
  { year: "numeric", month: "2-digit", day: "2-digit" },
]

const dateWriters = englishLocales.flatMap((locale) =>
  dateForms.map((form) => new Intl.DateTimeFormat(locale, { ...form, timeZone: "UTC" })),
)

/** Numbers alone can be read in two ways unless the year comes first or the day is above 12. */
function isUnambiguous(written: string, day: Date): boolean {
  if (/[a-z]/i.test(written)) return true
  return /^\d{4}/.test(written) || (/\d{4}$/.test(written) && day.getUTCDate() > 12)
}

const dates: Recipe = {
  name: "dates-cldr",
  description:
    "Dates as they are written in English, each with its ISO 8601 form (YYYY-MM-DD): a normalization task. Days of 1900 to 2099 in the full, long, medium and numeric forms of the Unicode CLDR for twelve English-speaking regions, such as “Monday, May 3, 1999”, “3 May 1999” or “1999/05/03”. Numeric dates that could be read in two ways are left out. There are no ordinals (“3rd”), no spelled-out days and no words around the date.",
  tags: ["date", "normalization", "iso-8601", "calendar", "text2text-generation"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(4000, "written", () => {
      const day = drawDay(random)
      const written = random.pick(dateWriters).format(day)
      return isUnambiguous(written, day) ? { written, iso8601: isoDate(day) } : undefined
    }),
  }),
}

const clockForms: readonly Intl.DateTimeFormatOptions[] = [
  { timeStyle: "short" },
  { timeStyle: "medium" },
  { hour: "numeric", minute: "2-digit", dayPeriod: "long" },
  { hour: "numeric", minute: "2-digit", dayPeriod: "short" },
]

const timesOfDay: Recipe = {
  name: "times-of-day-cldr",
  description:
    "Clock times as they are written in English, with AM and PM or as “3:20 in the afternoon”, each with its 24-hour ISO 8601 form (hh:mm or hh:mm:ss). Forms of the Unicode CLDR for the United States and India.",
  tags: ["time", "clock", "normalization", "iso-8601", "text2text-generation"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(1500, "written", () => {
      const form = random.pick(clockForms)
      const seconds = form.timeStyle === "medium" ? random.integer(60) : 0
      const time = new Date(Date.UTC(2000, 0, 1, random.integer(24), random.integer(60), seconds))
      const written = new Intl.DateTimeFormat(random.pick(["en-US", "en-IN"]), { ...form, timeZone: "UTC" }).format(time)
      return { written, iso8601: time.toISOString().slice(11, form.timeStyle === "medium" ? 19 : 16) }
    }),
  }),
}

const durationUnits = [
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const
const widths = ["long", "short", "narrow"] as const

const durations: Recipe = {
  name: "durations-cldr",
  description:
    "Lengths of time as they are written in English, such as “3 hours, 20 minutes”, “3 hr, 20 min” or “3h 20m”, each with the number of seconds. One to three neighbouring units from weeks to seconds, in the forms of the Unicode CLDR.",
  tags: ["duration", "time", "seconds", "normalization", "arithmetic", "text2text-generation"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(2000, "written", () => {
      const first = random.integer(durationUnits.length)
      const units = durationUnits.slice(first, first + 1 + random.integer(3))
      const width = random.pick(widths)
      const amounts = units.map(
        ([unit], place) => 1 + random.integer(place > 0 && unit === "hour" ? 23 : place > 0 && unit === "day" ? 6 : 59),
      )
      const parts = units.map(([unit], place) =>
        new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: width }).format(amounts[place]),
      )
      const list =
        random.next() < 0.8 ? new Intl.ListFormat("en", { type: "unit", style: width }) : new Intl.ListFormat("en", { type: "conjunction" })
      return { written: list.format(parts), seconds: units.reduce((sum, [, seconds], place) => sum + seconds * amounts[place], 0) }
    }),
  }),
}

const relativeUnits = [
  ["year", "P", "Y"],
  ["month", "P", "M"],
  ["week", "P", "W"],
  ["day", "P", "D"],
  ["hour", "PT", "H"],
  ["minute", "PT", "M"],
  ["second", "PT", "S"],
] as const

const relativeTimes: Recipe = {
  name: "relative-times-cldr",
  description:
    "Points in time relative to now as they are written in English, such as “in 3 days”, “2 mo. ago”, “yesterday” or “next year”, each with the ISO 8601 duration from now, negative for the past (P3D, -P2M, -P1D, P1Y). Forms of the Unicode CLDR.",
  tags: ["time", "relative", "temporal expression", "normalization", "iso-8601", "text2text-generation"],
  languages: ["en"],
  makeTables: () => ({
    default: distinctRows(
      relativeUnits.flatMap(([unit, before, after]) =>
        Array.from({ length: 81 }, (_, index) => index - 40).flatMap((amount) =>
          widths.flatMap((style) =>
            (["always", "auto"] as const).map((numeric) => ({
              written: new Intl.RelativeTimeFormat("en", { style, numeric }).format(amount, unit),
              iso8601: `${amount < 0 ? "-" : ""}${before}${Math.abs(amount)}${after}`,
            })),
          ),
        ),
      ),
    ),
  }),
}

/** Forty languages with full coverage in the CLDR, of many families and scripts. */
export const languages =
  "af ar bg bn ca cs cy da de el es et eu fa fi fr ga he hi hu hy id is it ja ka ko lt lv mk nl pl pt ro ru sk sv sw th tr uk ur vi zh".split(
    " ",
  )

export function languageName(code: string): string {
  return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code
}

/** `code` with Western digits and the Gregorian calendar, so that only words differ. */
const plainLocale = (code: string) => `${code}-u-ca-gregory-nu-latn`

const calendarNames: Recipe = {
  name: "month-and-weekday-names-cldr",
  description: `Names of the months and of the days of the week in English, translated into ${languages.length} languages: word translation. From the Unicode CLDR, in the forms that stand alone.`,
  tags: ["translation", "vocabulary", "calendar", "month", "weekday", "multilingual"],
  languages: ["en", ...languages],
  makeTables: () => {
    const translate = (form: Intl.DateTimeFormatOptions, days: readonly Date[]) =>
      languages.flatMap((language) =>
        days.map((day) => ({
          english: new Intl.DateTimeFormat("en", { ...form, timeZone: "UTC" }).format(day),
          language: languageName(language),
          translation: new Intl.DateTimeFormat(plainLocale(language), { ...form, timeZone: "UTC" }).format(day),
        })),
      )
    return {
      months: translate(
        { month: "long" },
        Array.from({ length: 12 }, (_, month) => new Date(Date.UTC(2000, month, 1))),
      ),
      weekdays: translate(
        { weekday: "long" },
        Array.from({ length: 7 }, (_, day) => new Date(Date.UTC(2000, 0, 3 + day))),
      ),
    }
  },
}

const calendars = ["japanese", "islamic-umalqura", "hebrew", "buddhist", "persian", "indian", "coptic", "roc", "ethiopic"]

const otherCalendars: Recipe = {
  name: "other-calendars-cldr",
  description:
    "Gregorian days of 1900 to 2076 and what they are in another calendar, written in English: Japanese eras, Islamic (Umm al-Qura), Hebrew, Buddhist, Persian, Indian national, Coptic, Minguo and Ethiopic. Converted by ICU, written in the long form of the Unicode CLDR.",
  tags: ["calendar", "conversion", "date", "era", "arithmetic"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(1200, "written", () => {
      const day = new Date(firstDay + random.integer(64_600) * dayMilliseconds)
      const calendar = random.pick(calendars)
      const written = new Intl.DateTimeFormat(`en-u-ca-${calendar}`, { dateStyle: "long", timeZone: "UTC" }).format(day)
      return { gregorian: isoDate(day), calendar, written }
    }),
  }),
}

export const timeRecipes: readonly Recipe[] = [dates, timesOfDay, durations, relativeTimes, calendarNames, otherCalendars]
