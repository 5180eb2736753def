// Which CUDA a TensorFlow was built for: it loads NVIDIA's libraries of that version and no other, and computes on the CPU without them.
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { dirname, join } from "node:path"
import type { TensorFlowLibraries } from "./tensorflow-library"

export interface CudaBuild {
  /** `12.5`. */
  readonly cuda: string
  readonly cudnn: string
}

/** What a Python package says of its build, in the folder of its libraries. */
const buildInfo = join("python", "platform", "build_info.py")
/** The library that tfjs-node-gpu 4.22 downloads, by its README. */
const official = { version: "2.9.1", cuda: "11.2", cudnn: "8.1" } as const

/** Nothing for a TensorFlow that computes on the CPU alone, or does not tell. */
export function readCudaBuild({ core }: TensorFlowLibraries, version: string): CudaBuild | undefined {
  const file = join(dirname(realpathSync(core)), buildInfo)
  if (existsSync(file)) {
    const text = readFileSync(file, "utf8")
    const read = (name: string) => new RegExp(`\\('${name}', '([\\d.]+)'\\)`).exec(text)?.[1]
    const [cuda, cudnn] = [read("cuda_version"), read("cudnn_version")]
    return cuda === undefined ? undefined : { cuda, cudnn: cudnn ?? "" }
  }
  return core.includes("tfjs-node-gpu") && version === official.version ? official : undefined
}

/** A sentence for those who have a GPU. `findsGpu` is asked where the build could use one. */
export function describeCuda(build: CudaBuild | undefined, findsGpu: () => boolean): string {
  if (!build) return "It computes on the CPU: this TensorFlow is built without CUDA."
  const { cuda, cudnn } = build
  const name = `CUDA ${cuda}${cudnn ? ` and cuDNN ${cudnn}` : ""}`
  return findsGpu() ? `It computes on the GPU, with ${name}.` : `It computes on the CPU: built for ${name}, it finds no GPU with them.`
}
