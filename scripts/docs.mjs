// npm run docs: the API reference, from the doc comments of what the library exports, into docs/api.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { checkNode, installPackages, root } from "./install.mjs"

checkNode()
installPackages("all")
const folder = join(root, "docs/api")
const words = [
  ...["--entryPoints", join(root, "kernel-lib/src/index.ts"), "--tsconfig", join(root, "kernel-lib/tsconfig.json"), "--out", folder],
  ...["--name", "Prompt2Model for TypeScript notebooks", "--readme", join(root, "kernel-lib/README.md")],
  ...["--excludePrivate", "--excludeInternal", "--excludeExternals", "--disableSources", "--hideGenerator", "--skipErrorChecking"],
  ...["--validation.notExported", "false", "--logLevel", "Warn"],
]
const { status } = spawnSync(process.execPath, [join(root, "node_modules/typedoc/bin/typedoc"), ...words], { cwd: root, stdio: "inherit" })
if (status !== 0 || !existsSync(join(folder, "index.html"))) process.exit(status || 1)
console.log(`The reference is in ${join(folder, "index.html")}.`)
