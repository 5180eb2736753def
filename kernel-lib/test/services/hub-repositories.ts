// The repositories of a test's hub: sets and models as people have them, open, gated, private, with a script, in shards.
import { parquetWriteBuffer } from "hyparquet-writer"
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest"
import { huggingFaceHub } from "../../src/services/hubs/hugging-face-hub"
import { makeFolder, removeFolders } from "../store/folders"
import { type HubRepository, type HubServer, startHubServer } from "./hub-server"

const parquetOf = (columns: Record<string, string[]>, features?: object) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, data]) => ({ name, data, type: "STRING" as const })),
      rowGroupSize: 2,
      kvMetadata: features && [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  )
export const dates = (from: number, to: number) =>
  parquetOf({
    written: Array.from({ length: to - from }, (_, index) => `day ${from + index}`),
    iso: Array.from({ length: to - from }, (_, index) => `1999-01-0${from + index}`),
  })
export const weights = Buffer.alloc(300_000, "weights ")
const readme = "---\nlicense: apache-2.0\n---\n# Tiny T5\nA **small** [model](https://example.org) for dates.\n"

export const datasets: HubRepository[] = [
  {
    id: "acme/dates-to-iso",
    info: {
      downloads: 500,
      description: "\n\t\n\t\tDates as people write them, with ISO 8601.\n",
      tags: ["task_categories:text2text-generation", "language:en", "license:mit", "region:us", "size_categories:n<1K"],
      cardData: {
        pretty_name: "Dates",
        dataset_info: {
          features: [
            { name: "written", dtype: "string" },
            { name: "iso", dtype: "string" },
            { name: "era", dtype: { class_label: { names: { "0": "old", "1": "new" } } } },
          ],
          splits: [{ name: "train", num_examples: 7 }],
          download_size: 900,
        },
      },
    },
    parquet: { default: { train: [dates(1, 5), dates(5, 8)], test: [dates(8, 9)] } },
  },
  {
    id: "acme/date-pictures",
    info: { tags: ["language:fr"] },
    parquet: { default: { train: [parquetOf({ image: ["x", "y"], label: ["a", "b"] }, { image: { _type: "Image" } })] } },
  },
  { id: "acme/gated-dates", info: { gated: "auto" }, parquet: { default: { train: [dates(1, 3)] } } },
  { id: "acme/secret-dates", info: { private: true } },
  { id: "acme/scripted_dates", files: { "README.md": "", "scripted_dates.py": "import this" } },
  { id: "acme/cats" },
]
export const config = JSON.stringify({ model_type: "t5", d_model: 8 })
export const models: HubRepository[] = [
  {
    id: "acme/date-t5",
    info: {
      tags: ["t5", "en", "license:apache-2.0"],
      config: { model_type: "t5" },
      safetensors: { parameters: { F32: 100, BF16: 50 }, total: 150 },
      pipeline_tag: "translation",
      cardData: { language: "en" },
      downloads: 77,
    },
    files: {
      "config.json": config,
      "README.md": readme,
      "tokenizer.json": "{}",
      "model.safetensors": weights,
      "pytorch_model.bin": "not needed",
      "tf_model.h5": "no",
      "sub/config.json": "no",
    },
    large: ["model.safetensors", "pytorch_model.bin", "tf_model.h5"],
  },
  {
    id: "acme/sharded",
    info: { tags: ["t5"], config: { model_type: "t5" } },
    files: {
      "config.json": config,
      "pytorch_model.bin.index.json": "{}",
      "pytorch_model-00001-of-00002.bin": "one",
      "pytorch_model-00002-of-00002.bin": "two",
      "model.safetensors.index.json": "{}",
    },
  },
  {
    id: "acme/gated-t5",
    info: { tags: ["t5"], config: { model_type: "t5" }, gated: "manual" },
    files: { "config.json": config, "model.safetensors": "w" },
  },
  { id: "acme/empty", info: { tags: ["t5"] }, files: { "README.md": "nothing yet" } },
]

const quick = { backOffMilliseconds: 1, maxBackOffMilliseconds: 1 }

/** A hub of these repositories, or of others, for the tests of a file. Each begins with nothing asked, no faults, an empty cache and no token. */
export function useHub(repositories: Parameters<typeof startHubServer>[0] = { datasets, models }) {
  let server: HubServer
  let cacheFolder: string
  beforeAll(async () => {
    server = await startHubServer(repositories)
  })
  afterAll(async () => {
    await server.close()
    await removeFolders()
  })
  beforeEach(async () => {
    server.requests.length = 0
    server.faults.length = 0
    cacheFolder = await makeFolder()
    vi.stubEnv("HF_TOKEN", "")
  })
  afterEach(() => vi.unstubAllEnvs())
  return {
    get server() {
      return server
    },
    get cacheFolder() {
      return cacheFolder
    },
    open: (options: { accessToken?: string; endpoint?: string } = {}) =>
      huggingFaceHub({ endpoint: server.endpoint, cacheFolder, retry: quick, ...options }),
  }
}
