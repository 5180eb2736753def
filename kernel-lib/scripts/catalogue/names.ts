// Datasets of names and their codes: countries, languages, currencies, scripts.
import { distinctRows, lettersOf, type Recipe } from "./recipe"
import { languageName, languages } from "./times"

/** Codes that CLDR names and ISO 3166-1 has not assigned. */
const notCountries = new Set("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split(" "))

/** The names that CLDR has for a code; none for a code that stands for another by now. */
function regionCodes(): string[] {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" })
  return [...lettersOf(2)]
    .map((letters) => letters.toUpperCase())
    .filter((code) => names.of(code) !== undefined && !notCountries.has(code) && new Intl.Locale(`und-${code}`).region === code)
}

const countryNames: Recipe = {
  name: "country-names-cldr",
  description: `Names of countries and territories, long and short, each with its two-letter code (ISO 3166-1 alpha-2), such as “Switzerland” and CH. Configuration english has the English names only, multilingual the names in ${languages.length} languages. From the Unicode CLDR.`,
  tags: ["country", "region", "name", "country code", "alpha-2", "iso-3166", "normalization", "geography", "multilingual"],
  languages: ["en", ...languages],
  makeTables: () => {
    const codes = regionCodes()
    const namesIn = (locale: string, style: "long" | "short") => {
      const names = new Intl.DisplayNames(locale, { type: "region", style, fallback: "none" })
      return codes.flatMap((alpha2) => (names.of(alpha2) ? [{ name: names.of(alpha2)!, alpha2 }] : []))
    }
    return {
      english: distinctRows([...namesIn("en", "long"), ...namesIn("en", "short")]),
      multilingual: languages.flatMap((language) =>
        namesIn(language, "long").map(({ name, alpha2 }) => ({ name, language: languageName(language), alpha2 })),
      ),
    }
  },
}

/** Codes that CLDR replaces by ak and bho. */
const aliases = new Set(["tw", "bh"])

const languageNames: Recipe = {
  name: "language-names-cldr",
  description:
    "English names of languages and their BCP 47 codes, such as “Swiss German” and gsw. Every language that the Unicode CLDR names, living, ancient and constructed; no regional variants.",
  tags: ["language", "name", "bcp-47", "iso-639", "normalization"],
  languages: ["en"],
  makeTables: () => {
    const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" })
    const codes = [...lettersOf(2), ...lettersOf(3)].filter((code) => {
      if (names.of(code) === undefined || aliases.has(code)) return false
      return new Intl.Locale(code).language === code && !["mul", "und", "zxx", "mis"].includes(code)
    })
    return { default: codes.map((bcp47) => ({ name: names.of(bcp47)!, bcp47 })) }
  },
}

const currencyNames: Recipe = {
  name: "currency-names-cldr",
  description:
    "English names of currencies, as a title and as counted (“US Dollar”, “US dollars”), each with its ISO 4217 code. Currencies in use and of the past, from the Unicode CLDR.",
  tags: ["currency", "money", "name", "iso-4217", "normalization", "finance"],
  languages: ["en"],
  makeTables: () => {
    const names = new Intl.DisplayNames("en", { type: "currency", fallback: "none" })
    const counted = (currency: string, amount: number) =>
      new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "name", maximumFractionDigits: 0 })
        .formatToParts(amount)
        .find(({ type }) => type === "currency")!.value
    const codes = [...lettersOf(3)].map((letters) => letters.toUpperCase()).filter((code) => names.of(code) !== undefined && code !== "XXX")
    return {
      default: distinctRows(
        codes.flatMap((iso4217) => [names.of(iso4217)!, counted(iso4217, 1), counted(iso4217, 2)].map((name) => ({ name, iso4217 }))),
      ),
    }
  },
}

const scriptNames: Recipe = {
  name: "script-names-cldr",
  description: "English names of writing systems and their ISO 15924 codes, such as “Cyrillic” and Cyrl. From the Unicode CLDR.",
  tags: ["script", "writing system", "name", "iso-15924", "normalization"],
  languages: ["en"],
  makeTables: () => {
    const names = new Intl.DisplayNames("en", { type: "script", fallback: "none" })
    const rows = []
    for (const letters of lettersOf(4)) {
      const iso15924 = letters[0].toUpperCase() + letters.slice(1)
      const name = names.of(iso15924)
      if (name !== undefined && !/^(Z[yzi]|Zxxx)/.test(iso15924)) rows.push({ name, iso15924 })
    }
    return { default: rows }
  },
}

export const nameRecipes: readonly Recipe[] = [countryNames, languageNames, currencyNames, scriptNames]
