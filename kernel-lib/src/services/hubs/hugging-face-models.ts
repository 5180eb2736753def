// A model's files from the hub, into the cache that transformers uses too: models--OWNER--NAME/snapshots/COMMIT.
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { type ListFileEntry, listFiles, modelInfo } from "@huggingface/hub"
import { InputError } from "../../core/errors"
import { writeFileAtomically } from "../../store/atomic"
import { downloadFile, type WantedFile } from "./download-file"
import { connect, type HubConnection } from "./hub-connection"

/** What a student is loaded from, beside the weights. */
const sideFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "spiece.model",
  "sentencepiece.bpe.model",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
]
/** The first of these forms that is there is taken; an index names its shards. */
const weightForms = [
  /^model\.safetensors$/,
  /^model-\d{5}-of-\d{5}\.safetensors$/,
  /^pytorch_model\.bin$/,
  /^pytorch_model-\d{5}-of-\d{5}\.bin$/,
]
const indexFiles = ["model.safetensors.index.json", "pytorch_model.bin.index.json"]

/**
 * Downloads what is needed of a model and not there yet, each file checked by size and hash before it counts.
 * @throws InputError `hub.no-weights`, `disk.full`; ServiceError `hub.broken-download`; HubApiError
 */
export async function downloadModel(connection: HubConnection, cacheFolder: string, id: string, signal?: AbortSignal): Promise<string> {
  const client = { hubUrl: connection.endpoint, fetch: connect(connection, signal) }
  const { sha } = await modelInfo({ ...client, name: id, additionalFields: ["sha"] })
  if (!/^[0-9a-f]{40}$/.test(sha)) throw new Error("a commit without a hash")
  const repo = { type: "model" as const, name: id }
  const present: ListFileEntry[] = []
  for await (const entry of listFiles({ ...client, repo, revision: sha })) if (entry.type === "file") present.push(entry)
  const needed = chooseFiles(present, id, connection.endpoint)

  const folder = join(cacheFolder, `models--${id.replaceAll("/", "--")}`)
  const snapshot = join(folder, "snapshots", sha)
  for (const entry of needed) {
    const path = join(snapshot, entry.path)
    const known = await stat(path).catch(() => undefined)
    if (known?.size === entry.size) continue
    await downloadFile(path, wantedFile(connection, id, sha, entry), client.fetch, signal)
  }
  await writeFileAtomically(join(folder, "refs", "main"), sha)
  return snapshot
}

function chooseFiles(present: readonly ListFileEntry[], id: string, endpoint: string): ListFileEntry[] {
  const form = weightForms.find((pattern) => present.some(({ path }) => pattern.test(path)))
  if (!form) {
    throw new InputError("hub.no-weights", `${id} on ${endpoint} has no weights as safetensors or PyTorch files: choose another model.`)
  }
  const index = indexFiles.filter((name) => name.startsWith(form.source.includes("safetensors") ? "model" : "pytorch"))
  const isSharded = form.source.includes("-of-")
  return present.filter(({ path }) => sideFiles.includes(path) || form.test(path) || (isSharded && index.includes(path)))
}

function wantedFile({ endpoint }: HubConnection, id: string, sha: string, { path, size, oid, lfs }: ListFileEntry): WantedFile {
  const url = `${endpoint}/${id}/resolve/${sha}/${path.split("/").map(encodeURIComponent).join("/")}`
  // A file of git is named by a hash over its length and content, a large one by a hash of its content.
  if (lfs?.oid) return { url, size, hash: { kind: "sha256", hex: lfs.oid } }
  return { url, size, hash: oid ? { kind: "git", hex: oid } : undefined }
}
