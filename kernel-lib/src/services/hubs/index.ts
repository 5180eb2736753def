// The hubs.
export { bundledHub } from "./bundled-hub"
export { type HuggingFaceHubOptions, huggingFaceHub } from "./hugging-face-hub"
export { type IndexedCards, type IndexedKind, type IndexHubOptions, indexHub } from "./index-hub"
