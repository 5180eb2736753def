// What the hub's listings say of datasets and models, as cards.
import type { DatasetEntry, ModelEntry } from "@huggingface/hub"
import type { DatasetCard, ModelCard } from "../../core/hub"
import { configurationsOf, downloadSizeOf, textsOf } from "./front-matter"

/** What is asked for beside the client's own fields. */
export const datasetFields = ["description", "cardData", "tags"] as const
export const modelFields = ["config", "safetensors", "tags", "cardData"] as const

/** What a README's front matter says; written by people, so anything may be missing or of another type. */
interface CardData {
  readonly pretty_name?: unknown
  readonly description?: unknown
  readonly license?: unknown
  readonly language?: unknown
  readonly datasets?: unknown
}

export interface ListedDataset extends DatasetEntry {
  readonly description?: unknown
  readonly cardData?: CardData | null
  readonly tags?: unknown
}

export interface ListedModel extends ModelEntry {
  readonly config?: unknown
  readonly safetensors?: { readonly parameters?: Readonly<Record<string, number>> | null; readonly total?: number } | null
  readonly cardData?: CardData | null
  readonly tags?: unknown
}

/** Most characters of a description in a card. */
const maxDescription = 2000
/** Most configurations in a card; some datasets have hundreds. */
const maxConfigurations = 20

export function datasetCardOf(entry: ListedDataset): DatasetCard {
  const { cardData } = entry
  const tags = textsOf(entry.tags)
  return {
    id: entry.name,
    description: shorten([cardData?.pretty_name, entry.description].flatMap(textsOf).filter(Boolean).join(": ")),
    tags: tellingTags(tags),
    languages: taggedWith(tags, "language:"),
    license: licenseOf(tags, cardData?.license),
    downloads: entry.downloads ?? 0,
    bytes: downloadSizeOf(cardData),
    access: entry.private ? "private" : entry.gated ? "gated" : "open",
    configurations: configurationsOf(cardData).slice(0, maxConfigurations),
  }
}

/** Bytes of a number, by its name in safetensors. */
const numberBytes: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  BF16: 2,
  F16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
}

/** The card of a model; undefined for one that may not be read, or of which nobody says what it is. */
export function modelCardOf(entry: ListedModel): ModelCard | undefined {
  const { cardData, safetensors } = entry
  const tags = textsOf(entry.tags)
  const architecture = (entry.config as { model_type?: unknown } | null | undefined)?.model_type
  if (entry.private || entry.gated || typeof architecture !== "string") return undefined
  // In front matter, Norwegian is the word for false.
  const stated = [cardData?.language].flat().map((language) => (language === false ? "no" : language))
  const numbers = Object.entries(safetensors?.parameters ?? {})
  const datasets = textsOf(cardData?.datasets)
  const about = [
    ...textsOf(cardData?.description),
    entry.task && `For ${entry.task}.`,
    datasets.length > 0 && `Trained on ${datasets.join(", ")}.`,
  ]
  return {
    id: entry.name,
    description: shorten(about.filter(Boolean).join(" ")),
    tags: tellingTags(tags),
    languages: [...new Set([...taggedWith(tags, "language:"), ...textsOf(stated)])],
    license: licenseOf(tags, cardData?.license),
    downloads: entry.downloads ?? 0,
    architecture,
    parameters: safetensors?.total,
    bytes: numbers.length > 0 ? numbers.reduce((sum, [type, count]) => sum + count * (numberBytes[type] ?? 4), 0) : undefined,
    isPretrained: true,
  }
}

/** The text of a README without its front matter, as a description. */
export function descriptionOfReadme(text: string): string {
  const body = text.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---\r?\n/, "")
  return shorten(
    body
      .replace(/<[^>]*>/g, " ")
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[#*`|_>-]{2,}/g, " "),
  )
}

function shorten(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, maxDescription)
}

function taggedWith(tags: readonly string[], prefix: string): string[] {
  return tags.filter((tag) => tag.startsWith(prefix)).map((tag) => tag.slice(prefix.length))
}

/** Tags that say what it is about; those of the hub's own bookkeeping say nothing. */
function tellingTags(tags: readonly string[]): string[] {
  const bookkeeping =
    /^(region|license|language|arxiv|doi|size_categories|library|modality|format|base_model|dataset|deploy|endpoints_compatible|autotrain_compatible)\b/
  return tags.filter((tag) => !bookkeeping.test(tag)).map((tag) => tag.replace(/^(task_categories|task_ids):/, ""))
}

function licenseOf(tags: readonly string[], stated: unknown): string {
  return taggedWith(tags, "license:")[0] ?? textsOf(stated)[0] ?? "unknown"
}
