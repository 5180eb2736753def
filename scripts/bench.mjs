// npm run bench -- NAME [--quick]: measures us and our peers side by side, prints a table, writes bench-results/NAME.json.
// NAME is a folder of test/bench with a bench.ts; further words are handed to it.
import { spawn } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { checkNode, installPackages, root } from "./install.mjs"

checkNode()
const folder = join(root, "test/bench")
const names = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, "bench.ts")))
  .sort()
const [name, ...words] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`${name === undefined ? "A benchmark needs a name" : `There is no benchmark ${name}`}: choose ${names.join(", ")}.`)
  process.exit(2)
}
installPackages("all")

const unrun = join(root, "node_modules/unrun/dist/cli.mjs")
const child = spawn(process.execPath, [unrun, join(folder, name, "bench.ts"), ...words], {
  cwd: root,
  env: { ...process.env, PROMPT2MODEL_ROOT: root },
  stdio: "inherit",
})
// The terminal sends an interrupt to the child too; its end is ours.
process.on("SIGINT", () => {})
child.on("close", (code) => {
  process.exitCode = code ?? 130
})
