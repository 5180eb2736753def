// Where TensorFlow's libraries are: in the package @tensorflow/tfjs-node or tfjs-node-gpu, as it was installed or as `npm run
// setup:tensorflow` made it, or in a Python package.
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { EngineError } from "../../core/errors"

/** Where a folder with TensorFlow can be named: the package tfjs-node, a Python package `tensorflow`, or the libraries themselves. */
export const folderVariable = "PROMPT2MODEL_TENSORFLOW"
/** Where `npm run setup:tensorflow` installs, in the workspace's root. */
export const setupFolder = join(".cache", "tensorflow")

export interface TensorFlowLibraries {
  /** Graphs and sessions. */
  readonly core: string
  /** What `core` needs, loaded before it; the same file where there is only one. */
  readonly framework: string
}

const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]
/** Where libraries lie in the packages. */
const places = ["", "deps/lib", "lib", "tensorflow"]

/**
 * The first that is there: PROMPT2MODEL_TENSORFLOW, what the setup installed, then packages of the current folder and of this library.
 * @throws EngineError `engine.tensorflow-missing` with what to do
 */
export function findTensorFlow(environment: NodeJS.ProcessEnv = process.env, folders = startingFolders()): TensorFlowLibraries {
  const named = environment[folderVariable]
  if (named) {
    const found = findLibraries(resolve(named))
    if (found) return found
    throw new EngineError(
      "engine.tensorflow-missing",
      `${folderVariable} is ${named}, where no TensorFlow library is: name the folder of a tfjs-node or a Python tensorflow package.`,
    )
  }
  for (const folder of folders.flatMap(listParents)) {
    const installed = [join(folder, setupFolder), folder].flatMap((root) => packages.map((name) => join(root, "node_modules", name)))
    for (const place of installed) {
      const found = existsSync(place) ? findLibraries(place) : undefined
      if (found) return found
    }
  }
  throw new EngineError(
    "engine.tensorflow-missing",
    "TensorFlow is not installed: run `npm install @tensorflow/tfjs-node`, or `npm run setup:tensorflow` in the library's repository.",
  )
}

function startingFolders(): string[] {
  return [process.cwd(), dirname(fileURLToPath(import.meta.url))]
}

function listParents(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...listParents(parent)]
}

/** In a folder, or where one of the packages has them below it. */
export function findLibraries(root: string): TensorFlowLibraries | undefined {
  for (const place of places) {
    const folder = join(root, place)
    if (!existsSync(folder) || !statSync(folder).isDirectory()) continue
    const files = readdirSync(folder)
    const find = (...stems: string[]) => {
      for (const stem of stems) {
        const name = files.find((file) => isLibrary(file, stem))
        // The setup leaves links to a Python package's libraries, which look for NVIDIA's beside where they themselves lie.
        if (name) return realpathSync(join(folder, name))
      }
      return undefined
    }
    const core = find("libtensorflow_cc", "libtensorflow", "tensorflow_cc", "tensorflow")
    if (core) return { core, framework: find("libtensorflow_framework") ?? core }
  }
  return undefined
}

/** `libtensorflow.so`, `libtensorflow.so.2`, `libtensorflow.2.dylib`, `tensorflow.dll`. */
function isLibrary(file: string, stem: string): boolean {
  if (!file.startsWith(`${stem}.`)) return false
  const ending = file.slice(stem.length)
  return /^(\.\d+)*\.(so(\.\d+)*|dylib|dll)$/.test(ending)
}

/** koffi, for those who drive a library with it. @throws EngineError `engine.tensorflow-missing` */
export function requireKoffi(): typeof import("koffi") {
  try {
    return createRequire(import.meta.url)("koffi") as typeof import("koffi")
  } catch (cause) {
    throw new EngineError("engine.tensorflow-missing", "koffi cannot be loaded: run `npm install koffi` with optional dependencies.", {
      cause,
    })
  }
}
