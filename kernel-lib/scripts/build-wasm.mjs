// Assembles src/engine/optimizers/*.wat into *.wasm.ts, which the library carries: run it after a change of a text.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import makeWabt from "wabt"

const folder = new URL("../src/engine/optimizers/", import.meta.url)

/** The bytes of `adamw` or `adafactor`. */
export async function assembleOptimizer(name) {
  const wabt = await makeWabt()
  const module = wabt.parseWat(`${name}.wat`, readFileSync(new URL(`${name}.wat`, folder), "utf8"), { simd: true })
  try {
    return Buffer.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const file of readdirSync(folder).filter((file) => file.endsWith(".wat"))) {
    const name = file.slice(0, -".wat".length)
    const base64 = (await assembleOptimizer(name)).toString("base64")
    const lines = base64.match(/.{1,120}/g).map((line) => `  "${line}"`)
    const text = `// Made from ${file} by scripts/build-wasm.mjs.\nexport const ${name}Module =\n${lines.join(" +\n")}\n`
    writeFileSync(new URL(`${name}.wasm.ts`, folder), text)
  }
}
