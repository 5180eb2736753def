// Twenty prompts that were written before any search was run over them.
import { decoder, english, multilingual, type RetrievalPrompt } from "./prompt"

export const firstPrompts: readonly RetrievalPrompt[] = [
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
