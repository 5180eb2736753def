// The tokenizer of a model's folder: ByT5's bytes, or whatever `tokenizer.json` describes, through Hugging Face's library.
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers"
import { InputError, messageOf } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import { byteTokenizerFrom } from "./byte-tokenizer"
import { contentOf, type Tokenizer, type TokenizerConfiguration } from "./tokenizer"

/** Files that a tokenizer of transformers consists of; kept, and written again with the student. */
const tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "spiece.model"]

/**
 * The tokenizer of a model's folder.
 * @throws InputError `tokenizer.missing`, `tokenizer.damaged`
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = new Map<string, Buffer>()
  for (const name of tokenizerFiles) {
    const data = await readIfThere(join(folder, name))
    if (data) files.set(name, data)
  }
  const configuration = parseObject(folder, "tokenizer_config.json", files)
  if (/^ByT5Tokenizer/.test(String(configuration?.tokenizer_class))) return byteTokenizerFrom(configuration ?? {})
  const description = parseObject(folder, "tokenizer.json", files)
  if (!description) {
    const remedy = files.has("spiece.model")
      ? "has spiece.model only: save the tokenizer with a current transformers, which writes tokenizer.json"
      : "has no tokenizer.json"
    throw new InputError("tokenizer.missing", `${folder} ${remedy}.`)
  }
  try {
    return new DescribedTokenizer(description, configuration ?? {}, files)
  } catch (error) {
    throw new InputError("tokenizer.damaged", `The tokenizer in ${folder} cannot be used: ${messageOf(error)}.`, { cause: error })
  }
}

/** A tokenizer that `tokenizer.json` describes. */
class DescribedTokenizer implements Tokenizer {
  readonly fingerprint: string
  private readonly library: LibraryTokenizer
  private readonly specialIds: ReadonlySet<number>
  private readonly cleansUp: boolean

  constructor(
    description: Record<string, unknown>,
    configuration: TokenizerConfiguration,
    private readonly files: ReadonlyMap<string, Buffer>,
  ) {
    this.library = new LibraryTokenizer(description, configuration)
    this.fingerprint = fingerprintOf([description, configuration])
    this.cleansUp = configuration.clean_up_tokenization_spaces === true
    const special = new Set([...this.library.get_added_tokens_decoder()].filter(([, token]) => token.special).map(([id]) => id))
    for (const role of ["pad_token", "eos_token", "unk_token", "bos_token", "sep_token", "cls_token", "mask_token"]) {
      const id = this.library.token_to_id(contentOf(configuration[role]))
      if (id !== undefined) special.add(id)
    }
    this.specialIds = special
  }

  encode(text: string): number[] {
    return this.library.encode(text).ids
  }

  decode(ids: readonly number[]): string {
    const plain = ids.filter((id) => !this.specialIds.has(id))
    // The library refuses an empty list.
    return plain.length === 0 ? "" : this.library.decode(plain, { skip_special_tokens: true, clean_up_tokenization_spaces: this.cleansUp })
  }

  async save(folder: string): Promise<void> {
    for (const [name, data] of this.files) await writeFile(join(folder, name), data)
  }
}

function parseObject(folder: string, name: string, files: ReadonlyMap<string, Buffer>): Record<string, unknown> | undefined {
  const data = files.get(name)
  if (!data) return undefined
  try {
    const parsed: unknown = JSON.parse(data.toString("utf8"))
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  } catch (error) {
    throw new InputError("tokenizer.damaged", `${join(folder, name)} is no JSON: ${messageOf(error)}. Fetch it anew.`, { cause: error })
  }
  throw new InputError("tokenizer.damaged", `${join(folder, name)} is no JSON object. Fetch it anew.`)
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}
