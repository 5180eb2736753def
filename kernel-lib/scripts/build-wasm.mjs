// Assembles src/engine/optimizers/adamw.wat into adamw.wasm.ts, which the library carries: run it after a change of the text.
import { readFileSync, writeFileSync } from "node:fs"
import makeWabt from "wabt"

const folder = new URL("../src/engine/optimizers/", import.meta.url)

/** The module's bytes. */
export async function assembleAdamW() {
  const wabt = await makeWabt()
  const module = wabt.parseWat("adamw.wat", readFileSync(new URL("adamw.wat", folder), "utf8"), { simd: true })
  try {
    return Buffer.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const base64 = (await assembleAdamW()).toString("base64")
  const lines = base64.match(/.{1,120}/g).map((line) => `  "${line}"`)
  const text = `// Made from adamw.wat by scripts/build-wasm.mjs.\nexport const adamwModule =\n${lines.join(" +\n")}\n`
  writeFileSync(new URL("adamw.wasm.ts", folder), text)
}
