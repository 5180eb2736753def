// Where a dataset's Parquet files lie: by the hub's own listing of the files that it keeps for every dataset that it can read
// (https://huggingface.co/docs/dataset-viewer/parquet), else by the names of the files on the branch of these conversions, or of the dataset's own.
import { HubApiError, listFiles } from "@huggingface/hub"
import { connect, type HubConnection } from "./hub-connection"

/** Addresses of Parquet files by configuration and split. */
export type ParquetListing = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

const branches = ["refs/convert/parquet", "main"]

/** @throws HubApiError where the dataset is not there, may not be read, or has no Parquet files */
export async function listParquet(connection: HubConnection, id: string, signal?: AbortSignal): Promise<ParquetListing> {
  const url = `${connection.endpoint}/api/datasets/${id}/parquet`
  const response = await connect(connection, signal)(url, { headers: { accept: "application/json" } })
  if (response.ok) {
    const listing: unknown = await response.json()
    if (typeof listing !== "object" || listing === null || Array.isArray(listing)) throw new Error("no list of Parquet files")
    return keepFiles(listing)
  }
  const message = await response.text()
  const error = new HubApiError(url, response.status, undefined, message.slice(0, 200))
  if (response.status === 401 || response.status === 403) throw error
  for (const branch of branches) {
    const paths = await listPaths(connection, id, branch, signal)
    const listing = groupPaths(paths, (path) => {
      const place = path.split("/").map(encodeURIComponent).join("/")
      return `${connection.endpoint}/datasets/${id}/resolve/${encodeURIComponent(branch)}/${place}`
    })
    if (Object.keys(listing).length > 0) return listing
  }
  throw error
}

/** Of a listing what has the form of one. */
function keepFiles(listing: object): ParquetListing {
  const membersOf = (value: unknown) => (typeof value === "object" && value !== null ? Object.entries(value) : [])
  const splitsOf = (value: unknown) =>
    membersOf(value).flatMap(([split, files]) => (Array.isArray(files) ? [[split, files.filter((file) => typeof file === "string")]] : []))
  return Object.fromEntries(Object.entries(listing).map(([name, splits]) => [name, Object.fromEntries(splitsOf(splits))]))
}

/** None where there is no such branch. */
async function listPaths(connection: HubConnection, id: string, branch: string, signal?: AbortSignal): Promise<string[]> {
  const client = { hubUrl: connection.endpoint, fetch: connect(connection, signal) }
  const paths: string[] = []
  try {
    for await (const { path } of listFiles({ ...client, repo: { type: "dataset", name: id }, revision: branch, recursive: true }))
      if (path.endsWith(".parquet")) paths.push(path)
  } catch (error) {
    if (error instanceof HubApiError) return []
    throw error
  }
  return paths.sort()
}

const splitNames: readonly (readonly [split: string, word: RegExp])[] = [
  ["train", /^(train|training)$/],
  ["validation", /^(validation|valid|val|dev)$/],
  ["test", /^(test|testing|eval|evaluation)$/],
]

/** `default/train/0000.parquet` as the hub's conversions are named, `data/train-00000-of-00002.parquet` and `fr/test.parquet` as people do. */
export function groupPaths(paths: readonly string[], addressOf: (path: string) => string): ParquetListing {
  const listing: Record<string, Record<string, string[]>> = {}
  for (const path of paths) {
    const folders = path.split("/")
    const file = folders.pop() ?? ""
    const isConversion = folders.length === 2 && /^\d+\.parquet$/.test(file)
    const split = isConversion ? folders[1] : splitOf(path)
    const [folder = "data"] = folders
    const configuration = isConversion || (folder !== "data" && splitOf(folder) === undefined) ? folder : "default"
    listing[configuration] ??= {}
    listing[configuration][split ?? "train"] ??= []
    listing[configuration][split ?? "train"].push(addressOf(path))
  }
  return listing
}

function splitOf(path: string): string | undefined {
  const words = path.toLowerCase().split(/[^a-z]+/)
  return splitNames.find(([, word]) => words.some((one) => word.test(one)))?.[0]
}
