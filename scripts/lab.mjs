// npm run lab: JupyterLab with the TypeScript kernel, the library and the extension, over the notebooks. Makes what it needs once, in
// .cache/jupyter; a second run starts at once. Words behind `--` go to JupyterLab: npm run lab -- --no-browser --port 8890
import { spawn } from "node:child_process"
import { join } from "node:path"
import { buildLibrary, checkNode, installPackages, root } from "./install.mjs"
import { findPython, openJupyterEnvironment } from "./jupyter.mjs"

checkNode()
const found = findPython()
if (found.reason) fail(found.reason)
installPackages("lab")
// The kernel reads the library's types.
buildLibrary({ withTypes: true })

let environment
try {
  environment = openJupyterEnvironment(found.command, { withExtension: true, say: (sentence) => console.error(sentence) })
} catch (error) {
  fail(`${error.message}\nJupyterLab could not be installed: check the network and run the same command again.`)
}

const words = [
  ...["-m", "jupyterlab", `--ServerApp.root_dir=${root}`, `--ServerApp.preferred_dir=${join(root, "notebooks")}`],
  "--LabApp.default_url=/lab/tree/notebooks/00-quickstart.ipynb",
  ...(process.getuid?.() === 0 ? ["--allow-root"] : []),
  ...process.argv.slice(2),
]
const child = spawn(environment.python, words, { cwd: root, env: { ...process.env, ...environment.variables }, stdio: "inherit" })
// Ctrl-C reaches the whole group of processes, and JupyterLab asks whether it is meant; a signal to this process alone is handed on.
process.on("SIGINT", () => {})
process.on("SIGTERM", () => child.kill("SIGTERM"))
child.on("error", (error) => fail(`JupyterLab could not be started: ${error.message}`))
child.on("exit", (status, signal) => process.exit(status ?? (signal ? 130 : 1)))

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}
