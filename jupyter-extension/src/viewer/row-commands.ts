// What can be done with the rows that are shown: copied as code, saved as a file, put in groups of those that are alike.
import { Clipboard } from "@jupyterlab/apputils"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { alikeColumn, everything, type OpenRequest } from "../protocol"
import { trans } from "../settings/language"
import { describeAlike } from "./describe-alike"
import { saveBlob } from "./elements"
import type { OpenedFile } from "./opened-file"
import { selectionAsCode } from "./selection-as-code"

export interface RowCommandsOptions {
  /** The path as the file browser shows it, and its last part. */
  readonly path: string
  readonly fileName: string
  /** The test and validation sets beside this file, which its rows should not repeat. */
  findOtherSplits(): Promise<readonly { readonly name: string; readonly request: OpenRequest }[]>
  /** Columns get their widths anew: there will be others. */
  forgetWidths(): void
  say(sentence: string, isKept?: boolean): void
  showTrouble(sentence: string): void
}

export class RowCommands {
  constructor(
    private readonly file: OpenedFile,
    private readonly options: RowCommandsOptions,
  ) {}

  copyCode(): void {
    const columns = this.file.state?.columns ?? []
    const isDate = (name: string) => columns.find((column) => column.name === name)?.kind === "date"
    Clipboard.copyToSystem(selectionAsCode(this.options.path, this.file.query, columns, isDate))
    this.options.say(trans.__("Copied: paste it into a cell."))
  }

  async exportAs(format: "csv" | "jsonl"): Promise<void> {
    if (!this.file.client) return
    this.options.say(trans.__("Writing the rows ..."))
    try {
      const blob = await this.file.ask("export", { format })
      saveBlob(blob, `${this.options.fileName.replace(/\.[^.]+$/, "")}.selection.${format}`)
      const { matches } = this.file.view
      this.options.say(trans._n("%2 row saved.", "%2 rows saved.", matches, formatCount(matches)))
    } catch (error) {
      this.options.showTrouble((error as Error).message)
    }
  }

  /** Finds the rows that are alike, and shows them, a group after the other. */
  async groupAlike(): Promise<void> {
    const column = this.file.textColumn()
    if (!this.file.client || !column) return
    this.options.say(trans.__("Comparing ..."))
    try {
      const found = await this.file.ask("alike", { column, others: await this.options.findOtherSplits() })
      if (this.file.isDisposed) return
      if (found.rows > 0) {
        this.options.forgetWidths()
        this.file.setQuery({
          ...everything,
          filters: [{ kind: "present", column: alikeColumn }],
          sort: [{ column: alikeColumn, isDescending: false }],
        })
      }
      this.options.say(describeAlike(found), found.rows > 0)
    } catch (error) {
      this.options.showTrouble((error as Error).message)
    }
  }
}
