// Twenty-five prompts of other kinds than the ones before: without examples, misspelt, long, in other languages; and ten tasks for which the bundled
// catalogue has nothing, so that to take none is right. All were written before any search was run over them. At first sight a set that serves was the
// first for 9 of the 15 that have one, 3 of these were taken, and of all 25 a wrong one was taken for 6 (by the search alone; by the simulated
// teacher 3 and 0). What they showed was mended: other forms and slips of words, labels, inputs of another kind, capitals, and how much of a prompt
// a set has to cover. Since then it is 12, 8 and 0, in both ways.
import { decoder, english, multilingual, type RetrievalPrompt } from "./prompt"

export const variedPrompts: readonly RetrievalPrompt[] = [
  {
    task: "typos, no examples",
    instruction: "Fix typos in a sentence.",
    examples: [],
    datasets: ["spelling-corrections-wordnet"],
    models: english,
  },
  {
    task: "typos, misspelt prompt",
    instruction: "Plese corect the speling misstakes in teh sentense.",
    examples: [
      ["I recieved you're letter yesturday", "I received your letter yesterday"],
      ["the wether was beautifull", "the weather was beautiful"],
    ],
    datasets: ["spelling-corrections-wordnet"],
    models: english,
  },
  {
    task: "dates, a long prompt",
    instruction: `You work for a regional newspaper that is digitising a hundred years of its archive. Volunteers have typed in the page headers, and each of
them had a different way of writing down when an issue appeared: some wrote the weekday, some shortened the month, some left the comma out.
Our database can only sort the issues when the day of publication is written in ISO 8601, year first, then the month, then the day. Read the
header that a volunteer has typed and give back that day and nothing else. When in doubt assume that the month comes before the day.`,
    examples: [
      ["Thursday, Feb 9, 1933", "1933-02-09"],
      ["september 1 1961", "1961-09-01"],
      ["Nov. 30th, 1918", "1918-11-30"],
    ],
    datasets: ["dates-cldr"],
    models: english,
  },
  {
    task: "opposites, French prompt",
    instruction: "Donne le contraire d'un mot anglais.",
    examples: [
      ["happy", "sad"],
      ["early", "late"],
    ],
    datasets: ["antonyms-wordnet"],
    models: english,
  },
  {
    task: "country codes, German prompt",
    instruction: "Gib zu einem Land das Kürzel aus drei Buchstaben nach ISO 3166 an.",
    examples: [
      ["Germany", "DEU"],
      ["Morocco", "MAR"],
    ],
    datasets: ["country-codes-iso-3166"],
    models: multilingual,
  },
  {
    task: "sentiment, Spanish prompt",
    instruction: "Clasifica el sentimiento de una frase en inglés: positive o negative.",
    examples: [
      ["what a lovely surprise", "positive"],
      ["the engine broke down again", "negative"],
    ],
    datasets: ["sentiment-sentences-wordnet", "sentiment-words-vader"],
    models: english,
  },
  {
    task: "countries, Chinese prompt",
    instruction: "把英文的国家名称翻译成中文。",
    examples: [
      ["Germany", "德国"],
      ["Brazil", "巴西"],
    ],
    datasets: ["country-name-translations-iso", "country-names-cldr"],
    models: multilingual,
  },
  {
    task: "museum guide",
    instruction:
      "A visitor of a museum asks something about an object. Look it up in the text on the object's label and copy the words that answer the visitor.",
    examples: [
      ["Label: This bowl was found near Trier in 1887. Visitor: When was it found?", "1887"],
      ["Label: The clock was made by Jost Bürgi for the court in Kassel. Visitor: Who made the clock?", "Jost Bürgi"],
    ],
    datasets: ["question-answering-wordnet"],
    models: english,
  },
  {
    task: "timetables, no examples",
    instruction: "Convert clock times with AM or PM, as they stand in bus timetables, to the 24-hour clock.",
    examples: [],
    datasets: ["times-of-day-cldr"],
    models: english,
  },
  {
    task: "scripts",
    instruction: "Which code does ISO 15924 give to a writing system?",
    examples: [
      ["Greek", "Grek"],
      ["Devanagari", "Deva"],
    ],
    datasets: ["script-names-cldr"],
    models: english,
  },
  {
    task: "word game",
    instruction: "A party game: I describe something without saying it, you say the word I have in mind.",
    examples: [
      ["you hold it over your head when it rains", "umbrella"],
      ["an animal with a very long neck", "giraffe"],
    ],
    datasets: ["reverse-dictionary-wordnet"],
    models: english,
  },
  {
    task: "travel blog",
    instruction: "For every lake, mountain or town in a travel blog name the state or country to which it belongs.",
    examples: [
      ["Lake Como", "Italy"],
      ["Boulder", "Colorado"],
    ],
    datasets: ["places-wordnet"],
    models: english,
  },
  {
    task: "followers",
    instruction: "Write counts of followers such as 1.2K as a whole number.",
    examples: [
      ["1.2K", "1200"],
      ["3.45M", "3450000"],
    ],
    datasets: ["large-numbers-cldr"],
    models: english,
  },
  {
    task: "app store",
    instruction: "thumbs up or thumbs down? sort comments from the app store",
    examples: [
      ["love it, works like a charm", "up"],
      ["crashes every time I open it", "down"],
      ["best app ever", "up"],
    ],
    datasets: ["sentiment-sentences-wordnet", "sentiment-words-vader"],
    models: english,
  },
  {
    task: "weekdays, misspelt prompt",
    instruction: "tranlsate wekday names into spansih",
    examples: [
      ["Monday", "lunes"],
      ["Friday", "viernes"],
    ],
    datasets: ["month-and-weekday-names-cldr"],
    models: multilingual,
  },
  {
    task: "none: Python",
    instruction: "Write one line of Python code that does what an English sentence describes.",
    examples: [
      ["sort the list `names` in reverse order", "names.sort(reverse=True)"],
      ["read the file `a.txt` as a string `text`", "text = open('a.txt').read()"],
    ],
    datasets: [],
    models: [...english, ...decoder],
  },
  {
    task: "none: headlines",
    instruction: "Write a headline for a news article.",
    examples: [
      [
        "The city council voted on Tuesday to close the old bridge to cars from next spring. Cyclists and pedestrians may still use it.",
        "Old bridge to close to cars next spring",
      ],
      [
        "After three years of drought the reservoir is full again, and the water company has lifted its ban on garden hoses.",
        "Hose ban ends as reservoir fills",
      ],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: sentences into German",
    instruction: "Translate English sentences into German.",
    examples: [
      ["Where is the railway station?", "Wo ist der Bahnhof?"],
      ["I would like two tickets, please.", "Ich möchte bitte zwei Fahrkarten."],
    ],
    datasets: [],
    models: multilingual,
  },
  {
    task: "none: chemistry",
    instruction: "Give the chemical formula of a compound by its name.",
    examples: [
      ["carbon dioxide", "CO2"],
      ["sulfuric acid", "H2SO4"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: spam",
    instruction: "Is a text message spam or ham?",
    examples: [
      ["WINNER!! Claim your free prize now, call 0900 123456", "spam"],
      ["running late, be there in ten", "ham"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: plurals",
    instruction: "Give the plural of an English noun.",
    examples: [
      ["mouse", "mice"],
      ["box", "boxes"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: Roman numerals",
    instruction: "Convert Roman numerals to decimal numbers.",
    examples: [
      ["XIV", "14"],
      ["MCMXC", "1990"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: sums in words",
    instruction: "Solve a maths word problem for a primary school and answer with the number alone.",
    examples: [
      ["Tom has 3 boxes with 4 pencils each. He gives 5 pencils away. How many has he left?", "7"],
      ["A train covers 60 km in an hour. How far does it get in 3 hours?", "180"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: comparatives",
    instruction: "Write the comparative of an adjective.",
    examples: [
      ["good", "better"],
      ["heavy", "heavier"],
    ],
    datasets: [],
    models: english,
  },
  {
    task: "none: too vague",
    instruction: "Help me with my homework.",
    examples: [],
    datasets: [],
    models: [...english, ...decoder],
  },
]
