// Which accelerators this machine shows, by the system's files alone. A plug-in is opened only where its device is in sight: NVIDIA's is 400
// MB, and Google's waits for a server that only its own machines have.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export type Platform = "cuda" | "tpu" | "rocm" | "cpu" | "other"

/** Whether a device of that platform is in sight; `other` is not known, and may be there. `root` is the system's, for tests another. */
export function seesDevice(platform: Platform, root = "/"): boolean {
  if (platform === "cuda") return ["dev/nvidia0", "dev/nvidiactl", "dev/dxg"].some((file) => existsSync(join(root, file)))
  if (platform === "rocm") return existsSync(join(root, "dev/kfd"))
  if (platform === "tpu") return seesTpu(root)
  return true
}

/** The major version of NVIDIA's driver, where the system tells it. */
export function readDriverVersion(root = "/"): number | undefined {
  const version = /Kernel Module[^\n]*?\s(\d+)\.\d+/.exec(readText(join(root, "proc/driver/nvidia/version")))?.[1]
  return version === undefined ? undefined : Number(version)
}

const googleId = "0x1ae0"
/** Of TPU v2 to v7x, as JAX's hardware_utils.py lists them: Google's machines have other devices of that maker too. */
const tpuIds = ["0x0027", "0x0056", "0x005e", "0x0062", "0x0063", "0x006f", "0x0076"]

function seesTpu(root: string): boolean {
  const folder = join(root, "sys/bus/pci/devices")
  if (!existsSync(folder)) return false
  return readdirSync(folder).some((device) => {
    const read = (name: string) => readText(join(folder, device, name)).trim()
    return read("vendor") === googleId && tpuIds.includes(read("device"))
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}
