// npx unrun test/bench/accelerators/pack.ts [FOLDER]: this benchmark in one folder for a machine that has a GPU and Python with PyTorch, but
// neither Node nor npm nor a network: `python3 FOLDER/run.py [--quick]` measures there. README.md beside this file says more.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import { constants, gzipSync } from "node:zlib"
import { build } from "tsdown"

const root = resolve(import.meta.dirname, "../../..")
const folder = resolve(process.argv[2] ?? join(root, ".cache/accelerators-pack"))
/** What a machine that is lent takes at most. */
const mostBytes = 64 * 2 ** 20
/** Files of Python that the packed programs start, below test/bench. */
const pythonFiles = ["accelerators/peer.py", "training/peer.py", "decoding/peer.py", "harness/contender.py"]
/** Native libraries, or packages that load what a bundle cannot hold: those that are needed are copied. */
const leftOut = ["koffi", "onnxruntime-node", "onnxruntime-web", "danfojs-node"]

rmSync(folder, { recursive: true, force: true })
for (const name of ["accelerators", "training", "decoding", "harness"]) mkdirSync(join(folder, "test/bench", name), { recursive: true })
await bundle()
for (const file of pythonFiles) copyFileSync(join(root, "test/bench", file), join(folder, "test/bench", file))
copyFileSync(join(import.meta.dirname, "run.py"), join(folder, "run.py"))
copyKoffi()
// Compressed, since it is most of it; run.py unpacks it.
writeFileSync(join(folder, "node.gz"), gzipSync(readFileSync(process.execPath), { level: constants.Z_BEST_COMPRESSION }))
writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true, type: "module" })}\n`)
const bytes = measure(folder)
if (bytes > mostBytes) throw new Error(`The folder has ${toMiB(bytes)} MiB, and ${toMiB(mostBytes)} is the most: leave something out.`)
console.log(`${folder}: ${toMiB(bytes)} MiB. There: python3 ${basename(folder)}/run.py [--quick]`)

/** The benchmark and its own contender, each as one file with all that it needs. */
async function bundle(): Promise<void> {
  await build({
    config: false,
    cwd: root,
    entry: { bench: "test/bench/accelerators/bench.ts", ours: "test/bench/accelerators/ours.ts" },
    outDir: join(folder, "test/bench/accelerators"),
    format: "esm",
    platform: "node",
    target: "node20.19",
    dts: false,
    shims: true,
    clean: false,
    deps: { alwaysBundle: [/.*/], neverBundle: leftOut },
    logLevel: "warn",
  })
}

/** The package, and the one with its binary for this system. */
function copyKoffi(): void {
  const home = dirname(createRequire(join(root, "kernel-lib/package.json")).resolve("koffi"))
  const target = join(folder, "node_modules")
  const system = `${process.platform}-${process.arch}`
  cpSync(home, join(target, "koffi"), { recursive: true })
  const scope = join(dirname(home), "@koromix")
  for (const name of existsSync(scope) ? readdirSync(scope) : [])
    if (name.endsWith(system)) cpSync(join(scope, name), join(target, "@koromix", name), { recursive: true })
  // Fails here rather than there.
  createRequire(join(folder, "package.json"))("koffi")
}

function measure(path: string): number {
  const found = statSync(path)
  return found.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + measure(join(path, name)), 0) : found.size
}

function toMiB(count: number): string {
  return (count / 2 ** 20).toFixed(1)
}
