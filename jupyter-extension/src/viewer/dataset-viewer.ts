// The viewer of one file: the bar, the grid, and the chosen row beside it.
import { type Message, MessageLoop } from "@lumino/messaging"
import { Panel, SplitPanel, Widget } from "@lumino/widgets"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { alikeColumn, type Block, everything, type FileState, type Filter, isEverything, type Query, type ViewState } from "../protocol"
import { countColumns, countRows, trans } from "../settings/language"
import { ChosenRow } from "./chosen-row"
import { GridPane } from "./grid-pane"
import { Tip, TroubleLine } from "./notices"
import { OpenedFile } from "./opened-file"
import { removeFilter } from "./query-changes"
import { RowCommands } from "./row-commands"
import { ToolBar } from "./tool-bar"
import { pressKey } from "./viewer-keys"
import type { DatasetViewerOptions } from "./viewer-options"

const sideWidth = 330

export class DatasetViewer extends Panel {
  private readonly fileName: string
  readonly file: OpenedFile
  readonly bar: ToolBar
  readonly pane: GridPane
  readonly chosen: ChosenRow
  readonly commands: RowCommands
  private readonly split = new SplitPanel({ orientation: "horizontal", spacing: 1 })
  private readonly tip = new Tip(this.node)
  private readonly trouble: TroubleLine
  private readonly themes = new MutationObserver(() => this.pane.takeColours())
  // Where filters need a second line, the grid has less room.
  private readonly heights = new ResizeObserver(() => MessageLoop.postMessage(this.split, Widget.ResizeMessage.UnknownSize))
  private openRejected: (() => void) | undefined
  private isLaidOut = false

  constructor(private readonly options: DatasetViewerOptions) {
    super()
    this.addClass("jp-Prompt2Model")
    this.addClass("jp-Prompt2ModelViewer")
    this.fileName = options.path.split("/").at(-1) || options.path
    this.file = this.makeFile()
    this.bar = this.makeBar()
    this.pane = this.makePane()
    this.chosen = this.makeChosenRow()
    this.commands = this.makeCommands()
    this.trouble = new TroubleLine(this.fileName, () => void this.open())
    this.layOut()
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] })
    this.heights.observe(this.bar.node)
    this.heights.observe(this.trouble.node)
    void this.start()
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.themes.disconnect()
    this.heights.disconnect()
    this.file.dispose()
    this.bar.dispose()
    this.pane.dispose()
    super.dispose()
  }

  /** Chooses this row of the file, and shows all rows where it does not match. */
  async goToRow(row: number): Promise<void> {
    this.chosen.row = row
    await this.file.findRow(row)
  }

  focusSearch(): void {
    this.bar.focusSearch()
  }

  showAll(): void {
    this.file.setQuery(everything)
  }

  /** Only the rows that pass these filters, in the file's order. */
  showRows(filters: readonly Filter[]): void {
    const query: Query = { ...everything, filters }
    this.chosen.row = null
    // A file that is still being opened takes the query when it is open.
    if (this.file.state) this.file.setQuery(query)
    else this.file.query = query
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message)
    this.pane.focus()
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message)
    this.pane.takeColours()
  }

  protected override onResize(message: Widget.ResizeMessage): void {
    super.onResize(message)
    const width = this.node.clientWidth
    if (this.isLaidOut || width === 0) return
    this.isLaidOut = true
    const side = Math.min(sideWidth, width * 0.4) / width
    this.split.setRelativeSizes([1 - side, side])
  }

  private makeFile(): OpenedFile {
    return new OpenedFile({
      onOpening: () => {
        this.trouble.hide()
        this.pane.reset()
      },
      onFile: (file) => this.showFile(file),
      onOpened: (file) => {
        this.pane.show()
        this.bar.showQuery(this.file.query, file.columns)
        void this.offerRejected()
      },
      onQuery: (query) => this.showQuery(query),
      onView: (view, hasMoved) => this.showView(view, hasMoved),
      onSummary: (summary) => {
        this.pane.setSummary(summary)
        const { state } = this.file
        this.node.dataset.headers = this.pane.areHeadersWhole(state?.isIndexed ? state.numRows : -1) ? "whole" : "partial"
      },
      onComparing: (seen, all) => this.bar.say(trans.__("Comparing: %1 of %2 rows ...", formatCount(seen), formatCount(all))),
      onPlace: (place) => this.pane.choosePlace(place),
      onTrouble: (sentence) => this.showTrouble(sentence),
    })
  }

  private makeBar(): ToolBar {
    return new ToolBar(this.fileName, {
      search: (search) => search !== this.file.query.search && this.file.setQuery({ ...this.file.query, search }),
      removeFilter: (index) => this.file.setQuery(removeFilter(this.file.query, index)),
      reset: () => this.showAll(),
      copyCode: () => this.commands.copyCode(),
      exportAs: (format) => void this.commands.exportAs(format),
      openRejected: () => this.openRejected?.(),
      groupAlike: () => void this.commands.groupAlike(),
      focusGrid: () => this.pane.focus(),
    })
  }

  private makePane(): GridPane {
    return new GridPane({
      query: () => this.file.query,
      setQuery: (query) => this.file.setQuery(query),
      numRows: () => this.file.state?.numRows ?? 0,
      read: (start, end, columns) => this.readBlock(start, end, columns),
      watch: (columns) => void this.file.ask("watch", { columns }).catch(() => {}),
      onChosen: () => this.showChosen(),
      showTip: (text, clientX, clientY) => this.tip.show(text, clientX, clientY),
      hideTip: () => this.tip.hide(),
      press: (key) => pressKey(key, this),
    })
  }

  private makeChosenRow(): ChosenRow {
    const { options } = this
    return new ChosenRow({
      client: () => this.file.client,
      columns: () => this.pane.columns,
      textColumn: () => this.file.textColumn(),
      findsNearestRow: () => options.findsNearestRow(),
      linkTo: (row) => options.linkTo(row),
      goTo: (row) => void this.goToRow(row),
      onChosen: () => this.tellState(),
      say: (sentence) => this.bar.say(sentence),
      showTrouble: (sentence) => this.showTrouble(sentence),
    })
  }

  private makeCommands(): RowCommands {
    const { options, fileName } = this
    return new RowCommands(this.file, {
      path: options.path,
      fileName,
      findOtherSplits: () => options.findOtherSplits(),
      forgetWidths: () => this.pane.forgetWidths(),
      say: (sentence, isKept) => this.bar.say(sentence, isKept),
      showTrouble: (sentence) => this.showTrouble(sentence),
    })
  }

  private layOut(): void {
    this.split.addWidget(this.pane.grid)
    this.split.addWidget(this.chosen)
    SplitPanel.setStretch(this.pane.grid, 1)
    SplitPanel.setStretch(this.chosen, 0)
    for (const node of [this.bar.node, this.trouble.node]) this.addWidget(new Widget({ node }))
    this.addWidget(this.split)
    this.node.append(this.tip.node, this.chosen.said)
  }

  /** Opens the file as it was left, unless somebody was faster. */
  private async start(): Promise<void> {
    const state = await this.options.findState()
    if (this.isDisposed) return
    if (state && isEverything(this.file.query)) this.file.query = state.query
    this.chosen.row ??= state?.row ?? null
    void this.open()
  }

  private open(): Promise<void> {
    return this.file.open(() => this.options.locate(), this.chosen.row)
  }

  private async offerRejected(): Promise<void> {
    try {
      this.openRejected = await this.options.findRejected()
      if (this.openRejected) this.bar.showRejected()
    } catch (error) {
      this.showTrouble((error as Error).message)
    }
  }

  private async readBlock(start: number, end: number, columns: readonly string[]): Promise<Block> {
    try {
      return await this.file.ask("block", { start, end, columns })
    } catch (error) {
      this.showTrouble((error as Error).message)
      throw error
    }
  }

  private showFile(file: FileState): void {
    this.pane.setColumns(file.columns)
    this.bar.showFile(file)
    const label = `${this.options.path}, ${countRows(file.numRows)}, ${countColumns(file.columns.length)}`
    this.pane.grid.viewport.node.setAttribute("aria-label", label)
  }

  private showQuery(query: Query): void {
    this.bar.say("")
    this.bar.showQuery(query, this.file.state?.columns ?? [])
    this.node.dataset.state = "searching"
    this.pane.startQuery(query)
    this.tellState()
  }

  private showView(view: ViewState, hasMoved: boolean): void {
    this.pane.setRows(view.matches, hasMoved)
    this.bar.showView(view, this.file.query, this.file.state?.numRows ?? 0)
    this.node.dataset.state = view.isDone ? "done" : "searching"
  }

  private showChosen(): void {
    const cell = this.pane.chosenCell
    if (!cell || cell.place < 0) return
    const find = async () =>
      this.pane.rowAt(cell.place) ?? (await this.file.ask("block", { start: cell.place, end: cell.place + 1, columns: [] })).rows[0]
    void this.chosen.showRow(find, cell.column)
  }

  private showTrouble(sentence: string): void {
    if (this.isDisposed) return
    this.trouble.show(sentence)
    this.node.dataset.state = "trouble"
  }

  private tellState(): void {
    // Which rows are alike is not known any more after a reload.
    const isKept = ({ column }: { readonly column: string }) => column !== alikeColumn
    const { search, filters, sort } = this.file.query
    this.options.onStateChanged({ query: { search, filters: filters.filter(isKept), sort: sort.filter(isKept) }, row: this.chosen.row })
  }
}
