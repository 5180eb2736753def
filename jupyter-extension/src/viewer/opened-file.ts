// A file in its worker: what is known of it, which of its rows are asked for, and where a row that somebody wants to see stands. Nothing is
// drawn here.
import {
  type ColumnSummary,
  everything,
  type FileNews,
  type FileState,
  type FromWorker,
  isEverything,
  type OpenRequest,
  type Query,
  type RequestName,
  type Requests,
  type ViewState,
} from "../protocol"
import { trans } from "../settings/language"
import { translate, WorkerClient } from "./worker-client"

export interface FileListener {
  /** The file is being opened, for the first time or again: nothing is known of it. */
  onOpening(): void
  /** What is known is more than before. */
  onFile(file: FileState): void
  /** It is open, and can be asked for rows. */
  onOpened(file: FileState): void
  /** Other rows are asked for. */
  onQuery(query: Query): void
  /** @param hasMoved whether rows that were there stand elsewhere now */
  onView(view: ViewState, hasMoved: boolean): void
  onSummary(summary: ColumnSummary): void
  onComparing(seen: number, all: number): void
  /** The row that was wanted stands at this place of the view. */
  onPlace(place: number): void
  onTrouble(sentence: string): void
}

const unseen: ViewState = { matches: 0, seen: 0, isDone: false, version: -1 }

export class OpenedFile {
  client: WorkerClient | undefined
  state: FileState | undefined
  view = unseen
  query: Query = everything
  isDisposed = false
  private wanted: { readonly row: number; readonly mayShowAll: boolean } | undefined

  constructor(private readonly listener: FileListener) {}

  dispose(): void {
    this.isDisposed = true
    this.client?.dispose()
  }

  /** Opens the file, or opens it again. @param row is shown where the query lets it pass */
  async open(locate: () => Promise<OpenRequest>, row: number | null): Promise<void> {
    this.client?.dispose()
    this.view = unseen
    this.listener.onOpening()
    const client = new WorkerClient((message) => client === this.client && this.receive(message))
    this.client = client
    try {
      const file = await client.ask("open", await locate())
      if (this.isDisposed) return
      this.takeFile(file)
      this.listener.onOpened(file)
      // What was filtered away before the page was loaded again stays away.
      if (row !== null) this.wanted = { row, mayShowAll: isEverything(this.query) }
      if (isEverything(this.query)) this.takeView({ matches: file.numRows, seen: file.numRows, isDone: file.isIndexed, version: 0 })
      else this.setQuery(this.query)
    } catch (error) {
      if (!this.isDisposed) this.listener.onTrouble((error as Error).message)
    }
  }

  /** @throws Error in one sentence */
  ask<Name extends RequestName>(name: Name, request: Parameters<Requests[Name]>[0]): Promise<ReturnType<Requests[Name]>> {
    return this.client?.ask(name, request) ?? Promise.reject(new Error(trans.__("The file is not open yet.")))
  }

  setQuery(query: Query): void {
    this.query = query
    this.view = { ...this.view, isDone: false }
    this.listener.onQuery(query)
    void this.client?.ask("query", query).catch((error: Error) => this.listener.onTrouble(error.message))
  }

  /** The column that rows are compared by. */
  textColumn(): string | undefined {
    const columns = this.state?.columns ?? []
    return (columns.find(({ name }) => name === "input") ?? columns.find(({ kind }) => kind === "text"))?.name
  }

  /** Finds the place of this row of the file, among all rows where it does not match. */
  async findRow(row: number): Promise<void> {
    this.wanted = { row, mayShowAll: true }
    await this.findWanted()
  }

  /** The row that somebody wants to see, as soon as it is known where it stands. */
  private async findWanted(): Promise<void> {
    const { wanted, client, view } = this
    if (!wanted || !client || !this.state || (!view.isDone && !isEverything(this.query))) return
    const place = await client.ask("place", { row: wanted.row })
    if (this.isDisposed || wanted !== this.wanted || view.version !== this.view.version) return
    if (place >= 0 && place < this.view.matches) {
      this.wanted = undefined
      this.listener.onPlace(place)
    } else if (!isEverything(this.query) && wanted.mayShowAll) this.setQuery(everything)
    else if (view.isDone) this.wanted = undefined
  }

  private receive(message: Extract<FromWorker, { event: string }>): void {
    if (message.event === "file") this.takeFile(message.state)
    else if (message.event === "view") this.takeView(message.state)
    else if (message.event === "summary") this.listener.onSummary(message.summary)
    else if (message.event === "comparing") this.listener.onComparing(message.seen, message.all)
    else this.listener.onTrouble(translate(message))
  }

  private takeFile(news: FileNews): void {
    this.state = { ...news, columns: news.columns ?? this.state?.columns ?? [] }
    this.listener.onFile(this.state)
  }

  private takeView(view: ViewState): void {
    // What was there stays until something has been found.
    if (view.seen === 0 && !view.isDone && !isEverything(this.query)) return
    const hasMoved = view.version !== this.view.version
    this.view = view
    this.listener.onView(view, hasMoved)
    void this.findWanted().catch((error: Error) => this.listener.onTrouble(error.message))
  }
}
