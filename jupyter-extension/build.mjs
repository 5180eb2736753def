// Makes the prebuilt extension, labextension/: checks the types, bundles src/ into dist/, and calls JupyterLab's own builder, from npm alone.
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const { resolve } = createRequire(import.meta.url)
const builder = resolve("@jupyter/builder/lib/build-labextension.js")
const corePackage = createRequire(builder).resolve("@jupyterlab/core-meta/core.package.json")

// By their files and not by their commands: a workspace may have several versions of one command.
run(resolve("typescript/bin/tsc"), "--noEmit", "-p", here)
run(join(dirname(resolve("tsdown/package.json")), "dist/run.mjs"))
rmSync(join(here, "labextension"), { recursive: true, force: true })
run(builder, "--core-package-file", corePackage, here)

function run(program, ...words) {
  const { status } = spawnSync(process.execPath, [program, ...words], { cwd: here, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
