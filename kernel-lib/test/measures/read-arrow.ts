// Reads the paper's artefacts (Hugging Face save_to_disk folders) for tests that are given their folder.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { tableFromIPC } from "apache-arrow"

/** The folder of the authors' artefacts; undefined where the tests were given none. */
export const paperArtifacts = process.env.PAPER_ARTIFACTS

/** Columns of texts of a save_to_disk folder, by name. */
export function readColumns(...path: string[]): Record<string, string[]> {
  const folder = join(paperArtifacts!, ...path)
  const columns: Record<string, string[]> = {}
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith(".arrow"))
    .sort()) {
    const table = tableFromIPC(readFileSync(join(folder, file)))
    for (const { name } of table.schema.fields) {
      columns[name] ??= []
      for (const cell of table.getChild(name)!) columns[name].push(cell as string)
    }
  }
  return columns
}
