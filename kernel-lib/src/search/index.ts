// Finding cards by words.
export { type CardIndex, type FoundCard, indexCards, type SearchableCard, searchCards } from "./search-cards"
export { wordsOf } from "./words"
