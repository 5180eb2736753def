// Datasets of ISO's codes: countries by ISO 3166-1 and in other languages, languages by ISO 639-3.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { openPackage } from "../registry-package"
import { balance, type Recipe, type Source, uniqueBy } from "./recipe"

const countryPackage = {
  name: "i18n-iso-countries",
  version: "7.14.0",
  integrity: "sha512-nXHJZYtNrfsi1UQbyRqm3Gou431elgLjKl//CYlnBGt5aTWdRPH1PiS2T/p/n8Q8LnqYqzQJik3Q7mkwvLokeg==",
}
const languagePackage = {
  name: "iso-639-3",
  version: "3.0.1",
  integrity: "sha512-SdljCYXOexv/JmbQ0tvigHN43yECoscVpe2y2hlEqy/CStXQlroPhZLj7zKLRiGqLJfw8k7B973UAMDoQczVgQ==",
}
const countrySource: Source = { name: "npm's i18n-iso-countries 7.14.0", license: "MIT" }
const languageSource: Source = { name: "npm's iso-639-3 3.0.1, after the tables of SIL International", license: "MIT" }

export interface Country {
  readonly name: string
  readonly alpha2: string
  readonly alpha3: string
  readonly numeric: string
}

const readCountryFile = (...path: string[]) => JSON.parse(readFileSync(join(openPackage(countryPackage), ...path), "utf8"))

/** Names by two-letter code; where there are several, the shortest that is no abbreviation. */
export function countryNamesIn(language: string): Map<string, string> {
  const names: Record<string, string | string[]> = readCountryFile("langs", `${language}.json`).countries
  return new Map(Object.entries(names).map(([alpha2, name]) => [alpha2, shortestOf([name].flat())]))
}

function shortestOf(names: readonly string[]): string {
  const isPlain = (name: string) => !name.includes("(") && name !== name.toUpperCase()
  return [...names].sort((a, b) => Number(isPlain(b)) - Number(isPlain(a)) || a.length - b.length)[0]
}

export function countries(): Country[] {
  const english = countryNamesIn("en")
  const codes: [string, string, string][] = readCountryFile("codes.json")
  return codes.flatMap(([alpha2, alpha3, numeric]) =>
    english.has(alpha2) ? [{ name: english.get(alpha2)!, alpha2, alpha3, numeric }] : [],
  )
}

/** The licences of the packages, as they come with them. */
export const codeLicenses = {
  countries: () => readFileSync(join(openPackage(countryPackage), "LICENSE"), "utf8"),
  languages: () => readFileSync(join(openPackage(languagePackage), "license"), "utf8"),
}

const countryCodes: Recipe = {
  name: "country-codes-iso-3166",
  description:
    "Names of countries in English, each with its three-letter code (configuration alpha3, such as CHE for Switzerland) or its three-digit number (numeric, such as 756) in ISO 3166-1.",
  tags: ["country", "code", "alpha-3", "numeric", "iso-3166", "geography"],
  languages: ["en"],
  source: countrySource,
  makeTables: () => {
    const names: Record<string, string | string[]> = readCountryFile("langs", "en.json").countries
    const rows = countries().flatMap(({ alpha2, alpha3, numeric }) => [names[alpha2]].flat().map((name) => ({ name, alpha3, numeric })))
    const unique = uniqueBy(rows, ({ name }) => name)
    return { alpha3: unique.map(({ name, alpha3 }) => ({ name, alpha3 })), numeric: unique.map(({ name, numeric }) => ({ name, numeric })) }
  },
}

const translatedLanguages = "ar bg cs da de el es et fi fr he hi hr hu id it ja ko lt lv nl pl pt ro ru sk sl sv tr uk vi zh".split(" ")

const countryTranslations: Recipe = {
  name: "country-name-translations-iso",
  description: `Names of countries in English, translated into ${translatedLanguages.length} languages such as German, Japanese and Arabic: word translation of proper names, by people.`,
  tags: ["translation", "country", "name", "proper names", "multilingual"],
  languages: ["en", ...translatedLanguages],
  source: countrySource,
  makeTables: (random) => {
    const english = countryNamesIn("en")
    const languageName = new Intl.DisplayNames("en", { type: "language" })
    const rows = translatedLanguages.flatMap((language) =>
      [...countryNamesIn(language)].flatMap(([alpha2, translation]) =>
        english.has(alpha2) ? [{ english: english.get(alpha2)!, language: languageName.of(language) ?? language, translation }] : [],
      ),
    )
    return {
      default: random.sample(
        uniqueBy(rows, ({ english, language }) => english + language),
        5000,
      ),
    }
  },
}

interface Language {
  readonly name: string
  readonly type: string
  readonly scope: string
  readonly iso6393: string
}

/** The table is a module of literals: one object after the other. */
function listLanguages(): Language[] {
  const text = readFileSync(join(openPackage(languagePackage), "iso6393.js"), "utf8")
  const member = (body: string, name: string) => new RegExp(`${name}: ('|")(.*?)\\1[,\\n]`).exec(body)?.[2].replaceAll("\\'", "'") ?? ""
  return [...text.matchAll(/^ {2}\{\n([\s\S]*?)^ {2}\}/gm)].map(([, body]) => ({
    name: member(body, "name"),
    type: member(body, "type"),
    scope: member(body, "scope"),
    iso6393: member(body, "iso6393"),
  }))
}

const languageCodes: Recipe = {
  name: "language-codes-iso-639-3",
  description:
    "Names of the languages of the world, each with its three-letter code in ISO 639-3, such as “Swiss German” and gsw. Most are small languages that other lists leave out.",
  tags: ["language", "code", "iso-639-3", "name", "linguistics"],
  languages: ["en"],
  source: languageSource,
  makeTables: (random) => ({
    default: random
      .sample(
        listLanguages().filter(({ scope, name }) => scope === "individual" && name),
        4000,
      )
      .map(({ name, iso6393 }) => ({ name, iso6393 })),
  }),
}

const languageStatus: Recipe = {
  name: "language-status-iso-639-3",
  description:
    "Names of languages, each with whether the language is living, extinct, ancient, historical or constructed, by ISO 639-3. Classification from knowledge of languages.",
  tags: ["language", "extinct", "living", "linguistics", "text-classification"],
  languages: ["en"],
  source: languageSource,
  makeTables: (random) => {
    const rows = listLanguages().filter(({ type, name }) => type && type !== "special" && name)
    const few = rows.filter(({ type }) => type !== "living" && type !== "extinct")
    const many = balance(
      rows.filter((row) => !few.includes(row)).map(({ name, type }) => ({ name, status: type })),
      "status",
      500,
      random,
    )
    return { default: uniqueBy([...few.map(({ name, type }) => ({ name, status: type })), ...many], ({ name }) => String(name)) }
  },
}

export const codeRecipes: readonly Recipe[] = [countryCodes, countryTranslations, languageCodes, languageStatus]
