// Rows of a dataset on the hub, from its Parquet files, by ranges of bytes.
import { datasetInfo } from "@huggingface/hub"
import { InputError, isPrompt2ModelError } from "../../core/errors"
import { type DatasetConfiguration, type SourceTable, trainingSplitOf } from "../../core/hub"
import { type AsyncBuffer, explainTableError, type ParquetSummary, readParquet, readParquetSummary } from "../../store/tables"
import { configurationsOf } from "./front-matter"
import { connect, type HubConnection } from "./hub-connection"
import { listParquet, type ParquetListing } from "./hugging-face-parquet"
import { openRemoteFile } from "./remote-file"

/** Columns of these kinds hold no text, and many bytes. */
const mediaTypes = new Set(["Image", "Audio", "Video", "Pdf", "Nifti"])
/** A sample row is not worth more than this. */
const maxSampleBytes = 2_000_000
/** Configurations whose columns are read from their files. */
const numDescribed = 3

type Labels = Readonly<Record<string, readonly string[]>>

/** The first rows of a split, from as many of its files as it takes. Where a file changed meanwhile, all is read once more. */
export async function readSplit(
  connection: HubConnection,
  id: string,
  options: { configuration: string; split: string; maxRows: number; signal?: AbortSignal },
): Promise<SourceTable> {
  const { configuration, split, signal } = options
  const listing = await listParquet(connection, id, signal)
  const files = listing[configuration]?.[split]
  if (!Array.isArray(files)) {
    const present = Object.entries(listing).map(([name, splits]) => `${name} (${Object.keys(splits).join(", ")})`)
    throw new InputError(
      "hub.no-such-split",
      `${id} has no split ${split} of configuration ${configuration}; it has ${present.slice(0, 20).join(", ")}.`,
    )
  }
  const stated = () => readStatedLabels(connection, id, configuration, signal)
  try {
    return await readFiles(connection, files, stated, options)
  } catch (error) {
    if (!isPrompt2ModelError(error) || error.code !== "hub.changed-file") throw error
    return readFiles(connection, files, stated, options)
  }
}

async function readFiles(
  connection: HubConnection,
  files: readonly string[],
  readLabels: () => Promise<Labels>,
  { maxRows, signal }: { maxRows: number; signal?: AbortSignal },
): Promise<SourceTable> {
  const columns = new Set<string>()
  const rows: Readonly<Record<string, unknown>>[] = []
  for (const url of files) {
    if (rows.length >= maxRows) break
    const file = await openRemoteFile(connection, url, signal)
    const table = await readTextColumns(file, url, maxRows - rows.length, readLabels)
    for (const column of table.columns) columns.add(column)
    for (const row of table.rows) rows.push(row)
  }
  return { columns: [...columns], rows }
}

/**
 * What the files themselves say of the first configurations, those that `query` names before the others; a sample row only of the first, and only
 * where it costs little. `known` is what the card says of them.
 */
export async function describeConfigurations(
  connection: HubConnection,
  listing: ParquetListing,
  { query, known, signal }: { query: string; known: readonly DatasetConfiguration[]; signal?: AbortSignal },
): Promise<DatasetConfiguration[]> {
  const asked = new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu))
  const isAsked = (name: string) =>
    name
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.some((word) => asked.has(word)) ?? false
  const names = Object.keys(listing).sort((a, b) => Number(isAsked(b)) - Number(isAsked(a)))
  const described: DatasetConfiguration[] = []
  for (const [place, name] of names.entries()) {
    const stated = known.find((one) => one.name === name)
    const splits = Object.keys(listing[name])
    const url = listing[name][trainingSplitOf(splits)]?.[0]
    const own = url && place < numDescribed ? await describeFile(connection, url, place === 0, stated?.labels, signal) : undefined
    if (own || stated) described.push({ columns: [], ...stated, ...own, name, splits })
  }
  return described
}

/** Columns that hold no text stand apart, with what they hold. */
async function describeFile(
  connection: HubConnection,
  url: string,
  wantsSample: boolean,
  stated: Labels | undefined,
  signal: AbortSignal | undefined,
): Promise<Pick<DatasetConfiguration, "columns" | "sampleRow" | "media" | "labels">> {
  const file = await openRemoteFile(connection, url, signal)
  const summary = await explained(url, () => readParquetSummary(file))
  const features = featuresOf(summary)
  const media = mediaOf(summary, features)
  const labels = { ...stated, ...labelsOfFeatures(features) }
  const hasSample = wantsSample && summary.numRows > 0 && summary.firstRowBytes <= maxSampleBytes
  const sampleRow = hasSample ? (await readTextColumns(file, url, 1, async () => labels)).rows[0] : undefined
  return {
    columns: summary.columns.filter((column) => !(column in media)),
    ...(sampleRow && { sampleRow }),
    ...(Object.keys(media).length > 0 && { media }),
    ...(Object.keys(labels).length > 0 && { labels }),
  }
}

/** @param readLabels is asked where the file does not say itself what its columns hold */
async function readTextColumns(file: AsyncBuffer, url: string, maxRows: number, readLabels: () => Promise<Labels>): Promise<SourceTable> {
  return explained(url, async () => {
    const summary = await readParquetSummary(file)
    const features = featuresOf(summary)
    const media = mediaOf(summary, features)
    const { columns, rows } = await readParquet(file, url, { columns: summary.columns.filter((column) => !(column in media)), maxRows })
    const hasNumbers = columns.some((column) => Number.isInteger(rows[0]?.[column]))
    const labels = features === undefined && hasNumbers ? await readLabels() : {}
    const days = daysOf(summary)
    const cellOf = (column: string, cell: unknown) => {
      if (cell instanceof Date) return days.has(column) ? cell.toISOString().slice(0, 10) : cell.toISOString()
      const names = labels[column]
      return names && Number.isInteger(cell) ? (names[cell as number] ?? null) : cell
    }
    return { columns, rows: rows.map((row) => Object.fromEntries(columns.map((column) => [column, cellOf(column, row[column])]))) }
  })
}

/** What the card's front matter says of labels; nothing where it cannot be had. */
async function readStatedLabels(connection: HubConnection, id: string, configuration: string, signal?: AbortSignal): Promise<Labels> {
  const client = { hubUrl: connection.endpoint, fetch: connect(connection, signal) }
  try {
    const { cardData } = await datasetInfo({ ...client, name: id, additionalFields: ["cardData"] })
    return configurationsOf(cardData).find(({ name }) => name === configuration)?.labels ?? {}
  } catch {
    signal?.throwIfAborted()
    return {}
  }
}

type Features = Readonly<Record<string, { readonly _type?: string; readonly names?: readonly string[] } | undefined>>

/** What Hugging Face datasets wrote about the columns; undefined where the file was written by another. */
function featuresOf({ footer }: ParquetSummary): Features | undefined {
  try {
    return JSON.parse(footer.key_value_metadata?.find(({ key }) => key === "huggingface")?.value ?? "{}")?.info?.features
  } catch {
    return undefined
  }
}

/** The labels that Hugging Face datasets wrote into a file. */
function labelsOfFeatures(features: Features = {}): Record<string, readonly string[]> {
  const labels = Object.entries(features).flatMap(([column, feature]) =>
    feature?._type === "ClassLabel" && Array.isArray(feature.names) ? [[column, feature.names] as const] : [],
  )
  return Object.fromEntries(labels)
}

/** Columns of pictures, sound and the like, by what wrote the file, or by their form: bytes beside the path of the file that they come from. */
function mediaOf({ columns, children }: ParquetSummary, features: Features | undefined): Record<string, string> {
  return Object.fromEntries(
    columns.flatMap((column, place) => {
      const type = String(features?.[column]?._type)
      if (mediaTypes.has(type)) return [[column, type]]
      const { element, children: members } = children[place]
      const isFile = members.length === 2 && ["bytes", "path"].every((name) => members.some((member) => member.element.name === name))
      const isBinary = element.type === "FIXED_LEN_BYTE_ARRAY" && !element.logical_type && !element.converted_type
      return isFile || isBinary ? [[column, isFile ? "files" : "binary"]] : []
    }),
  )
}

/** Columns of days, whose time of day means nothing. */
function daysOf({ columns, children }: ParquetSummary): Set<string> {
  return new Set(
    columns.filter(
      (_, place) => children[place].element.converted_type === "DATE" || children[place].element.logical_type?.type === "DATE",
    ),
  )
}

async function explained<T>(url: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw (error as Error).name === "AbortError" ? error : explainTableError(error, url, "Parquet")
  }
}
