// A base model that trains in a second: the bundled tiny one, cut down.
import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Writes it to `folder`, and answers that. */
export function writeSmallModel(folder) {
  const bundled = join(import.meta.dirname, "../../kernel-lib/data/models/byte-t5-tiny")
  cpSync(bundled, folder, { recursive: true })
  const configuration = JSON.parse(readFileSync(join(bundled, "config.json"), "utf8"))
  const small = { d_model: 32, d_ff: 64, num_layers: 1, num_decoder_layers: 1, num_heads: 4 }
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...configuration, ...small }))
  return folder
}
