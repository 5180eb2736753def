import { defineConfig } from "tsdown"

// One module for JupyterLab's builder; the types of payloads come out of the library's sources and go into it.
export default defineConfig({
  entry: "src/index.ts",
  format: "esm",
  platform: "browser",
  target: "es2022",
  outDir: "dist",
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  dts: true,
  clean: true,
})
