// npm start: installs and builds what the main job needs, then runs it on the default task. A second run installs nothing.
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { buildLibrary, checkNode, installPackages, root } from "./install.mjs"

checkNode()
installPackages("library")
buildLibrary({ withTypes: false })
// Ctrl-C reaches the whole group of processes; this one waits until the job has saved its work.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {})
const job = ["run", "notebooks/prompts/dates.txt", "--out", "runs/dates"]
const { status, signal } = spawnSync(process.execPath, [join(root, "kernel-lib/bin/prompt2model.mjs"), ...job, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
})
process.exit(status ?? (signal ? 130 : 1))
