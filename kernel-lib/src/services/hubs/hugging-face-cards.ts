// What the hub's listings say of datasets and models, as cards.
import type { DatasetEntry, ModelEntry } from "@huggingface/hub"
import type { DatasetCard, DatasetConfiguration, ModelCard } from "../../core/hub"

/** What is asked for beside the client's own fields. */
export const datasetFields = ["description", "cardData", "tags"] as const
export const modelFields = ["config", "safetensors", "tags", "cardData"] as const

/** What a README's front matter says; written by people, so anything may be missing or of another type. */
interface CardData {
  readonly pretty_name?: string
  readonly description?: string | null
  readonly license?: unknown
  readonly language?: string | string[]
  readonly datasets?: string | string[]
}

export interface ListedDataset extends DatasetEntry {
  readonly description?: string
  readonly cardData?: CardData
  readonly tags?: readonly string[]
}

export interface ListedModel extends ModelEntry {
  readonly config?: unknown
  readonly safetensors?: { readonly parameters: Readonly<Record<string, number>>; readonly total: number }
  readonly cardData?: CardData
  readonly tags?: readonly string[]
}

/** Most characters of a description in a card. */
const maxDescription = 2000
/** Most configurations in a card; some datasets have hundreds. */
const maxConfigurations = 20

export function datasetCardOf(entry: ListedDataset): DatasetCard {
  const { cardData, tags = [] } = entry
  const infos = datasetInfosOf(cardData)
  const sizes = infos.map((info) => info.download_size).filter((size) => typeof size === "number")
  return {
    id: entry.name,
    description: shorten([cardData?.pretty_name, entry.description].filter(Boolean).join(": ")),
    tags: tellingTags(tags),
    languages: taggedWith(tags, "language:"),
    license: licenseOf(tags, cardData?.license),
    downloads: entry.downloads ?? 0,
    bytes: sizes.length > 0 ? sizes.reduce((sum, size) => sum + size, 0) : undefined,
    access: entry.private ? "private" : entry.gated ? "gated" : "open",
    configurations: configurationsOf(cardData).slice(0, maxConfigurations),
  }
}

/** `dataset_info` of a card's front matter: one object, or one for each configuration. */
interface DatasetInfo {
  readonly config_name?: unknown
  readonly features?: unknown
  readonly splits?: unknown
  readonly download_size?: unknown
}

function datasetInfosOf(cardData: unknown): (DatasetInfo & { download_size?: number })[] {
  const info = (cardData as { dataset_info?: unknown } | undefined)?.dataset_info
  const infos = Array.isArray(info) ? info : [info]
  return infos.filter((one) => typeof one === "object" && one !== null)
}

/** The configurations that a card's front matter describes. */
export function configurationsOf(cardData: unknown): DatasetConfiguration[] {
  return datasetInfosOf(cardData).flatMap((info) => configurationOf(info) ?? [])
}

function configurationOf({ config_name: stated = "default", features, splits }: DatasetInfo): DatasetConfiguration | undefined {
  // A year is a number in front matter.
  const name = String(stated)
  if (!Array.isArray(features) || !Array.isArray(splits)) return undefined
  const namesOf = (list: readonly { name?: unknown }[]) => list.map((one) => one?.name).filter((one) => typeof one === "string")
  const counts = splits.map((split) => split?.num_examples)
  const labels = features.map(labelsOf).filter((one) => one !== undefined)
  const media = features.filter((feature) => mediaKinds.has(feature?.dtype)).map((feature) => [feature.name, capitalize(feature.dtype)])
  return {
    name,
    splits: namesOf(splits),
    columns: namesOf(features.filter((feature) => !mediaKinds.has(feature?.dtype))),
    numRows: counts.every((count) => typeof count === "number") ? counts.reduce((sum, count) => sum + count, 0) : undefined,
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(media.length > 0 && { media: Object.fromEntries(media) }),
  }
}

const mediaKinds = new Set(["image", "audio", "video", "pdf", "nifti"])

function capitalize(word: string): string {
  return word[0].toUpperCase() + word.slice(1)
}

/** A column's name and its labels: `{ name, dtype: { class_label: { names: { "0": "no", "1": "yes" } } } }`, or the names as a list. */
function labelsOf(feature: unknown): [string, string[]] | undefined {
  const { name, dtype } = (feature ?? {}) as { name?: unknown; dtype?: { class_label?: { names?: unknown } } }
  const names = dtype?.class_label?.names
  if (typeof name !== "string" || typeof names !== "object" || names === null) return undefined
  return [name, Object.values(names).map(String)]
}

/** The labels that Hugging Face datasets wrote into a file. */
export function labelsOfFeatures(
  features: Readonly<Record<string, { readonly _type?: string; readonly names?: readonly string[] } | undefined>> = {},
): Record<string, readonly string[]> {
  const labels = Object.entries(features).flatMap(([column, feature]) =>
    feature?._type === "ClassLabel" && Array.isArray(feature.names) ? [[column, feature.names] as const] : [],
  )
  return Object.fromEntries(labels)
}

/** Bytes of a number, by its name in safetensors. */
const numberBytes: Readonly<Record<string, number>> = { F64: 8, I64: 8, F32: 4, I32: 4, BF16: 2, F16: 2, I16: 2, I8: 1, U8: 1, BOOL: 1 }

/** The card of a model; undefined for one that may not be read, or of which nobody says what it is. */
export function modelCardOf(entry: ListedModel): ModelCard | undefined {
  const { cardData, tags = [], safetensors } = entry
  const architecture = (entry.config as { model_type?: unknown } | undefined)?.model_type
  if (entry.private || entry.gated || typeof architecture !== "string") return undefined
  // In front matter, Norwegian is the word for false.
  const stated = [cardData?.language ?? []].flat().map((language: unknown) => (language === false ? "no" : language))
  const numbers = Object.entries(safetensors?.parameters ?? {})
  const datasets = [cardData?.datasets ?? []].flat()
  const about = [cardData?.description, entry.task && `For ${entry.task}.`, datasets.length > 0 && `Trained on ${datasets.join(", ")}.`]
  return {
    id: entry.name,
    description: shorten(about.filter(Boolean).join(" ")),
    tags: tellingTags(tags),
    languages: [...new Set([...taggedWith(tags, "language:"), ...stated.filter((language) => typeof language === "string")])],
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
  const license = taggedWith(tags, "license:")[0] ?? [stated].flat()[0]
  return typeof license === "string" ? license : "unknown"
}
