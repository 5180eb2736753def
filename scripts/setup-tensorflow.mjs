// npm run setup:tensorflow [-- --gpu] [--again]: TensorFlow for the engine `tensorflow`, in .cache/tensorflow. The package tfjs-node comes
// from npm. Its TensorFlow comes from its official download where that can be reached, else out of a Python package: one that is installed,
// or one that is installed here. tfjs-node's add-on is then built on it. Ends with one training step; a second run finds it there.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { checkNode, installPackages, root } from "./install.mjs"

const version = "4.22.0"
/** The TensorFlow that tfjs-node's sources were built and tested on. */
const pythonPackages = {
  cpu: process.platform === "linux" && process.arch === "x64" ? "tensorflow-cpu" : "tensorflow",
  gpu: "tensorflow[and-cuda]",
}
const pythonVersion = "2.21.0"

const words = process.argv.slice(2)
const unknown = words.find((word) => !["--gpu", "--again"].includes(word))
const isGpu = words.includes("--gpu")
const name = isGpu ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node"
const home = join(root, ".cache/tensorflow")
const packageFolder = join(home, "node_modules", name)
const libraries = join(packageFolder, "deps/lib")
const isWindows = process.platform === "win32"
const npm = isWindows ? "npm.cmd" : "npm"

checkNode()
if (unknown) end(`${unknown} is no option: use --gpu, --again or neither.`, 2)
installPackages("library")
if (words.includes("--again")) rmSync(home, { recursive: true, force: true })
else if (existsSync(libraries)) {
  const { sentence, isWorking } = check()
  if (isWorking) end(`TensorFlow is there already: ${sentence}`, 0)
  say(`What is in .cache/tensorflow does not work (${sentence}): installing it anew.`)
  rmSync(home, { recursive: true, force: true })
}
mkdirSync(home, { recursive: true })
writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, description: "Made by npm run setup:tensorflow" }))
say(`Installing ${name} ${version} into .cache/tensorflow ...`)
runOrEnd(
  npm,
  ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error", `${name}@${version}`],
  "npm could not install it",
)
// The official GPU build wants CUDA 11; a Python package brings the CUDA that it wants along.
const steps = isGpu && process.platform === "linux" ? [usePython, useDownload] : [useDownload, usePython]
const failures = []
for (const step of steps) {
  const failure = await step()
  if (failure === undefined) break
  failures.push(failure)
}
if (failures.length === steps.length) end(`TensorFlow could not be had. ${failures.join(" ")}`, 1)
const { sentence, isWorking } = check()
end(isWorking ? `TensorFlow is ready: ${sentence}` : `TensorFlow was installed and does not work: ${sentence}`, isWorking ? 0 : 1)

/** tfjs-node's own install script. Answers the sentence that says why it did not work. */
async function useDownload() {
  const host = process.env.TFJS_NODE_CDN_STORAGE ?? process.env.CDN_STORAGE ?? "https://storage.googleapis.com/"
  try {
    await fetch(host, { method: "HEAD", signal: AbortSignal.timeout(10_000) })
  } catch {
    return `The official download at ${new URL(host).host} cannot be reached.`
  }
  say("Downloading TensorFlow ...")
  const { status, output } = run(npm, ["rebuild", "--ignore-scripts=false", "--foreground-scripts", name])
  const isThere = existsSync(libraries) && readdirSync(libraries).some((file) => file.includes("tensorflow"))
  if (status === 0 && isThere) return undefined
  rmSync(join(packageFolder, "deps"), { recursive: true, force: true })
  return `The official download failed (${lastLine(output)}).`
}

/** The libraries of a Python package, and the add-on built on them. */
function usePython() {
  if (isWindows) return "Python's TensorFlow has no libraries to build on for Windows: use WSL."
  const python = findPython()
  if (!python)
    return "No Python 3.10 or newer with venv was found: install one (Debian: apt-get install python3-venv), or name it in PYTHON."
  const found = findTensorFlow(python) ?? installTensorFlow(python)
  if (typeof found === "string") return found
  say(`Using TensorFlow ${found.version} of ${found.folder} ...`)
  layOut(found.folder)
  buildAddOn(found.folder)
  return undefined
}

function findPython() {
  const names = [process.env.PYTHON, "python3", "python", "python3.13", "python3.12", "python3.11", "python3.10"].filter(Boolean)
  return names.find((command) => run(command, ["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]).status === 0)
}

/** Where a Python has TensorFlow, with the libraries, headers and CUDA that are needed; without importing it, which takes seconds. */
function findTensorFlow(python) {
  const program = [
    "import importlib.metadata as metadata, importlib.util as util, os",
    "folder = os.path.dirname(util.find_spec('tensorflow').origin)",
    "names = ('tensorflow-cpu', 'tensorflow')",
    "print([d.version for n in names for d in metadata.distributions(name=n)][0], folder, sep='\\n')",
  ]
  const { status, output } = run(python, ["-c", program.join("\n")])
  if (status !== 0) return undefined
  const [found, folder] = output.trim().split("\n")
  const hasLibrary = readdirSync(folder).some((file) => /^libtensorflow_cc\./.test(file))
  const isWanted = hasLibrary && existsSync(join(folder, "include")) && (!isGpu || isCudaBuild(folder))
  return isWanted ? { version: found, folder } : undefined
}

function isCudaBuild(folder) {
  const file = join(folder, "python/platform/build_info.py")
  return existsSync(file) && readFileSync(file, "utf8").includes("('is_cuda_build', True)")
}

function installTensorFlow(command) {
  const environment = join(home, "python")
  const python = join(environment, "bin/python")
  const wanted = `${pythonPackages[isGpu ? "gpu" : "cpu"]}==${pythonVersion}`
  say(`Installing ${wanted} from PyPI into .cache/tensorflow/python: some 250 MB${isGpu ? ", and several gigabytes of CUDA" : ""} ...`)
  const made = run(command, ["-m", "venv", environment])
  if (made.status !== 0) return `Python could not make an environment (${lastLine(made.output)}).`
  // The libraries alone are used: what Python would need beside them is left out, CUDA is not.
  const scope = isGpu ? [] : ["--no-deps"]
  const installed = run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...scope, wanted])
  if (installed.status !== 0) return `pip could not install ${wanted} (${lastLine(installed.output)}).`
  return findTensorFlow(python) ?? `${wanted} lacks libtensorflow_cc or its headers on this system.`
}

/** Names that tfjs-node's build looks for. */
function layOut(folder) {
  rmSync(join(packageFolder, "deps"), { recursive: true, force: true })
  mkdirSync(libraries, { recursive: true })
  symlinkSync(join(folder, "include"), join(packageFolder, "deps/include"))
  for (const file of readdirSync(folder).filter((name) => /^libtensorflow_(cc|framework)\./.test(name))) {
    symlinkSync(join(folder, file), join(libraries, file))
    const plain = file.replace("_cc", "")
    const ending = plain.includes(".so") ? ".so" : plain.includes(".2.") ? ".2.dylib" : ".dylib"
    const link = `${plain.slice(0, plain.indexOf("."))}${ending}`
    if (!existsSync(join(libraries, link))) symlinkSync(join(folder, file), join(libraries, link))
  }
}

/** The engine needs the libraries alone; the add-on serves those who use tfjs-node itself. */
function buildAddOn(folder) {
  const compiler = [process.env.CXX, "c++", "g++", "clang++"].filter(Boolean).find((command) => run(command, ["--version"]).status === 0)
  const missing = !compiler ? "no C++ compiler" : run("make", ["--version"]).status !== 0 ? "no make" : undefined
  if (missing) {
    say(
      `There is ${missing}, so tfjs-node's add-on is not built. The engine works without it. To have it: apt-get install build-essential,`,
    )
    return say("and run npm run setup:tensorflow -- --again")
  }
  say("Building tfjs-node's add-on ...")
  const headers = join(dirname(dirname(process.execPath)), "include/node/node_api.h")
  const variables = {
    PATH: `${join(home, "node_modules/.bin")}:${process.env.PATH}`,
    // CUDA's libraries lie beside those of TensorFlow.
    LDFLAGS: `-Wl,-rpath,${folder} ${process.env.LDFLAGS ?? ""}`.trim(),
    ...(existsSync(headers) && { npm_config_nodedir: dirname(dirname(dirname(headers))) }),
  }
  const { status, output } = run("node-pre-gyp", ["install", "--build-from-source"], { cwd: packageFolder, variables })
  if (status === 0) return
  writeFileSync(join(home, "build.log"), output)
  say("tfjs-node's add-on could not be built (.cache/tensorflow/build.log says why). The engine works without it.")
}

/** One training step on the engine, and one on the add-on where it is there. */
function check() {
  const unrun = join(root, "node_modules/.bin", isWindows ? "unrun.cmd" : "unrun")
  const engine = run(unrun, [join(root, "scripts/check-tensorflow.ts")], { variables: { PROMPT2MODEL_TENSORFLOW: packageFolder } })
  if (engine.status !== 0) return { isWorking: false, sentence: lastLine(engine.output) }
  const addOns = join(packageFolder, "lib")
  if (!existsSync(addOns)) return { isWorking: true, sentence: `${lastLine(engine.output)} tfjs-node's add-on is not built.` }
  const addOn = run(process.execPath, [join(root, "scripts/check-tfjs-node.cjs"), packageFolder])
  if (addOn.status !== 0) return { isWorking: false, sentence: `tfjs-node's add-on: ${lastLine(addOn.output)}` }
  return { isWorking: true, sentence: `${lastLine(engine.output)} ${lastLine(addOn.output)}` }
}

function run(command, parameters, { cwd = home, variables = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(command, parameters, {
    cwd: existsSync(cwd) ? cwd : root,
    encoding: "utf8",
    shell: isWindows,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...variables },
  })
  return { status, output: status === 0 ? (stdout ?? "") : `${stdout ?? ""}${stderr ?? ""}` }
}

function runOrEnd(command, parameters, sentence) {
  const { status, output } = run(command, parameters)
  if (status !== 0) end(`${sentence} (${lastLine(output)}): check the network and run the same command again.`, 1)
}

function lastLine(output) {
  return output.trim().split("\n").filter(Boolean).at(-1)?.trim() ?? "no reason given"
}

function say(sentence) {
  console.error(sentence)
}

function end(sentence, code) {
  console.error(sentence)
  process.exit(code)
}
