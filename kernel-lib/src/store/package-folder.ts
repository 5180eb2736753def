// Where this package lies, whether it runs from src or from dist, as an ES module or as CommonJS.
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const packageName = "prompt2model"

/** The folder with this package's package.json, in which `data` lies. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const path = join(folder, "package.json")
    if (existsSync(path) && JSON.parse(readFileSync(path, "utf8")).name === packageName) return folder
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`no package.json of ${packageName} lies above ${fileURLToPath(import.meta.url)}`)
    folder = parent
  }
}
