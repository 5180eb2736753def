// A model's files from the hub, into the cache that transformers uses too: models--OWNER--NAME/snapshots/COMMIT.
import { createHash } from "node:crypto"
import { open, stat } from "node:fs/promises"
import { join } from "node:path"
import { downloadFile, type ListFileEntry, listFiles, modelInfo } from "@huggingface/hub"
import { InputError, ServiceError } from "../../core/errors"
import { placeAtomically, writeFileAtomically } from "../../store/atomic"
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
const maxTries = 4

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
    await placeAtomically(path, (temporary) => download(temporary, entry, { ...client, repo, revision: sha, signal }))
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

type DownloadOptions = {
  repo: { type: "model"; name: string }
  revision: string
  hubUrl: string
  fetch: typeof fetch
  signal?: AbortSignal
}

/** Fills `temporary`; where the body breaks off it goes on from there. */
async function download(temporary: string, entry: ListFileEntry, { signal, ...options }: DownloadOptions): Promise<void> {
  const blob = await downloadFile({ ...options, path: entry.path, xet: false })
  if (!blob) throw new Error(`${entry.path} is listed and not there`)
  // A file of git is named by a hash over its length and content, a large one by a hash of its content.
  const hash = entry.lfs ? createHash("sha256") : createHash("sha1").update(`blob ${entry.size}\0`)
  const file = await open(temporary, "w")
  try {
    let written = 0
    for (let tries = 1; written < entry.size; tries++) {
      try {
        for await (const chunk of blob.slice(written, entry.size).stream() as unknown as AsyncIterable<Uint8Array>) {
          hash.update(chunk)
          await file.write(chunk)
          written += chunk.length
        }
        if (written !== entry.size) throw new Error(`${written} of ${entry.size} bytes came`)
      } catch (error) {
        signal?.throwIfAborted()
        if (tries === maxTries || written > entry.size) throw brokenDownload(entry.path, options, error)
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
  const expected = entry.lfs?.oid ?? entry.oid
  if (expected && hash.digest("hex") !== expected) throw brokenDownload(entry.path, options, new Error("its hash is another"))
}

function brokenDownload(path: string, { repo, hubUrl }: DownloadOptions, cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause
  return new ServiceError("hub.broken-download", `${path} of ${repo.name} did not come whole from ${hubUrl}: try again.`, {
    cause,
    isRetryable: true,
  })
}
