// Fourteen prompts that were written when a model's kind and languages had come to stand before its words, and before any search was run over them.
import { decoder, english, multilingual, type RetrievalPrompt } from "./prompt"

export const freshPrompts: readonly RetrievalPrompt[] = [
  {
    task: "relative times",
    instruction: "Say how far from today a point in time lies, as an ISO 8601 duration.",
    examples: [
      ["two weeks ago", "-P2W"],
      ["in 5 days", "P5D"],
    ],
    datasets: ["relative-times-cldr"],
    models: english,
  },
  {
    task: "units",
    instruction: "Abbreviate the units of measures in data sheets.",
    examples: [
      ["12 kilometres", "12 km"],
      ["3.5 cubic metres", "3.5 m³"],
    ],
    datasets: ["measures-cldr"],
    models: english,
  },
  {
    task: "plural forms",
    instruction: "Choose the plural category that a number takes in a given language: zero, one, two, few, many or other.",
    examples: [
      ["3, Polish", "few"],
      ["1, Welsh", "one"],
    ],
    datasets: ["plural-categories-cldr"],
    models: multilingual,
  },
  {
    task: "years of death",
    instruction: "From a short life story, give the year in which the person died.",
    examples: [
      ["Ida Holm (1850-1921) was a Danish painter.", "1921"],
      ["He wrote plays until he died in 1788.", "1788"],
    ],
    datasets: ["life-dates-wordnet"],
    models: english,
  },
  {
    task: "other calendars",
    instruction: "Convert a day of our calendar to the Hebrew calendar.",
    examples: [
      ["3 May 1999", "17 Iyar 5759"],
      ["1 January 2000", "23 Tevet 5760"],
    ],
    datasets: ["other-calendars-cldr"],
    models: english,
  },
  {
    task: "language codes",
    instruction: "Find the three-letter ISO 639-3 code of a language.",
    examples: [
      ["Breton", "bre"],
      ["Zulu", "zul"],
    ],
    datasets: ["language-codes-iso-639-3", "language-names-cldr"],
    models: multilingual,
  },
  {
    task: "film reviews",
    instruction: "Tell whether a line from a film review praises or pans the film.",
    examples: [
      ["A triumph from start to finish.", "praise"],
      ["I have rarely been so bored.", "pan"],
    ],
    datasets: ["sentiment-sentences-wordnet", "sentiment-words-vader"],
    models: english,
  },
  {
    task: "encyclopedia",
    instruction: "File an entry of an encyclopedia under food, animal, person or place.",
    examples: [
      ["a small brown songbird of northern woods", "animal"],
      ["a flat bread baked on hot stones", "food"],
    ],
    datasets: ["topics-wordnet"],
    models: english,
  },
  {
    task: "countries in Japanese",
    instruction: "Translate names of countries into Japanese.",
    examples: [
      ["Norway", "ノルウェー"],
      ["Spain", "スペイン"],
    ],
    datasets: ["country-name-translations-iso", "country-names-cldr"],
    models: multilingual,
  },
  {
    task: "glossary",
    instruction: "Define a term for a glossary in one full sentence.",
    examples: [
      ["ledger", "a book in which the money that comes in and goes out is written down"],
      ["to thaw", "to become soft or liquid again after having been frozen"],
    ],
    datasets: ["dictionary-wordnet"],
    models: decoder,
  },
  {
    task: "thesaurus",
    instruction: "Suggest a near-synonym for a word in the sense that is given.",
    examples: [
      ["quick (moving fast)", "rapid"],
      ["bright (full of light)", "radiant"],
    ],
    datasets: ["synonyms-wordnet"],
    models: english,
  },
  {
    task: "misspelt reviews",
    instruction: "Fix the spelling mistake in each product review.",
    examples: [
      ["The batery lasts long.", "The battery lasts long."],
      ["Verry good value.", "Very good value."],
    ],
    datasets: ["spelling-corrections-wordnet"],
    models: english,
  },
  {
    task: "vocabulary cards",
    instruction: "Make up a sentence for a vocabulary card with the given word.",
    examples: [
      ["lantern", "She carried a lantern through the dark barn."],
      ["stubborn", "The stubborn mule would not take another step."],
    ],
    datasets: ["example-sentences-wordnet"],
    models: decoder,
  },
  {
    task: "invoices abroad",
    instruction: "Turn amounts with the separators of French or Turkish invoices into plain digits.",
    examples: [
      ["1 234,50 (French)", "1234.50"],
      ["12.345,6 (Turkish)", "12345.6"],
    ],
    datasets: ["numbers-in-languages-cldr"],
    models: multilingual,
  },
]
