// Prompts of different tasks, each with the datasets and base models of the bundled catalogue that serve it. The first twenty were written
// before any search was run over them, the held-out ones after all else was finished, the fresh ones when a model's kind and languages had come to
// stand before its words; none was changed after its results were seen.

export interface RetrievalPrompt {
  readonly task: string
  readonly instruction: string
  readonly examples: readonly (readonly [input: string, output: string])[]
  /** Behind `bundled/`. Any of them is right. */
  readonly datasets: readonly string[]
  readonly models: readonly string[]
}

const english = ["byte-t5-english"]
const multilingual = ["byte-t5-multilingual"]
const decoder = ["byte-llama-english"]

export const prompts: readonly RetrievalPrompt[] = [
  {
    task: "reading comprehension",
    instruction: "Read the paragraph and answer the question that follows it with the exact words of the paragraph.",
    examples: [
      ["Paragraph: The mill was bought by Ana Ruiz in 1911. Question: Who bought the mill?", "Ana Ruiz"],
      ["Paragraph: Otters sleep holding hands so that they do not drift apart. Question: How do otters sleep?", "holding hands"],
    ],
    datasets: ["question-answering-wordnet"],
    models: english,
  },
  {
    task: "sentiment",
    instruction: "Decide whether what a customer says about our shop is positive or negative.",
    examples: [
      ["The staff could not have been kinder.", "positive"],
      ["I waited an hour for a cold coffee.", "negative"],
    ],
    datasets: ["sentiment-sentences-wordnet", "sentiment-words-vader"],
    models: english,
  },
  {
    task: "dates",
    instruction: "Normalize dates found on old letters to YYYY-MM-DD.",
    examples: [
      ["June 3rd, 1921", "1921-06-03"],
      ["14 Oct 1898", "1898-10-14"],
    ],
    datasets: ["dates-cldr"],
    models: english,
  },
  {
    task: "opposites",
    instruction: "Name the opposite of a word.",
    examples: [
      ["generous", "stingy"],
      ["ascend", "descend"],
    ],
    datasets: ["antonyms-wordnet"],
    models: english,
  },
  {
    task: "simpler words",
    instruction: "Replace a difficult word by another one with the same meaning.",
    examples: [
      ["commence", "begin"],
      ["purchase", "buy"],
    ],
    datasets: ["synonyms-wordnet"],
    models: english,
  },
  {
    task: "crossword",
    instruction: "Solve crossword clues: the input is a description, the output the one word that it describes.",
    examples: [
      ["a person who looks after sheep", "shepherd"],
      ["to move slowly on hands and knees", "crawl"],
    ],
    datasets: ["reverse-dictionary-wordnet"],
    models: english,
  },
  {
    task: "explain a word",
    instruction: "Explain to a learner of English what a word means, in one short sentence.",
    examples: [
      ["anvil", "a heavy block of iron on which hot metal is hammered"],
      ["to loiter", "to stand about somewhere without a reason"],
    ],
    datasets: ["dictionary-wordnet"],
    models: decoder,
  },
  {
    task: "typos",
    instruction: "Correct the typos in a sentence and leave everything else as it is.",
    examples: [
      ["teh cat sat on the mat", "the cat sat on the mat"],
      ["we wil meet tomorrow", "we will meet tomorrow"],
    ],
    datasets: ["spelling-corrections-wordnet"],
    models: english,
  },
  {
    task: "word class",
    instruction: "Which part of speech does the marked word have in the sentence? Answer noun, verb, adjective or adverb.",
    examples: [
      ["They *book* a table. book", "verb"],
      ["A *quick* answer. quick", "adjective"],
    ],
    datasets: ["parts-of-speech-wordnet"],
    models: english,
  },
  {
    task: "country codes",
    instruction: "Give the three-letter ISO code of a country.",
    examples: [
      ["Portugal", "PRT"],
      ["South Korea", "KOR"],
    ],
    datasets: ["country-codes-iso-3166"],
    models: multilingual,
  },
  {
    task: "country names abroad",
    instruction: "Translate the English name of a country into the language that is given.",
    examples: [
      ["Germany, French", "Allemagne"],
      ["Poland, German", "Polen"],
    ],
    datasets: ["country-name-translations-iso"],
    models: multilingual,
  },
  {
    task: "durations",
    instruction: "Convert how long something takes, as people write it, to a number of seconds.",
    examples: [
      ["2 minutes and 5 seconds", "125"],
      ["1 hr", "3600"],
    ],
    datasets: ["durations-cldr"],
    models: english,
  },
  {
    task: "money",
    instruction: "Rewrite prices in a uniform way: the currency's three letters, a space, the amount with a point.",
    examples: [
      ["$1,299.50", "USD 1299.50"],
      ["12 euros", "EUR 12.00"],
    ],
    datasets: ["amounts-of-money-cldr"],
    models: english,
  },
  {
    task: "acronyms",
    instruction: "Spell out acronyms.",
    examples: [
      ["UNESCO", "United Nations Educational, Scientific and Cultural Organization"],
      ["CPU", "central processing unit"],
    ],
    datasets: ["abbreviations-wordnet"],
    models: english,
  },
  {
    task: "species",
    instruction: "Write the Latin name of a plant or an animal.",
    examples: [
      ["red fox", "Vulpes vulpes"],
      ["silver birch", "Betula pendula"],
    ],
    datasets: ["scientific-names-wordnet"],
    models: english,
  },
  {
    task: "gap filling",
    instruction: "Fill the gap in a sentence with the missing word.",
    examples: [
      ["She poured the tea into a ___.", "cup"],
      ["He was too ___ to lift the box.", "weak"],
    ],
    datasets: ["cloze-wordnet"],
    models: english,
  },
  {
    task: "birth years",
    instruction: "Extract the year of birth from a short biography.",
    examples: [
      ["Clara Weiss (1871-1940) was a Swiss botanist.", "1871"],
      ["Born in 1902, he painted until his death in 1980.", "1902"],
    ],
    datasets: ["life-dates-wordnet"],
    models: english,
  },
  {
    task: "topics",
    instruction: "Sort short texts by topic: is it about animals, plants, food, people, places or money?",
    examples: [
      ["a thick soup of fish and potatoes", "food"],
      ["a village on the northern shore", "places"],
    ],
    datasets: ["topics-wordnet"],
    models: english,
  },
  {
    task: "decimal numbers",
    instruction: "Read numbers as they are written in different countries and write them plainly, with a decimal point.",
    examples: [
      ["1.234,5 (German)", "1234.5"],
      ["12 345,67 (French)", "12345.67"],
    ],
    datasets: ["numbers-in-languages-cldr"],
    models: multilingual,
  },
  {
    task: "word senses",
    instruction: "Two sentences share a word. Say yes if the word has the same sense in both, else no.",
    examples: [
      ["bank: I sat on the river bank. / The bank lent us money.", "no"],
      ["run: She runs daily. / They ran a mile.", "yes"],
    ],
    datasets: ["same-sense-wordnet"],
    models: english,
  },
]

/** Written after the ways of retrieving were settled. */
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

/** Written when a model's kind and languages had come to stand before its words, and before any search was run over them. */
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
