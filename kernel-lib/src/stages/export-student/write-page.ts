// The page of an ONNX bundle: demo.html and what it loads, all of it from the bundle's own folder, so that any static host serves it and nothing
// that is typed leaves the reader's machine.
import { copyFile, mkdir, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { InputError } from "../../core/errors"
import { type BrowserDemoPage, renderBrowserDemoPage } from "../../display/browser-demo-page"
import { browserFolder } from "../../students/export"

/** What the page needs of onnxruntime-web: kernels for the CPU, without threads that static hosts do not allow. */
const runtimeFiles = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]
const scripts = ["answer.js", "demo.js", "demo.css"]

/** @throws InputError `export.no-onnxruntime-web` */
export async function writePage(folder: string, page: BrowserDemoPage): Promise<void> {
  const own = join(folder, "demo")
  await mkdir(own)
  const packages = createRequire(import.meta.url)
  const runtime = findRuntime(packages)
  for (const name of runtimeFiles) await copyFile(join(runtime, name), join(own, name))
  for (const name of scripts) await copyFile(join(browserFolder(), name), join(own, name))
  // By its main file, which stands beside the one that browsers read.
  await copyFile(join(dirname(packages.resolve("@huggingface/tokenizers")), "tokenizers.min.mjs"), join(own, "tokenizers.mjs"))
  await writeFile(join(folder, "demo.html"), renderBrowserDemoPage(page))
}

function findRuntime(packages: NodeJS.Require): string {
  try {
    return dirname(packages.resolve("onnxruntime-web"))
  } catch (cause) {
    throw new InputError(
      "export.no-onnxruntime-web",
      "The page runs on onnxruntime-web, which is not here: run `npm install onnxruntime-web`, or export without the page.",
      { cause },
    )
  }
}
