// Makes the prebuilt extension, labextension/: checks the types, bundles src/ into dist/, and calls JupyterLab's own builder, from npm alone.
import { spawnSync } from "node:child_process"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
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
nameBundledPackages()

/** What is bundled before it is unknown to JupyterLab's builder, and its licences go with it all the same. */
function nameBundledPackages() {
  const file = join(here, "labextension/static/third-party-licenses.json")
  const { packages } = JSON.parse(readFileSync(file, "utf8"))
  for (const name of ["hyparquet", "hyparquet-compressors", "gpt-tokenizer", "plotly.js"]) {
    const folder = join(dirname(resolve(name)), "..")
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
    const text = readFileSync(join(folder, "LICENSE"), "utf8")
    packages.push({ name, versionInfo: version, licenseId: license, extractedText: text })
  }
  writeFileSync(file, `${JSON.stringify({ packages }, null, 2)}\n`)
}

function run(program, ...words) {
  const { status } = spawnSync(process.execPath, [program, ...words], { cwd: here, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
