// The cards of a hub in the order in which they fit a prompt's words, and how much of what the prompt says each of them has.
import type { DatasetCard } from "../../core/hub"
import { type FoundCard, searchCards, wordsOf } from "../../search"
import { findNearWords } from "./near-words"

export interface RankedCard extends FoundCard<DatasetCard> {
  /**
   * The share, in [0, 1], of the prompt's words that the card has, each weighed by how rare it is among the cards; words that no card has
   * count a quarter, since most of them say how a task is put, not what it is about.
   */
  readonly coverage: number
}

/** What a word counts that is only near to one of the card's. */
const nearWeight = 0.5
const unknownWeight = 0.25

/**
 * All `cards`, best first, those without a word of `query` last. `scores`, where the hub ranked them itself, decide the order then. Words that
 * no card has are searched for as the cards spell them: another form of the word, or one slip away.
 */
export function rankCards(query: string, cards: readonly DatasetCard[], scores?: readonly number[]): RankedCard[] {
  const wordsOfCards = cards.map(({ id, tags, description }) => new Set(wordsOf([id, ...tags, description].join(" "))))
  const wanted = [...new Set(wordsOf(query))]
  const near = findNearWords(wanted, new Set(wordsOfCards.flatMap((words) => [...words])))
  const found = new Map(searchCards(query, cards, { limit: cards.length }).map((hit) => [hit.card, hit]))
  const foundNear = new Map(searchCards([...near.values()].flat().join(" "), cards, { limit: cards.length }).map((hit) => [hit.card, hit]))

  const spreadOf = (forms: readonly string[]) => wordsOfCards.filter((words) => forms.some((form) => words.has(form))).length
  const weights = wanted.map((word) => {
    const forms = near.get(word) ?? [word]
    const spread = spreadOf(forms)
    const rarity = Math.log(1 + cards.length / Math.max(spread, 1))
    return { forms, worth: near.has(word) ? nearWeight * rarity : rarity, full: spread > 0 ? rarity : unknownWeight * rarity }
  })
  const full = weights.reduce((sum, word) => sum + word.full, 0)

  const ranked = cards.map((card, place) => {
    const [exact, alike] = [found.get(card), foundNear.get(card)]
    const has = weights.filter(({ forms }) => forms.some((form) => wordsOfCards[place].has(form)))
    const coverage = full === 0 ? 0 : has.reduce((sum, { worth }) => sum + worth, 0) / full
    const score = scores ? scores[place] : (exact?.score ?? 0) + nearWeight * (alike?.score ?? 0)
    return { card, score, words: [...(exact?.words ?? []), ...(alike?.words ?? [])], coverage }
  })
  return scores ? ranked : ranked.sort((a, b) => b.score - a.score)
}
