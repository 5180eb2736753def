import { fileURLToPath } from "node:url"
import { defineConfig } from "tsdown"

const checkedPages = fileURLToPath(new URL("src/worker/checked-pages.ts", import.meta.url))
let redirected = 0

// Modules for JupyterLab's builder: the plug-ins, the viewer that is loaded when it is needed, and the worker, which is a program by itself.
// The types of payloads come out of the library's sources and go into them.
export default defineConfig({
  entry: { index: "src/index.ts", worker: "src/worker/worker.ts" },
  format: "esm",
  platform: "browser",
  target: "es2022",
  outDir: "dist",
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  dts: { entry: "src/index.ts" },
  clean: true,
  plugins: [
    {
      // Plotly names a stylesheet of its maps, which are not in our part of it.
      name: "no-stylesheets",
      resolveId: (id) => (id.endsWith(".css") ? "\0no-stylesheet" : null),
      load: (id) => (id === "\0no-stylesheet" ? { code: "", moduleType: "js" } : null),
    },
    {
      name: "checked-pages",
      resolveId(id, importer = "") {
        const [, from] = /hyparquet[\\/]src[\\/](\w+)\.js$/.exec(importer) ?? []
        const isChecked = (from === "column" && id === "./thrift.js") || (from === "datapage" && id === "./encoding.js")
        if (isChecked) redirected++
        return isChecked ? checkedPages : null
      },
      buildEnd() {
        if (redirected < 2) throw new Error("hyparquet is laid out anew: src/worker/checked-pages.ts does not guard its pages any more.")
      },
    },
  ],
  // Its sources are written for Node's name of the global object.
  define: { global: "globalThis" },
})
