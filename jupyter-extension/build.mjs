// Makes the prebuilt extension, labextension/, from dist/: JupyterLab's own builder, called from npm alone.
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const { resolve } = createRequire(import.meta.url)
const builder = resolve("@jupyter/builder/lib/build-labextension.js")
const corePackage = createRequire(builder).resolve("@jupyterlab/core-meta/core.package.json")

rmSync(`${here}/labextension`, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [builder, "--core-package-file", corePackage, here], { cwd: here, stdio: "inherit" })
process.exit(status ?? 1)
