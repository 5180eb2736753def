// What the viewer of a file is given, and what it gives back to be there after a reload.
import type { OpenRequest, Query } from "../protocol"

/** What is the same again after a reload. */
export interface ViewerState {
  readonly query: Query
  readonly row: number | null
}

export interface DatasetViewerOptions {
  /** The path as the file browser shows it. */
  readonly path: string
  /** Where the file is, and what lets it be read; asked again when the file is opened again. */
  locate(): Promise<OpenRequest>
  /** What is to be shown at first; undefined for all rows. */
  findState(): Promise<ViewerState | undefined>
  /** An address that opens the file at this row. */
  linkTo(row: number): string
  onStateChanged(state: ViewerState): void
  /** Opens the rows that did not get in; undefined where there are none. */
  findRejected(): Promise<(() => void) | undefined>
  /** The test and validation sets beside this file, which its rows should not repeat. */
  findOtherSplits(): Promise<readonly { readonly name: string; readonly request: OpenRequest }[]>
  /** Whether the row that is nearest to the chosen one is looked for. */
  findsNearestRow(): boolean
}
