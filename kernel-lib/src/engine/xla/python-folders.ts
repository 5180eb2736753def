// Where Python packages lie on this machine, found by reading folders: starting a Python would take a hundred times as long. A plug-in is a
// library in one of them, and which Python it was installed for does not matter to it.
import { readdirSync, readFileSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, delimiter, dirname, join } from "node:path"

/** What decides where is looked. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv
  /** The current folder and others whose parents may hold an environment. */
  readonly folders: readonly string[]
}

/** Where plug-ins can be installed for this library alone: `python3 -m pip install --target .cache/xla PACKAGE`. */
export const setupFolder = join(".cache", "xla")

/**
 * Folders with packages, in the order in which they count: this library's own, the active environment's, those of `.venv`, of each Python
 * on the PATH and of the user, each once.
 */
export function listPackageFolders({ environment, folders }: Surroundings): string[] {
  const parents = [...new Set(folders.flatMap(listParents))]
  const prefixes = [
    ...[environment.VIRTUAL_ENV, environment.CONDA_PREFIX].flatMap((folder) => folder || []),
    ...parents.map((folder) => join(folder, ".venv")),
    ...(environment.PATH ?? "")
      .split(delimiter)
      .filter(Boolean)
      .flatMap((folder) => listPrefixes(folder, environment)),
    environment.PYTHONUSERBASE || join(environment.HOME || homedir(), ".local"),
  ]
  const candidates = [
    ...parents.map((folder) => join(folder, setupFolder)),
    ...(environment.PYTHONPATH ?? "").split(delimiter).filter(Boolean),
    ...[...new Set(prefixes)].flatMap(listPackageFoldersOf),
  ]
  return resolveFolders(candidates)
}

/** Those of one Python, which lives in `prefix`. */
export function listPackageFoldersOf(prefix: string): string[] {
  // Debian keeps what pip installs for its own Python in /usr/local.
  const roots = [prefix, join(prefix, "local")].flatMap((root) => [join(root, "lib"), join(root, "lib64")])
  const candidates = roots.flatMap((root) => {
    const versions = listNames(root).filter((name) => /^python3[\d.]*$/.test(name))
    return versions.flatMap((version) => ["site-packages", "dist-packages"].map((kind) => join(root, version, kind)))
  })
  return resolveFolders(candidates)
}

/** A folder's names; none where there is no such folder, or it may not be read. */
export function listNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Of the Pythons in a folder of commands: where the command lies, and where the program lies that it leads to. */
function listPrefixes(folder: string, environment: NodeJS.ProcessEnv): string[] {
  if (basename(folder) === "shims") return listPyenvPrefixes(dirname(folder), environment)
  const command = resolveFolder(join(folder, "python3"))
  return command === undefined ? [] : [dirname(folder), dirname(dirname(command))]
}

/** pyenv's commands are scripts that choose a version. */
function listPyenvPrefixes(home: string, environment: NodeJS.ProcessEnv): string[] {
  const versions = environment.PYENV_VERSION?.split(":") ?? readText(join(home, "version")).split("\n")
  return versions
    .map((version) => version.trim())
    .filter(Boolean)
    .map((version) => join(home, "versions", version))
}

function listParents(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...listParents(parent)]
}

/** Those that are there, each once: `lib64` is often another name of `lib`. */
function resolveFolders(folders: readonly string[]): string[] {
  return [...new Set(folders.flatMap((folder) => resolveFolder(folder) ?? []))]
}

function resolveFolder(folder: string): string | undefined {
  try {
    return realpathSync(folder)
  } catch {
    return undefined
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}
