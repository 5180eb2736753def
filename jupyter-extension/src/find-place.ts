// Where Jupyter has what a payload names: payloads name files and folders as the kernel sees them, from the notebook's folder or from the disk's root.
import { PageConfig } from "@jupyterlab/coreutils"
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"

/** The path as the file browser has it; undefined where it lies outside of what the server shows. */
export type FindPlace = (path: string, resolver: IRenderMime.IResolver | null) => Promise<string | undefined>

export const findPlace: FindPlace = async (path, resolver) => {
  if (/^[a-z]+:/i.test(path)) return undefined
  try {
    if (!path.startsWith("/")) return await resolver?.resolveUrl(path.split("/").map(encodeURIComponent).join("/"))
  } catch {
    return undefined
  }
  const root = PageConfig.getOption("serverRoot").replace(/\/$/, "")
  return root.startsWith("/") && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined
}

/** The same for a file that the dataset viewer can open. */
export const findTable: FindPlace = async (path, resolver) => (/\.(parquet|jsonl|csv)$/i.test(path) ? findPlace(path, resolver) : undefined)
