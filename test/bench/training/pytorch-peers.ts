// Which PyTorch peers there are on this machine. On AMD, MKL does not take its AVX-512 path by itself, so PyTorch is measured twice: as
// `pip install torch` gives it, and with MKL told that the processor is Intel's, as a stand-in for a machine where it is.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type ContenderCommand, pythonContender } from "../harness/contender"
import { root } from "../harness/results"

const library = join(root, ".cache/bench-python/mkl-as-on-intel.so")
const source = "int mkl_serv_intel_cpu_true(void) { return 1; }\nint mkl_serv_intel_cpu(void) { return 1; }\n"

/** The peers, and a sentence on what their MKL does here. */
export function findPyTorchPeers(python: string, file: string): { readonly peers: readonly ContenderCommand[]; readonly note: string } {
  const stock = pythonContender("PyTorch stock", python, file)
  const processor = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : ""
  if (!processor.includes("avx512f")) return { peers: [stock], note: "this processor has no AVX-512, so PyTorch AVX-512 is no peer here" }
  if (!processor.includes("AuthenticAMD")) {
    return { peers: [stock], note: "MKL takes its AVX-512 path by itself on this processor: PyTorch stock is PyTorch AVX-512 here" }
  }
  if (!buildLibrary()) return { peers: [stock], note: "PyTorch AVX-512 is left out: it needs a C compiler, cc" }
  const forced = pythonContender("PyTorch AVX-512", python, file, { environment: { LD_PRELOAD: library } })
  return { peers: [stock, forced], note: "on AMD, PyTorch stock leaves MKL's AVX-512 path unused; PyTorch AVX-512 is made to take it" }
}

function buildLibrary(): boolean {
  mkdirSync(join(library, ".."), { recursive: true })
  const file = library.replace(/\.so$/, ".c")
  writeFileSync(file, source)
  return spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, file]).status === 0
}
