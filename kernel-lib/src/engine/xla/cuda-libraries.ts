// NVIDIA's libraries as its Python packages lay them out. The CUDA plug-in opens them by name while it starts; those that were opened before
// are taken, wherever they lie. Names and order are those of JAX's jax_plugins/xla_cuda13.
import { existsSync } from "node:fs"
import { join } from "node:path"

/** [package folder below `nvidia`, library], by CUDA's major version. */
const libraries: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  12: [
    ["cuda_runtime", "libcudart.so.12"],
    ["cuda_nvrtc", "libnvrtc.so.12"],
    ["cublas", "libcublas.so.12"],
    ["cublas", "libcublasLt.so.12"],
    ["nccl", "libnccl.so.2"],
    ["cuda_cupti", "libcupti.so.12"],
    ["nvjitlink", "libnvJitLink.so.12"],
    ["cusparse", "libcusparse.so.12"],
    ["cusolver", "libcusolver.so.11"],
    ["cufft", "libcufft.so.11"],
    ["nvshmem", "libnvshmem_host.so.3"],
    ["cudnn", "libcudnn.so.9"],
  ],
  13: [
    ["cu13", "libcudart.so.13"],
    ["cu13", "libnvrtc.so.13"],
    ["cu13", "libcublas.so.13"],
    ["cu13", "libcublasLt.so.13"],
    ["nccl", "libnccl.so.2"],
    ["cu13", "libcupti.so.13"],
    ["cu13", "libnvJitLink.so.13"],
    ["cu13", "libcusparse.so.12"],
    ["cu13", "libcusolver.so.12"],
    ["cu13", "libcufft.so.12"],
    ["nvshmem", "libnvshmem_host.so.3"],
    ["cudnn", "libcudnn.so.9"],
  ],
}

/** Each library where the first of these folders of packages has it; what none has is left to the system. */
export function findCuda(version: string | undefined, packageFolders: readonly string[]) {
  const wanted = libraries[version ?? ""] ?? Object.values(libraries).flat()
  const homes = packageFolders.map((folder) => join(folder, "nvidia"))
  const find = (...words: string[]) => homes.map((home) => join(home, ...words)).find((file) => existsSync(file))
  const compilers = version === "12" ? ["cuda_nvcc"] : [`cu${version ?? 13}`, "cuda_nvcc"]
  const cudaFolder = compilers.map((name) => homes.map((home) => join(home, name)).find((folder) => existsSync(join(folder, "bin/ptxas"))))
  return {
    libraries: wanted.flatMap(([folder, name]) => find(folder, "lib", name) ?? []),
    cudaFolder: cudaFolder.find((folder) => folder !== undefined),
  }
}
