// Fourteen prompts that were written when the varied ones had been looked at and what they showed was mended; five of them have no set in the
// catalogue. At first sight a set that serves
// was the first for 8 of the 9 that have one, all 8 were taken, and of all 14 a wrong one for 1 (by the search alone; by the simulated teacher 3 and 0,
// then 8 and 1 since the search decides where it finds none).
import { decoder, english, multilingual, type RetrievalPrompt } from "./prompt"

export const afterwardsPrompts: readonly RetrievalPrompt[] = [
  {
    task: "proofreading",
    instruction: "Proofread short product descriptions: one word is spelled wrongly, put it right.",
    examples: [
      ["a comfotable chair for the garden", "a comfortable chair for the garden"],
      ["hand-made woden spoon", "hand-made wooden spoon"],
    ],
    datasets: ["spelling-corrections-wordnet"],
    models: english,
  },
  {
    task: "currencies, Portuguese prompt",
    instruction: "Dá o código ISO 4217 de uma moeda.",
    examples: [
      ["Swiss francs", "CHF"],
      ["Brazilian real", "BRL"],
    ],
    datasets: ["currency-names-cldr"],
    models: english,
  },
  {
    task: "word class, no examples",
    instruction: "Label a word in a sentence as noun, verb, adjective or adverb.",
    examples: [],
    datasets: ["parts-of-speech-wordnet"],
    models: english,
  },
  {
    task: "duration, misspelt",
    instruction: "convrt durations writen in hours and minuts to secnds",
    examples: [
      ["1 hour 10 minutes", "4200"],
      ["45 min", "2700"],
    ],
    datasets: ["durations-cldr"],
    models: english,
  },
  {
    task: "obituaries",
    instruction: "Which year was the person in this obituary born?",
    examples: [
      ["Ada Brook, who taught at the village school, was born in 1931 and died last week.", "1931"],
      ["Jon Falk (1940-2019), fisherman.", "1940"],
    ],
    datasets: ["life-dates-wordnet"],
    models: english,
  },
  {
    task: "kinds",
    instruction: "Taxonomy quiz. Name the hypernym.",
    examples: [
      ["oak", "tree"],
      ["violin", "instrument"],
    ],
    datasets: ["hypernyms-wordnet"],
    models: english,
  },
  {
    task: "countries, Korean",
    instruction: "Translate the names of countries from English into Korean and Hindi.",
    examples: [
      ["Norway, Korean", "노르웨이"],
      ["Japan, Hindi", "जापान"],
    ],
    datasets: ["country-name-translations-iso", "country-names-cldr"],
    models: multilingual,
  },
  {
    task: "butterflies",
    instruction: "Give the binomial of the animal.",
    examples: [
      ["peacock butterfly", "Aglais io"],
      ["brown bear", "Ursus arctos"],
    ],
    datasets: ["scientific-names-wordnet"],
    models: english,
  },
  {
    task: "manuals",
    instruction:
      "Our manuals answer most questions of our customers. Given a passage of a manual and a customer's question, extract the phrase of the passage that answers it.",
    examples: [
      ["passage: Press the red button for five seconds to reset the device. question: How long must I press?", "five seconds"],
      ["passage: The lamp takes two AA batteries. question: What batteries does it need?", "two AA batteries"],
    ],
    datasets: ["question-answering-wordnet"],
    models: english,
  },
  {
    task: "none: SQL",
    instruction: "Turn a question about a table into SQL.",
    examples: [
      ["How many users are older than 30?", "SELECT COUNT(*) FROM users WHERE age > 30"],
      ["List all names in order.", "SELECT name FROM users ORDER BY name"],
    ],
    datasets: [],
    models: [...english, ...decoder],
  },
  {
    task: "none: rhymes",
    instruction: "Find a word that rhymes with the given word.",
    examples: [
      ["light", "night"],
      ["moon", "spoon"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: entities",
    instruction: "List the names of companies in a sentence from the business pages, separated by commas.",
    examples: [
      ["Acme bought Globex for two billion dollars.", "Acme, Globex"],
      ["Shares of Initech fell.", "Initech"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: urgency",
    instruction: "How urgent is a support ticket: low, medium or high?",
    examples: [
      ["The site is down for all customers!", "high"],
      ["Could you change the colour of the button some day?", "low"],
      ["The export takes an hour.", "medium"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: fractions",
    instruction: "Write a fraction as a percentage.",
    examples: [
      ["3/4", "75%"],
      ["1/5", "20%"],
    ],
    datasets: [],
    models: english,
  },
]
