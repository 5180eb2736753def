// Run folders as Jupyter's own services show them: folders by listing, files by ranges of bytes.
import type { ServiceManager } from "@jupyterlab/services"
import { trans } from "../settings/language"
import { type FileAddress, sentenceOf } from "./follow-file"

export interface FolderEntry {
  readonly name: string
  readonly path: string
  readonly isFolder: boolean
  /** Milliseconds since 1970. */
  readonly changedAt: number
  /** Bytes, of a file. */
  readonly size: number
}

export class RunFiles {
  constructor(private readonly services: ServiceManager.IManager) {}

  async address(path: string): Promise<FileAddress> {
    const { baseUrl, token } = this.services.serverSettings
    const url = new URL(await this.services.contents.getDownloadUrl(path), location.href).href
    // Another server than ours never gets our token.
    const isOurs = url.startsWith(new URL(baseUrl, location.href).href)
    return { url, headers: isOurs && token !== "" ? { Authorization: `token ${token}` } : {} }
  }

  async list(folder: string): Promise<FolderEntry[]> {
    const { content } = await this.services.contents.get(folder, { content: true, type: "directory" })
    const entries = Array.isArray(content) ? (content as readonly Record<string, unknown>[]) : []
    return entries.map(({ name, path, type, last_modified, size }) => ({
      ...{ name: String(name), path: String(path), isFolder: type === "directory" },
      ...{ changedAt: Date.parse(String(last_modified)) || 0, size: typeof size === "number" ? size : 0 },
    }))
  }

  /** A whole file as JSON. @throws Error in one sentence */
  async readJson(path: string, mostBytes = 64e6): Promise<unknown> {
    const { url, headers } = await this.address(path)
    const response = await fetch(url, { headers, cache: "no-store" })
    if (!response.ok) throw new Error(sentenceOf(response.status))
    if (Number(response.headers.get("content-length") ?? 0) > mostBytes) {
      await response.body?.cancel()
      throw new Error(trans.__("It is too large to be read here: read it in a cell."))
    }
    try {
      return await response.json()
    } catch {
      throw new Error(trans.__("It is no whole JSON: its run may be writing it."))
    }
  }
}
