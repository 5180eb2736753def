// Datasets about English words, from WordNet: definitions, synonyms, antonyms, what is a kind of what, word classes, topics.
import type { Random } from "../../src/core/random"
import { articleOf, balance, type Cells, type Recipe, uniqueBy } from "./recipe"
import { readCommonSynsets, readWordnet, type Synset, wordnetSource } from "./wordnet"

const english = { languages: ["en"], source: wordnetSource }
const mostRows = 3000

/** The most used synset of each word and class, its words in their usual order. */
function listSenses(): { readonly word: string; readonly synset: Synset }[] {
  const sorted = [...readCommonSynsets()].sort((a, b) => b.frequency - a.frequency)
  const senses = sorted.flatMap((synset) => synset.words.map((word) => ({ word, synset })))
  return uniqueBy(senses, ({ word, synset }) => `${word.toLowerCase()} ${synset.partOfSpeech}`).filter(({ word }) =>
    /^\p{L}[\p{L} '-]+$/u.test(word),
  )
}

function findSynsets(): Map<string, Synset> {
  return new Map(readWordnet().map((synset) => [synset.id, synset]))
}

const dictionary: Recipe = {
  name: "dictionary-wordnet",
  description:
    "English words and word classes, each with a definition: what does a word mean? The most common sense of common nouns, verbs, adjectives and adverbs, defined by lexicographers.",
  tags: ["dictionary", "definition", "meaning", "word", "text-generation"],
  ...english,
  makeTables: (random) => ({
    default: random
      .sample(listSenses(), mostRows)
      .map(({ word, synset }) => ({ word, part_of_speech: synset.partOfSpeech, definition: synset.definition })),
  }),
}

const reverseDictionary: Recipe = {
  name: "reverse-dictionary-wordnet",
  description:
    "Definitions, each with the English word that is defined: find the word for a description, as in a crossword. Common nouns, verbs, adjectives and adverbs, defined by lexicographers.",
  tags: ["reverse dictionary", "definition", "word", "crossword", "text2text-generation"],
  ...english,
  makeTables: (random) => ({
    default: random
      .sample(
        uniqueBy(readCommonSynsets(), ({ definition, partOfSpeech }) => `${definition} ${partOfSpeech}`),
        mostRows,
      )
      .map(({ definition, partOfSpeech, words }) => ({ definition, part_of_speech: partOfSpeech, word: words[0] })),
  }),
}

const exampleSentences: Recipe = {
  name: "example-sentences-wordnet",
  description:
    "English words with a definition, each with an example sentence or phrase that uses the word in that sense. Written by lexicographers.",
  tags: ["example", "sentence", "usage", "word", "text-generation"],
  ...english,
  makeTables: (random) => {
    const rows = readCommonSynsets().flatMap(({ words, definition, examples }) =>
      words.flatMap((word) => {
        const sentence = examples.find((example) => hasWord(example, word))
        return sentence ? [{ word, definition, sentence }] : []
      }),
    )
    return {
      default: random.sample(
        uniqueBy(rows, ({ word, definition }) => `${word} ${definition}`),
        mostRows,
      ),
    }
  },
}

const hasWord = (sentence: string, word: string) =>
  ` ${sentence.toLowerCase().replace(/[^\p{L}' -]/gu, " ")} `.includes(` ${word.toLowerCase()} `)

const synonyms: Recipe = {
  name: "synonyms-wordnet",
  description:
    "English words in a given sense, each with a synonym: another word that means the same. A thesaurus of nouns, verbs, adjectives and adverbs.",
  tags: ["synonym", "thesaurus", "word", "same meaning", "lexical semantics"],
  ...english,
  makeTables: (random) => {
    const rows = readCommonSynsets()
      .filter(({ words }) => words.length > 1)
      .map(({ words: [word, synonym], definition }) => ({ word, definition, synonym }))
    return {
      default: random.sample(
        uniqueBy(rows, ({ word, definition }) => `${word} ${definition}`),
        mostRows,
      ),
    }
  },
}

const antonyms: Recipe = {
  name: "antonyms-wordnet",
  description:
    "English words, each with its antonym: the word that means the opposite, such as “hot” and “cold”. Nouns, verbs, adjectives and adverbs.",
  tags: ["antonym", "opposite", "contrary", "word", "lexical semantics"],
  ...english,
  makeTables: () => {
    const byId = findSynsets()
    const rows = [...readCommonSynsets()]
      .sort((a, b) => b.frequency - a.frequency)
      .flatMap(({ pointers, words, partOfSpeech }) =>
        pointers
          .filter(({ kind, sourceWord }) => kind === "!" && sourceWord >= 0)
          .map(({ target, sourceWord, targetWord }) => ({
            word: words[sourceWord],
            part_of_speech: partOfSpeech,
            antonym: byId.get(target)?.words[targetWord] ?? "",
          })),
      )
    return { default: uniqueBy(rows, (row) => `${row.word} ${row.part_of_speech}`).filter(({ antonym }) => antonym !== "") }
  },
}

const hypernyms: Recipe = {
  name: "hypernyms-wordnet",
  description:
    "English nouns and verbs in a given sense, each with its hypernym: the more general word for what it is a kind of, such as “robin” and “thrush”, or “whisper” and “talk”.",
  tags: ["hypernym", "taxonomy", "is-a", "kind of", "word", "lexical semantics"],
  ...english,
  makeTables: (random) => {
    const byId = findSynsets()
    const rowsOf = (partOfSpeech: string) => {
      const rows = readCommonSynsets()
        .filter((synset) => synset.partOfSpeech === partOfSpeech)
        .flatMap(({ words, definition, pointers }) => {
          const hypernym = byId.get(pointers.find(({ kind }) => kind === "@")?.target ?? "")?.words[0]
          return hypernym ? [{ word: words[0], definition, hypernym }] : []
        })
      return random.sample(
        uniqueBy(rows, ({ word, definition }) => `${word} ${definition}`),
        2000,
      )
    }
    return { nouns: rowsOf("noun"), verbs: rowsOf("verb") }
  },
}

const isAQuestions: Recipe = {
  name: "is-a-questions-wordnet",
  description:
    "Yes-or-no questions about what is a kind of what, such as “Is a spaniel a kind of dog?”, each with yes or no: boolean question answering from common knowledge, without a passage.",
  tags: ["yes-no questions", "boolean", "taxonomy", "common sense", "text-classification"],
  ...english,
  makeTables: (random) => {
    const byId = findSynsets()
    const parentOf = ({ pointers }: Synset) => byId.get(pointers.find(({ kind }) => kind === "@")?.target ?? "")
    const ancestorsOf = (synset: Synset): Synset[] => {
      const parent = parentOf(synset)
      return parent ? [parent, ...ancestorsOf(parent)] : []
    }
    const nouns = readCommonSynsets().filter(
      ({ field, words }) => /^noun\.(animal|artifact|food|plant|person|body|substance)$/.test(field) && /^[a-z ]+$/.test(words[0]),
    )
    const ask = (one: Synset, other: Synset) => `Is ${articleOf(one.words[0])} ${one.words[0]} a kind of ${other.words[0]}?`
    const rows = nouns.flatMap((synset): Cells[] => {
      const ancestors = ancestorsOf(synset)
      const near = ancestors.slice(0, 3).filter(({ words }) => /^[a-z ]+$/.test(words[0]))
      const words = new Set(ancestors.flatMap((ancestor) => ancestor.words))
      const wrong = parentOf(random.pick(nouns))
      if (
        near.length === 0 ||
        !wrong ||
        wrong === synset ||
        wrong.words.some((word) => words.has(word)) ||
        !/^[a-z ]+$/.test(wrong.words[0])
      )
        return []
      return [
        { question: ask(synset, random.pick(near)), answer: "yes" },
        { question: ask(synset, wrong), answer: "no" },
      ]
    })
    return {
      default: balance(
        uniqueBy(rows, ({ question }) => String(question)),
        "answer",
        1000,
        random,
      ),
    }
  },
}

const partsOfSpeech: Recipe = {
  name: "parts-of-speech-wordnet",
  description:
    "English sentences and phrases with one of their words, each with the word's part of speech there: noun, verb, adjective or adverb. Word class tagging as classification.",
  tags: ["part of speech", "word class", "pos tagging", "grammar", "text-classification"],
  ...english,
  makeTables: (random) => {
    const rows = readCommonSynsets().flatMap(({ words, examples, partOfSpeech }) =>
      examples.flatMap((sentence) => {
        const word = words.find((one) => hasWord(sentence, one))
        return word ? [{ sentence, word, part_of_speech: partOfSpeech }] : []
      }),
    )
    const answers = new Map<string, Set<string>>()
    for (const { sentence, word, part_of_speech } of rows)
      answers.set(`${sentence} ${word}`, (answers.get(`${sentence} ${word}`) ?? new Set()).add(part_of_speech))
    const sure = rows.filter(({ sentence, word }) => answers.get(`${sentence} ${word}`)?.size === 1)
    return {
      default: balance(
        uniqueBy(sure, ({ sentence, word }) => `${sentence} ${word}`),
        "part_of_speech",
        750,
        random,
      ),
    }
  },
}

const topics: Readonly<Record<string, string>> = {
  "noun.animal": "animal",
  "noun.plant": "plant",
  "noun.food": "food",
  "noun.person": "person",
  "noun.location": "place",
  "noun.body": "body part",
  "noun.feeling": "feeling",
  "noun.time": "time",
  "noun.communication": "communication",
  "noun.event": "event",
  "noun.possession": "money and possession",
  "noun.substance": "substance",
}

const wordTopics: Recipe = {
  name: "topics-wordnet",
  description: `Short English texts, a noun with its definition, each with its topic out of ${Object.keys(topics).length}: ${Object.values(topics).join(", ")}. Topic classification, by the files of WordNet's lexicographers.`,
  tags: ["topic classification", "category", "text-classification"],
  ...english,
  makeTables: (random) => {
    const rows = readCommonSynsets()
      .filter(({ field }) => topics[field])
      .map(({ words, definition, field }) => ({ text: `${words[0]}: ${definition}`, topic: topics[field] }))
    return {
      default: balance(
        uniqueBy(rows, ({ text }) => text),
        "topic",
        250,
        random,
      ),
    }
  },
}

const cloze: Recipe = {
  name: "cloze-wordnet",
  description:
    "English sentences and phrases in which one word is left out (____), with a hint at its meaning, each with the missing word: fill in the blank.",
  tags: ["cloze", "fill in the blank", "missing word", "vocabulary", "text2text-generation"],
  ...english,
  makeTables: (random) => {
    const rows = readCommonSynsets().flatMap(({ words, examples, definition }) =>
      examples.flatMap((example) => {
        const word = words.find((one) => /^[a-z]+$/.test(one) && new RegExp(`\\b${one}\\b`).test(example))
        return word && example.split(" ").length > 3
          ? [{ sentence: example.replace(new RegExp(`\\b${word}\\b`), "____"), hint: definition, word }]
          : []
      }),
    )
    return {
      default: random.sample(
        uniqueBy(rows, ({ sentence, hint }) => sentence + hint),
        mostRows,
      ),
    }
  },
}

const sameSense: Recipe = {
  name: "same-sense-wordnet",
  description:
    "An English word and two sentences or phrases with it, each with whether the word means the same in both: yes or no. Word sense disambiguation, as in Words in Context.",
  tags: ["word sense disambiguation", "word in context", "polysemy", "sentence pair", "text-classification"],
  ...english,
  makeTables: (random) => {
    const uses = new Map<string, { sentence: string; sense: string }[]>()
    for (const { id, words, examples, partOfSpeech } of readCommonSynsets())
      for (const word of words)
        for (const sentence of examples.filter((example) => hasWord(example, word))) {
          const key = `${word} ${partOfSpeech}`
          uses.set(key, [...(uses.get(key) ?? []), { sentence, sense: id }])
        }
    const rows = [...uses].flatMap(([key, found]) => {
      const word = key.slice(0, key.lastIndexOf(" "))
      const [first, ...others] = random.shuffle(found)
      const pairs = [others.find(({ sense }) => sense === first.sense), others.find(({ sense }) => sense !== first.sense)]
      return pairs.flatMap((second) =>
        second
          ? [{ word, sentence1: first.sentence, sentence2: second.sentence, same_sense: second.sense === first.sense ? "yes" : "no" }]
          : [],
      )
    })
    return {
      default: balance(
        uniqueBy(rows, ({ word, sentence1, sentence2 }) => word + sentence1 + sentence2),
        "same_sense",
        1000,
        random,
      ),
    }
  },
}

const scientificNames: Recipe = {
  name: "scientific-names-wordnet",
  description:
    "English names of plants and animals, each with its scientific name: the Latin binomial of genus and species, such as “house mouse” and Mus musculus.",
  tags: ["biology", "species", "taxonomy", "latin name", "botany", "zoology", "text2text-generation"],
  languages: ["en", "la"],
  source: wordnetSource,
  makeTables: () => {
    const rows = readWordnet()
      .filter(({ field }) => /^noun\.(plant|animal)$/.test(field))
      .flatMap(({ words, field }) => {
        const latin = words.find((word) => /^[A-Z][a-z]+ [a-z]+$/.test(word) && !/(tree|bird|fish|pine|oak|fern|lily|rose)$/.test(word))
        return latin && latin !== words[0] ? [{ name: words[0], kind: field.slice(5), scientific_name: latin }] : []
      })
    return { default: uniqueBy(rows, ({ name, kind }) => `${name.toLowerCase()} ${kind}`) }
  },
}

const abbreviations: Recipe = {
  name: "abbreviations-wordnet",
  description: "English abbreviations and acronyms, each with what it stands for, such as FBI and “Federal Bureau of Investigation”.",
  tags: ["abbreviation", "acronym", "expansion", "initialism", "text2text-generation"],
  ...english,
  makeTables: () => {
    const initials = (text: string) =>
      text
        .split(/[ -]/)
        .map((word) => word[0] ?? "")
        .join("")
        .toLowerCase()
    const small = (text: string) => initials(text.replace(/\b(of|the|and|for|in|on|to|by) /g, ""))
    const rows = readWordnet().flatMap(({ words, definition }) =>
      words
        .filter((word) => /^[A-Z][A-Z.]{1,6}$/.test(word))
        .flatMap((abbreviation) => {
          const plain = abbreviation.replaceAll(".", "").toLowerCase()
          const expansion = words.find((word) => word.includes(" ") && (initials(word) === plain || small(word) === plain))
          return expansion && !unfit.test(definition) ? [{ abbreviation, hint: definition, expansion }] : []
        }),
    )
    return { default: uniqueBy(rows, ({ abbreviation, hint }) => abbreviation + hint) }
  },
}
const unfit = /sexual|terroris|bomb/i

const nominalizations: Recipe = {
  name: "nominalizations-wordnet",
  description:
    "English verbs, each with the noun for the act, such as “arrive” and “arrival”, “destroy” and “destruction”: nominalization, derivational morphology.",
  tags: ["nominalization", "derivation", "morphology", "verb", "noun", "grammar"],
  ...english,
  makeTables: () => {
    const byId = findSynsets()
    const rows = [...readCommonSynsets()]
      .filter(({ partOfSpeech }) => partOfSpeech === "verb")
      .sort((a, b) => b.frequency - a.frequency)
      .flatMap(({ words, pointers }) =>
        pointers
          .filter(({ kind, target }) => kind === "+" && /^noun\.(act|event|process)$/.test(byId.get(target)?.field ?? ""))
          .map(({ sourceWord, target, targetWord }) => ({ verb: words[sourceWord], noun: byId.get(target)!.words[targetWord] }))
          .filter(
            ({ verb, noun }) =>
              /^[a-z]+$/.test(verb) &&
              /^[a-z]+(tion|sion|ment|al|ance|ence|ure|y|age|sis)$/.test(noun) &&
              verb.slice(0, 3) === noun.slice(0, 3) &&
              verb !== noun,
          ),
      )
    return { default: uniqueBy(rows, ({ verb }) => verb) }
  },
}

/** A slip of a hand on a keyboard: a letter too few, too many, another one, or two that change places. */
function misspell(word: string, random: Random): string {
  const at = 1 + random.integer(word.length - 2)
  const letter = "abcdefghijklmnopqrstuvwxyz"[random.integer(26)]
  return random.pick([
    word.slice(0, at) + word.slice(at + 1),
    word.slice(0, at) + word[at] + word.slice(at),
    word.slice(0, at) + letter + word.slice(at + 1),
    word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2),
  ])
}

const spellingCorrections: Recipe = {
  name: "spelling-corrections-wordnet",
  description:
    "English sentences and phrases in which one word is misspelt, each with the sentence as it should be: spelling correction. The sentences are lexicographers'; the slips were made by a program.",
  tags: ["spelling correction", "typo", "misspelling", "error correction", "text2text-generation"],
  ...english,
  makeTables: (random) => {
    const sentences = readCommonSynsets()
      .flatMap(({ examples }) => examples)
      .filter((text) => text.split(" ").length > 3)
    const rows = random.sample([...new Set(sentences)], mostRows).flatMap((correct) => {
      const word = random.pick(
        correct
          .split(" ")
          .filter((one) => /^[a-z]{4,}$/.test(one))
          .concat(""),
      )
      const slip = word && misspell(word, random)
      return slip && slip !== word ? [{ misspelt: correct.replace(word, slip), correct }] : []
    })
    return { default: uniqueBy(rows, ({ misspelt }) => misspelt) }
  },
}

export const wordRecipes: readonly Recipe[] = [
  ...[dictionary, reverseDictionary, exampleSentences, synonyms, antonyms, hypernyms, isAQuestions, partsOfSpeech, wordTopics],
  ...[cloze, sameSense, scientificNames, abbreviations, nominalizations, spellingCorrections],
]
