import { defineConfig } from "tsdown"

export default defineConfig({
  entry: { index: "src/index.ts", cli: "src/cli/main.ts", "cell-process": "src/experiments/runners/cell-process.ts" },
  format: ["esm", "cjs"],
  platform: "node",
  target: "node20.19",
  dts: { entry: "src/index.ts" },
  shims: true,
  clean: true,
})
