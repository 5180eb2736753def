// Datasets about numbers: formatted numbers, large numbers in short, amounts of money, measures, plural categories.
import type { Random } from "../../src/core/random"
import { collectRows, type Recipe } from "./recipe"
import { languageName, languages } from "./times"

/** A number of one to nine digits before the point, and up to two behind it. */
function drawNumber(random: Random): number {
  const whole = random.integer(10 ** (1 + random.integer(9)))
  const digits = random.integer(3)
  return Number(`${whole}.${String(random.integer(10 ** digits)).padStart(digits, "0")}`)
}

const numbers: Recipe = {
  name: "numbers-in-languages-cldr",
  description: `Decimal numbers as they are written in ${languages.length + 1} languages, with their separators and digits, each with the plain number, such as “1.234.567,89” in German and 1234567.89. Forms of the Unicode CLDR.`,
  tags: ["number", "decimal", "digits", "locale", "normalization", "multilingual"],
  languages: ["en", ...languages],
  makeTables: (random) => ({
    default: collectRows(3000, "written", () => {
      const language = random.pick(["en", ...languages])
      const number = drawNumber(random)
      // The digits that the language itself uses, Arabic or Bengali ones too.
      const written = new Intl.NumberFormat(`${language}-u-nu-native`, { maximumFractionDigits: 2 }).format(number)
      return { written, language: languageName(language), number: String(number) }
    }),
  }),
}

const largeNumbers: Recipe = {
  name: "large-numbers-cldr",
  description:
    "Large numbers in short as they are written in English, such as “1.2 million”, “3.4K” or “56B”, each with the number in digits (1200000). Compact forms of the Unicode CLDR.",
  tags: ["number", "abbreviation", "compact", "normalization", "text2text-generation"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(1500, "written", () => {
      const tenths = 1 + random.integer(9999)
      const number = tenths * 10 ** (2 + 3 * random.integer(4))
      const form = { notation: "compact", compactDisplay: random.pick(["short", "long"] as const), maximumFractionDigits: 1 } as const
      return { written: new Intl.NumberFormat("en", form).format(number), number: String(number) }
    }),
  }),
}

const currencies = [
  "USD",
  "EUR",
  "GBP",
  "JPY",
  "AUD",
  "CAD",
  "NZD",
  "INR",
  "CNY",
  "KRW",
  "BRL",
  "MXN",
  "ILS",
  "VND",
  "CHF",
  "SEK",
  "NOK",
  "PLN",
  "TRY",
  "ZAR",
]

const amountsOfMoney: Recipe = {
  name: "amounts-of-money-cldr",
  description:
    "Amounts of money as they are written in American English, such as “€1,234.50” or “1,200 Japanese yen”, each as ISO 4217 code and plain number (EUR 1234.50). Twenty currencies; “$” alone is the US dollar. Forms of the Unicode CLDR.",
  tags: ["money", "currency", "price", "iso-4217", "normalization", "finance", "text2text-generation"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(2000, "written", () => {
      const currency = random.pick(currencies)
      const form = { style: "currency", currency, currencyDisplay: random.pick(["symbol", "symbol", "name", "code"] as const) } as const
      const format = new Intl.NumberFormat("en-US", form)
      const digits = format.resolvedOptions().maximumFractionDigits ?? 2
      const amount =
        random.integer(10 ** (1 + random.integer(6))) + (digits === 0 ? 0 : random.pick([0, 0.5, 0.99, random.integer(100) / 100]))
      return { written: format.format(amount), normalized: `${currency} ${amount.toFixed(digits)}` }
    }),
  }),
}

const units =
  "acre bit byte celsius centimeter day degree fahrenheit fluid-ounce foot gallon gigabit gigabyte gram hectare hour inch kilobit kilobyte kilogram kilometer liter megabit megabyte meter microsecond mile milliliter millimeter millisecond minute month nanosecond ounce percent petabyte pound second stone terabit terabyte week yard year".split(
    " ",
  )
const compoundUnits = [
  "kilometer-per-hour",
  "mile-per-hour",
  "meter-per-second",
  "liter-per-kilometer",
  "mile-per-gallon",
  "gram-per-liter",
  "megabit-per-second",
]

const measures: Recipe = {
  name: "measures-cldr",
  description: `Measures with the unit's name in full and abbreviated, in English, such as “5.5 kilometers per hour” and “5.5 km/h”. ${units.length + compoundUnits.length} units of length, area, volume, mass, time, temperature, speed and data, from the Unicode CLDR.`,
  tags: ["unit", "measurement", "abbreviation", "text2text-generation"],
  languages: ["en"],
  makeTables: (random) => ({
    default: collectRows(1500, "written", () => {
      const unit = random.pick([...units, ...compoundUnits])
      const amount = random.next() < 0.2 ? 1 : random.integer(2000) / random.pick([1, 1, 10])
      const write = (unitDisplay: "long" | "short") => new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay }).format(amount)
      return { written: write("long"), abbreviated: write("short") }
    }),
  }),
}

const pluralLanguages = "en ar cs cy da de es fr ga he hi it ja lt lv pl pt ro ru sk sl sv uk".split(" ")

const pluralCategories: Recipe = {
  name: "plural-categories-cldr",
  description: `Which plural form a number asks for in ${pluralLanguages.length} languages: zero, one, two, few, many or other, for counting (cardinal) and for ranking (ordinal). A classification task, from the plural rules of the Unicode CLDR.`,
  tags: ["plural", "grammar", "number", "text-classification", "multilingual"],
  languages: pluralLanguages,
  makeTables: (random) => {
    const rowsOf = (type: "cardinal" | "ordinal") =>
      pluralLanguages.flatMap((language) =>
        [
          ...Array(25).keys(),
          ...random.sample(
            Array.from({ length: 975 }, (_, index) => 25 + index),
            35,
          ),
        ].map((number) => ({
          number: String(number),
          language: languageName(language),
          category: new Intl.PluralRules(language, { type }).select(number),
        })),
      )
    return { cardinal: rowsOf("cardinal"), ordinal: rowsOf("ordinal") }
  },
}

export const numberRecipes: readonly Recipe[] = [numbers, largeNumbers, amountsOfMoney, measures, pluralCategories]
