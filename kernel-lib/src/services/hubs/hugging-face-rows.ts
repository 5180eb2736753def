// Rows of a dataset on the hub, from the Parquet files that the hub keeps for every dataset it can read, by ranges of bytes.
// The listing: https://huggingface.co/docs/dataset-viewer/parquet (GET /api/datasets/{id}/parquet).
import { HubApiError } from "@huggingface/hub"
import { InputError, ServiceError } from "../../core/errors"
import type { DatasetConfiguration, SourceTable } from "../../core/hub"
import { type AsyncBuffer, explainTableError, readParquet, readParquetSummary } from "../../store/tables"
import { connect, type HubConnection } from "./hub-connection"

/** Addresses of Parquet files by configuration and split. */
export type ParquetListing = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** Tries for one range whose body broke off. */
const maxRangeTries = 3
/** Columns of these kinds hold no text, and many bytes. */
const mediaTypes = new Set(["Image", "Audio", "Video", "Pdf", "Nifti"])
/** A sample row is not worth more than this. */
const maxSampleBytes = 2_000_000

/** @throws HubApiError where the dataset is not there, or has no Parquet files */
export async function listParquet(connection: HubConnection, id: string, signal?: AbortSignal): Promise<ParquetListing> {
  const url = `${connection.endpoint}/api/datasets/${id}/parquet`
  const response = await connect(connection, signal)(url, { headers: { accept: "application/json" } })
  if (!response.ok) {
    const message = await response.text()
    throw new HubApiError(url, response.status, undefined, message.slice(0, 200))
  }
  const listing: unknown = await response.json()
  if (typeof listing !== "object" || listing === null || Array.isArray(listing)) throw new Error("no list of Parquet files")
  return listing as ParquetListing
}

/** The first rows of a split, from as many of its files as it takes. */
export async function readSplit(
  connection: HubConnection,
  id: string,
  options: { configuration: string; split: string; maxRows: number; signal?: AbortSignal },
): Promise<SourceTable> {
  const { configuration, split, maxRows, signal } = options
  const listing = await listParquet(connection, id, signal)
  const files = listing[configuration]?.[split]
  if (!Array.isArray(files)) {
    const present = Object.entries(listing).map(([name, splits]) => `${name} (${Object.keys(splits).join(", ")})`)
    throw new InputError(
      "hub.no-such-split",
      `${id} has no split ${split} of configuration ${configuration}; it has ${present.slice(0, 20).join(", ")}.`,
    )
  }
  let columns: readonly string[] = []
  const rows: Readonly<Record<string, unknown>>[] = []
  for (const url of files) {
    if (rows.length >= maxRows) break
    const file = await openRanges(connection, url, signal)
    const table = await readTextColumns(file, url, maxRows - rows.length)
    columns = table.columns
    for (const row of table.rows) rows.push(row)
  }
  return { columns, rows }
}

/** What the files themselves say of each configuration; a sample row only of the first, and only where it costs little. */
export async function describeConfigurations(
  connection: HubConnection,
  listing: ParquetListing,
  signal?: AbortSignal,
): Promise<DatasetConfiguration[]> {
  const described: DatasetConfiguration[] = []
  for (const [name, bySplit] of Object.entries(listing).slice(0, 3)) {
    const splits = Object.keys(bySplit)
    const url = bySplit[splits.includes("train") ? "train" : splits[0]]?.[0]
    if (!url) continue
    const file = await openRanges(connection, url, signal)
    const { columns, firstRowBytes } = await explained(url, () => readParquetSummary(file))
    const isCheap = described.length === 0 && firstRowBytes <= maxSampleBytes
    const sampleRow = isCheap ? (await readTextColumns(file, url, 1)).rows[0] : undefined
    described.push({ name, splits, columns, sampleRow })
  }
  return described
}

async function readTextColumns(file: AsyncBuffer, url: string, maxRows: number): Promise<SourceTable> {
  return explained(url, async () => {
    const { columns, footer } = await readParquetSummary(file)
    const features = featuresOf(footer.key_value_metadata?.find(({ key }) => key === "huggingface")?.value)
    return readParquet(file, url, { columns: columns.filter((column) => !mediaTypes.has(String(features[column]?._type))), maxRows })
  })
}

function featuresOf(metadata: string | undefined): Readonly<Record<string, { _type?: string } | undefined>> {
  try {
    return JSON.parse(metadata ?? "{}")?.info?.features ?? {}
  } catch {
    return {}
  }
}

async function explained<T>(url: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw (error as Error).name === "AbortError" ? error : explainTableError(error, url, "Parquet")
  }
}

/** A file on the hub as ranges of bytes. Every range is checked to be whole. */
async function openRanges(connection: HubConnection, listed: string, signal?: AbortSignal): Promise<AsyncBuffer> {
  const fetchRange = connect(connection, signal)
  // The listing names huggingface.co even when it comes from a mirror.
  const url = listed.replace(/^https:\/\/huggingface\.co(?=\/)/, connection.endpoint)
  const request = async (start: number, end: number) => {
    const response = await fetchRange(url, { headers: { Range: `bytes=${start}-${end - 1}` } })
    if (response.status === 206) return response
    await response.body?.cancel()
    if (!response.ok) throw new HubApiError(url, response.status)
    throw new ServiceError("hub.no-ranges", `${url} cannot be read in parts: download the file and read it with Dataset.from.`, {
      isRetryable: false,
    })
  }
  const first = await request(0, 1)
  const size = Number(first.headers.get("Content-Range")?.split("/")[1])
  await first.body?.cancel()
  if (!Number.isSafeInteger(size)) throw new Error(`${url} does not say how long it is`)

  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    for (let tries = 1; ; tries++) {
      const bytes = await (await request(start, end)).arrayBuffer().catch((error: unknown) => {
        signal?.throwIfAborted()
        return error
      })
      if (bytes instanceof ArrayBuffer && bytes.byteLength === end - start) return bytes
      if (tries === maxRangeTries) {
        throw new ServiceError("hub.broken-download", `${url} broke off ${tries} times between bytes ${start} and ${end}: try again.`, {
          cause: bytes instanceof Error ? bytes : undefined,
          isRetryable: true,
        })
      }
    }
  }
  return { byteLength: size, slice: (start, end = size) => read(start, end) }
}
