// The hubs.
export { bundledHub } from "./bundled-hub"
export { type HuggingFaceHubOptions, huggingFaceHub } from "./hugging-face-hub"
