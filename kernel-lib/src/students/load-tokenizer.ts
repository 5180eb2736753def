// The tokenizer of a model's folder: ByT5's bytes, what `tokenizer.json` describes, or where that is missing, what the files describe
// that models were published with before it: sentencepiece's, vocabularies with merges, lists of word pieces.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError, messageOf } from "../core/errors"
import { byteTokenizerFrom } from "./byte-tokenizer"
import type { Tokenizer } from "./tokenizer"
import { DescribedTokenizer } from "./tokenizers/described-tokenizer"
import { type DescribedTokens, describeFiles, describeJson, vocabularyFiles } from "./tokenizers/families"
import type { SmallFiles } from "./tokenizers/special-tokens"

/** Files that a tokenizer of transformers consists of; kept, and written again with the student. */
const tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", ...vocabularyFiles]

/**
 * The tokenizer of a model's folder.
 * @throws InputError `tokenizer.missing`, `tokenizer.damaged`
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = new Map<string, Uint8Array>()
  for (const name of tokenizerFiles) {
    const data = await readIfThere(join(folder, name))
    if (data) files.set(name, data)
  }
  const small: SmallFiles = {
    configuration: parseObject(folder, "tokenizer_config.json", files) ?? {},
    specialTokensMap: parseObject(folder, "special_tokens_map.json", files),
    addedTokens: parseObject(folder, "added_tokens.json", files),
  }
  if (/^ByT5Tokenizer/.test(String(small.configuration.tokenizer_class))) return byteTokenizerFrom(small.configuration)
  const json = parseObject(folder, "tokenizer.json", files)
  const { tokenizer_class: modelClass, model_type: modelType } = await readModelConfiguration(folder)
  const names = { tokenizerClass: small.configuration.tokenizer_class ?? modelClass, modelType }
  try {
    const described = json ? describeJson(json, small, names) : describeFiles(files, small, names)
    if (described) return createTokenizer(described, files)
  } catch (error) {
    throw new InputError("tokenizer.damaged", `The tokenizer in ${folder} cannot be used: ${messageOf(error)}.`, { cause: error })
  }
  throw new InputError(
    "tokenizer.missing",
    `${folder} has no tokenizer.json and no other file of a tokenizer: save the tokenizer there (save_pretrained of transformers).`,
  )
}

/** The tokenizer, and a try of it: a description may be in order part by part and still not work. */
function createTokenizer({ description, configuration }: DescribedTokens, files: Map<string, Uint8Array>): Tokenizer {
  const kept = new Map(files)
  if (!kept.has("tokenizer.json")) {
    const json = { version: "1.0", truncation: null, padding: null, ...description }
    kept.set("tokenizer.json", Buffer.from(`${JSON.stringify(json)}\n`))
  }
  const tokenizer = new DescribedTokenizer(description, configuration, kept)
  const { ids } = tokenizer.encodePair("A text, 1 & 2.", "é 😀")
  tokenizer.decode(ids)
  return tokenizer
}

async function readModelConfiguration(folder: string): Promise<Record<string, unknown>> {
  const data = await readIfThere(join(folder, "config.json"))
  return (data && parseObject(folder, "config.json", new Map([["config.json", data]]))) ?? {}
}

function parseObject(folder: string, name: string, files: ReadonlyMap<string, Uint8Array>): Record<string, unknown> | undefined {
  const data = files.get(name)
  if (!data) return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data).toString("utf8"))
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  } catch (error) {
    throw new InputError("tokenizer.damaged", `${join(folder, name)} is no JSON: ${messageOf(error)}. Fetch it anew.`, { cause: error })
  }
  throw new InputError("tokenizer.damaged", `${join(folder, name)} is no JSON object. Fetch it anew.`)
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}
