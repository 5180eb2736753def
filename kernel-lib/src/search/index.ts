// Finding cards: by words among a few in memory, and by words, meaning or both in an index on the disk.
export { type BuildIndexOptions, type BuiltIndex, buildIndex, refreshIndex, type TextEmbedder } from "./build-index"
export { type DiskIndex, openIndex, type RankedCard, type SearchIndexOptions, type SearchMethod } from "./open-index"
export { type CardIndex, type FoundCard, indexCards, type SearchableCard, searchCards } from "./search-cards"
export { wordsOf } from "./words"
