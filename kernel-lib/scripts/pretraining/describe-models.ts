// What the cards of the pretrained base models say, their figures left out: those come from the folders that the pretraining wrote.

export interface PretrainedModel {
  readonly name: string
  readonly description: string
  readonly tags: readonly string[]
  readonly languages: readonly string[]
}

export const pretrainedModels: readonly PretrainedModel[] = [
  {
    name: "byte-t5-english",
    description:
      "A small byte-level T5, pretrained on English sentences and definitions of WordNet 3.1 and on exercises drawn from them: span corruption, repair of misspelt text, copying, extraction and editing of words, looking up facts in a short passage for question answering, finding expressions of time such as dates, weekdays and months in a sentence and resolving them to ISO 8601, reading dates and clock times. It is a start for most tasks on words and short English texts: extraction, question answering over a passage, classification such as sentiment, topic or yes and no, normalization of dates, times, durations, amounts of money, units, numbers and codes, abbreviations and names, spelling correction, rewriting a sentence, finding a word for a meaning, its synonym, its opposite, its kind or another form of it. It knows few facts.",
    tags: [
      "t5",
      "byte-level",
      "text2text-generation",
      "english",
      "extraction",
      "normalization",
      "dates",
      "question answering",
      "input-bytes:256",
    ],
    languages: ["en"],
  },
  {
    name: "byte-t5-multilingual",
    description:
      "A very small byte-level T5, pretrained on the names of countries, languages, months and weekdays in forty languages and on numbers as they are written there, all from the Unicode CLDR: span corruption, repair, looking up, names to codes and to other languages. It is a start for translation of names, for codes of countries and languages, and for numbers in other languages and scripts, and little else.",
    tags: ["t5", "byte-level", "text2text-generation", "multilingual", "translation", "names", "numbers", "input-bytes:128"],
    languages:
      "en af ar bg bn ca cs cy da de el es et eu fa fi fr ga he hi hu hy id is it ja ka ko lt lv mk nl pl pt ro ru sk sv sw th tr uk ur vi zh".split(
        " ",
      ),
  },
  {
    name: "byte-llama-english",
    description:
      "A small byte-level decoder of the Llama family, pretrained on the same English text and exercises as byte-t5-english, on answers alone. It goes on with its input: a start for text generation in English, such as writing example sentences, explaining what a word means, short descriptions, completion.",
    tags: ["llama", "byte-level", "text-generation", "decoder", "english", "completion", "input-bytes:256"],
    languages: ["en"],
  },
]
