// What was read of a hub's listing so far: a file for each page, written whole, so that a listing that was interrupted goes on behind its last.
import { readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import type { ListedPage } from "../../core/hub"
import { writeFileAtomically } from "../../store/atomic"

const purposeName = "listing.json"
const pagePattern = /^page-\d{6}\.json$/

export class ListingFolder<Card> {
  private constructor(
    private readonly folder: string,
    private count: number,
    private lastPage: ListedPage<Card> | undefined,
  ) {}

  /** The last page that is there. */
  get last(): ListedPage<Card> | undefined {
    return this.lastPage
  }

  /** Opens what was begun in `folder` for the same `purpose`; of what was begun for another nothing stays. */
  static async open<Card>(folder: string, purpose: unknown): Promise<ListingFolder<Card>> {
    const text = JSON.stringify(purpose)
    const begun = await readFile(join(folder, purposeName), "utf8").catch(() => undefined)
    if (begun !== text) {
      await rm(folder, { recursive: true, force: true })
      await writeFileAtomically(join(folder, purposeName), text)
    }
    const pages = (await readdir(folder)).filter((name) => pagePattern.test(name)).sort()
    const last = pages.length > 0 ? await readPage<Card>(join(folder, pages[pages.length - 1])) : undefined
    return new ListingFolder(folder, pages.length, last)
  }

  async add(page: ListedPage<Card>): Promise<void> {
    await writeFileAtomically(this.pathOf(this.count++), JSON.stringify(page))
    this.lastPage = page
  }

  /** Pages in order, one in memory at a time. */
  async *pages(): AsyncGenerator<ListedPage<Card>> {
    for (let number = 0; number < this.count; number++) yield await readPage(this.pathOf(number))
  }

  /** Forgets the pages that are there. */
  async clear(): Promise<void> {
    for (let number = 0; number < this.count; number++) await rm(this.pathOf(number))
    this.count = 0
    this.lastPage = undefined
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  private pathOf(number: number): string {
    return join(this.folder, `page-${String(number).padStart(6, "0")}.json`)
  }
}

async function readPage<Card>(path: string): Promise<ListedPage<Card>> {
  return JSON.parse(await readFile(path, "utf8")) as ListedPage<Card>
}
