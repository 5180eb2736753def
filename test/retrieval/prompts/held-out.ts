// Ten prompts that were written after the ways of retrieving were settled.
import { decoder, english, multilingual, type RetrievalPrompt } from "./prompt"

export const heldOutPrompts: readonly RetrievalPrompt[] = [
  {
    task: "clock times",
    instruction: "Bring opening hours into the 24-hour form.",
    examples: [
      ["9:30 in the morning", "09:30"],
      ["6:15 PM", "18:15"],
    ],
    datasets: ["times-of-day-cldr"],
    models: english,
  },
  {
    task: "more general words",
    instruction: "For a word, give the broader category that it belongs to: what kind of thing is it?",
    examples: [
      ["sparrow", "bird"],
      ["sofa", "furniture"],
    ],
    datasets: ["hypernyms-wordnet"],
    models: english,
  },
  {
    task: "yes or no",
    instruction: "Answer a child's yes-or-no question about what kinds of things there are.",
    examples: [
      ["Is a whale a fish?", "no"],
      ["Is a daisy a kind of flower?", "yes"],
    ],
    datasets: ["is-a-questions-wordnet"],
    models: english,
  },
  {
    task: "verbs to nouns",
    instruction: "Turn a verb into the noun that names the action.",
    examples: [
      ["decide", "decision"],
      ["refuse", "refusal"],
    ],
    datasets: ["nominalizations-wordnet"],
    models: english,
  },
  {
    task: "where places are",
    instruction: "Say in which country or region a city, river or mountain lies.",
    examples: [
      ["Lyon", "France"],
      ["the Ebro", "Spain"],
    ],
    datasets: ["places-wordnet"],
    models: english,
  },
  {
    task: "usage examples",
    instruction: "Write a sentence that shows how a word is used.",
    examples: [
      ["reluctant", "He was reluctant to leave so early."],
      ["brisk", "They went for a brisk walk along the shore."],
    ],
    datasets: ["example-sentences-wordnet"],
    models: decoder,
  },
  {
    task: "currencies",
    instruction: "Which three-letter code does a currency have?",
    examples: [
      ["Norwegian kroner", "NOK"],
      ["pound sterling", "GBP"],
    ],
    datasets: ["currency-names-cldr"],
    models: english,
  },
  {
    task: "big numbers",
    instruction: "Write abbreviated figures from a balance sheet out in full digits.",
    examples: [
      ["4.7M", "4700000"],
      ["12 thousand", "12000"],
    ],
    datasets: ["large-numbers-cldr"],
    models: english,
  },
  {
    task: "dead languages",
    instruction: "Is the language still spoken? Answer living or extinct.",
    examples: [
      ["Cornish", "living"],
      ["Gothic", "extinct"],
    ],
    datasets: ["language-status-iso-639-3"],
    models: multilingual,
  },
  {
    task: "weekdays abroad",
    instruction: "Translate the days of the week and the months from English.",
    examples: [
      ["Monday, Italian", "lunedì"],
      ["March, Polish", "marzec"],
    ],
    datasets: ["month-and-weekday-names-cldr"],
    models: multilingual,
  },
]
