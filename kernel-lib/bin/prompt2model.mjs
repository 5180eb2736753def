#!/usr/bin/env node
// The command line. In a checkout that was not built yet there is no dist folder, and one sentence says so.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const program = new URL("../dist/cli.mjs", import.meta.url)
if (existsSync(fileURLToPath(program))) {
  await import(program.href)
} else {
  console.error("prompt2model is not built: run npm start or npm run build in the checkout first.")
  process.exitCode = 1
}
