// Assembles the library's *.wat into *.wasm.ts, which it carries: run it after a change of a text.
import { readFileSync, writeFileSync } from "node:fs"
import makeWabt from "wabt"

const source = new URL("../src/", import.meta.url)
const folders = { adamw: "engine/optimizers", adafactor: "engine/optimizers", "multiply-bytes": "search/disk" }

const locate = (name, ending) => new URL(`${folders[name]}/${name}.${ending}`, source)

/** The bytes of a text by its name. */
export async function assemble(name) {
  const wabt = await makeWabt()
  const module = wabt.parseWat(`${name}.wat`, readFileSync(locate(name, "wat"), "utf8"), { simd: true, threads: true })
  try {
    return Buffer.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const name of Object.keys(folders)) {
    const base64 = (await assemble(name)).toString("base64")
    const lines = base64.match(/.{1,120}/g).map((line) => `  "${line}"`)
    const variable = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())
    const text = `// Made from ${name}.wat by scripts/build-wasm.mjs.\nexport const ${variable}Module =\n${lines.join(" +\n")}\n`
    writeFileSync(locate(name, "wasm.ts"), text)
  }
}
