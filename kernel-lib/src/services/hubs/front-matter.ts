// What the front matter of a dataset's README says of its configurations. People write it, so anything may be missing or of another type, and one
// odd card must not keep a whole listing from being read.
import type { DatasetConfiguration } from "../../core/hub"

/** `dataset_info`: one object, or one for each configuration. */
interface DatasetInfo {
  readonly config_name?: unknown
  readonly features?: unknown
  readonly splits?: unknown
  readonly download_size?: unknown
}

/** The texts among what may be a text, a list of them, or anything else. */
export function textsOf(value: unknown): string[] {
  return [value].flat().filter((text) => typeof text === "string")
}

/** Bytes of the whole download; undefined where nobody says. */
export function downloadSizeOf(cardData: unknown): number | undefined {
  const sizes = datasetInfosOf(cardData)
    .map((info) => info.download_size)
    .filter((size) => typeof size === "number")
  return sizes.length > 0 ? sizes.reduce((sum, size) => sum + size, 0) : undefined
}

/** The configurations that are described there. */
export function configurationsOf(cardData: unknown): DatasetConfiguration[] {
  return datasetInfosOf(cardData).flatMap((info) => configurationOf(info) ?? [])
}

function datasetInfosOf(cardData: unknown): DatasetInfo[] {
  return objectsIn((cardData as { dataset_info?: unknown } | null | undefined)?.dataset_info)
}

interface Named {
  readonly name?: unknown
  readonly dtype?: unknown
  readonly num_examples?: unknown
}

const mediaKinds: Readonly<Record<string, string>> = { image: "Image", audio: "Audio", video: "Video", pdf: "Pdf", nifti: "Nifti" }

function configurationOf({ config_name: stated = "default", features, splits }: DatasetInfo): DatasetConfiguration | undefined {
  if (!Array.isArray(features) || !Array.isArray(splits)) return undefined
  const columns = objectsIn<Named>(features).filter(({ name }) => typeof name === "string") as (Named & { name: string })[]
  const labels = columns.flatMap(({ name, dtype }) => {
    const names = labelsIn(dtype)
    return names ? [[name, names] as const] : []
  })
  const media = columns.flatMap(({ name, dtype }) => (typeof dtype === "string" && dtype in mediaKinds ? [[name, mediaKinds[dtype]]] : []))
  const counts = objectsIn<Named>(splits).map((split) => split.num_examples)
  return {
    // A year is a number in front matter.
    name: String(stated),
    splits: objectsIn<Named>(splits).flatMap(({ name }) => textsOf(name)),
    columns: columns.map(({ name }) => name).filter((name) => !media.some(([column]) => column === name)),
    numRows: counts.every((count) => typeof count === "number") ? counts.reduce((sum, count) => sum + count, 0) : undefined,
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(media.length > 0 && { media: Object.fromEntries(media) }),
  }
}

/** Of `{ class_label: { names: { "0": "no", "1": "yes" } } }`, or with the names as a list. */
function labelsIn(dtype: unknown): string[] | undefined {
  const names = (dtype as { class_label?: { names?: unknown } } | null | undefined)?.class_label?.names
  return typeof names === "object" && names !== null ? Object.values(names).map(String) : undefined
}

function objectsIn<Member extends object>(value: unknown): Member[] {
  return [value].flat().filter((one) => typeof one === "object" && one !== null) as Member[]
}
