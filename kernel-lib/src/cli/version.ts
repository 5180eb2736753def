// The version of this package, as package.json has it.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { packageFolder } from "../store/package-folder"

export function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")).version
}
