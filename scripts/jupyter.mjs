// A Python environment of this project's own, in .cache/jupyter: JupyterLab, the TypeScript kernel and our extension. Made once; deleting
// the folder removes all of it, and nothing of the user's own Jupyter is read or written.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { root } from "./install.mjs"

const home = join(root, ".cache/jupyter")
const extensionFolder = join(root, "jupyter-extension")
const requirements = join(root, "binder/requirements.txt")
const isWindows = process.platform === "win32"
const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

/** A Python that can make the environment, `{ command }`; or the one line that says why there is none, `{ reason }`. */
export function findPython() {
  const names = [process.env.PYTHON, "python3", "python", "python3.13", "python3.12", "python3.11", "python3.10"]
  for (const command of names.filter(Boolean)) {
    const { status } = spawnSync(command, ["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"], { stdio: "ignore" })
    if (status === 0) return { command }
  }
  return {
    reason: "No Python 3.10 or newer with venv was found: install one (Debian: apt-get install python3-venv), or name it in PYTHON.",
  }
}

/**
 * The environment, made where it is not there yet: `{ python, variables }`, the variables for every process of Jupyter. `withExtension`
 * builds and installs the extension too. Throws an error whose message says what failed.
 */
export function openJupyterEnvironment(command, { withExtension = false, say = (_sentence) => {} } = {}) {
  const python = join(home, "venv", isWindows ? "Scripts/python.exe" : "bin/python")
  const wanted = hashOf([requirements]) + run(command, ["--version"]).trim()
  once("venv", wanted, () => {
    say("Installing JupyterLab into .cache/jupyter ...")
    rmSync(home, { recursive: true, force: true })
    mkdirSync(home, { recursive: true })
    // JupyterLab runs scripts of its own with Node; our workspace's package.json would make modules of them.
    writeFileSync(join(home, "package.json"), JSON.stringify({ type: "commonjs" }))
    run(command, ["-m", "venv", join(home, "venv")])
    run(python, [...pip, "-r", requirements])
  })
  installKernel()
  const settings = join(home, "venv/share/jupyter/lab/settings")
  mkdirSync(settings, { recursive: true })
  cpSync(join(root, "binder/overrides.json"), join(settings, "overrides.json"))
  if (withExtension) installExtension(python, say)
  const folders = { JUPYTER_CONFIG_DIR: "config", JUPYTER_DATA_DIR: "data", JUPYTER_RUNTIME_DIR: "runtime", IPYTHONDIR: "ipython" }
  const variables = Object.fromEntries(Object.entries(folders).map(([name, folder]) => [name, join(home, folder)]))
  return { python, variables: { ...variables, JUPYTER_PLATFORM_DIRS: "1", PYDEVD_DISABLE_FILE_VALIDATION: "1", PYTHONWARNINGS: "ignore" } }
}

/** tslab's kernel, started by this very Node, whatever the PATH says. */
function installKernel() {
  const tslab = createRequire(join(root, "notebooks/package.json")).resolve("tslab/package.json")
  const folder = join(home, "venv/share/jupyter/kernels/tslab")
  const argv = [process.execPath, join(tslab, "../bin/tslab"), "kernel", "--config-path", "{connection_file}"]
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "kernel.json"), JSON.stringify({ argv, display_name: "TypeScript", language: "typescript" }))
}

/** The extension, as a user gets it: built, made a wheel, installed by pip. */
function installExtension(python, say) {
  const sources = ["src", "style", "schema", "."].flatMap((folder) =>
    readdirSync(join(extensionFolder, folder), { withFileTypes: true, recursive: folder !== "." })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  )
  const display = ["payloads", "colours", "plain-text", "word-diff", "wording", "run-summary"].map((name) => `display/${name}`)
  const shared = [...display, "measures/normalize-text", "measures/shingles"].map((name) => join(root, `kernel-lib/src/${name}.ts`))
  once("extension", hashOf([...sources, ...shared]), () => {
    say("Building JupyterLab's extension ...")
    run(isWindows ? "npm.cmd" : "npm", ["run", "--silent", "build", "--workspace", "jupyterlab-prompt2model"])
    run(python, [...pip, "--force-reinstall", "--no-deps", extensionFolder])
  })
}

/** Does `work` unless it was done for `wanted` already. */
function once(name, wanted, work) {
  const stamp = join(home, `${name}.stamp`)
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return
  work()
  writeFileSync(stamp, wanted)
}

function hashOf(files) {
  const hash = createHash("sha256")
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest("hex")
}

function run(command, words) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd: root, encoding: "utf8", shell: command.endsWith(".cmd") })
  if (status !== 0) throw new Error(`${command} ${words.join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout + stderr
}
