// The chosen row beside the grid: read whole when it is chosen, compared with a marked row or with the one that is nearest to it, and said to screen readers.
import { Clipboard } from "@jupyterlab/apputils"
import { Widget } from "@lumino/widgets"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import type { ColumnInfo, FullRow } from "../protocol"
import { trans } from "../settings/language"
import { type OtherRow, renderDetail } from "./detail-panel"
import { createElement } from "./elements"
import { showCell } from "./renderers"
import type { WorkerClient } from "./worker-client"

/** Milliseconds that somebody stays with a row before the nearest one is looked for. */
const staysFor = 300

export interface ChosenRowOptions {
  client(): WorkerClient | undefined
  columns(): readonly ColumnInfo[]
  /** The column that rows are compared by. */
  textColumn(): string | undefined
  findsNearestRow(): boolean
  /** An address that opens the file at this row. */
  linkTo(row: number): string
  goTo(row: number): void
  onChosen(row: number): void
  say(sentence: string): void
  showTrouble(sentence: string): void
}

export class ChosenRow extends Widget {
  /** What screen readers are told. */
  readonly said = createElement("div", "p2m-said")
  /** Its number in the file. */
  row: number | null = null
  private marked: FullRow | undefined
  private nearest: ReturnType<typeof setTimeout> | undefined
  private turn = 0

  constructor(private readonly options: ChosenRowOptions) {
    super()
    this.addClass("p2m-side")
    this.node.setAttribute("role", "complementary")
    this.node.setAttribute("aria-label", trans.__("The chosen row"))
    this.node.tabIndex = 0
    this.said.setAttribute("aria-live", "polite")
    const empty = createElement("p", "p2m-mute", trans.__("Choose a row to read it whole, and to see how it came here."))
    this.node.replaceChildren(empty, hints())
  }

  override dispose(): void {
    clearTimeout(this.nearest)
    super.dispose()
  }

  /** @param find its number in the file. @param column the one that the cursor is in */
  async showRow(find: () => Promise<number | undefined>, column: number): Promise<void> {
    clearTimeout(this.nearest)
    const client = this.options.client()
    if (!client) return
    const turn = ++this.turn
    try {
      const number = await find()
      if (number === undefined) return
      const row = await client.ask("row", { row: number })
      if (turn !== this.turn || this.isDisposed) return
      this.row = number
      this.options.onChosen(number)
      const others = this.marked && this.marked.row !== number ? [{ row: this.marked, why: trans.__("marked") }] : []
      this.showDetail(row, others)
      this.announce(row, column)
      if (others.length === 0 && this.options.findsNearestRow())
        this.nearest = setTimeout(() => void this.addNearest(client, row, turn), staysFor)
    } catch (error) {
      this.options.showTrouble((error as Error).message)
    }
  }

  /** Marks it, so that others are compared with it; or lets go of it. */
  async mark(): Promise<void> {
    const client = this.options.client()
    if (this.row === null || !client) return
    this.marked = this.marked?.row === this.row ? undefined : await client.ask("row", { row: this.row })
    this.options.say(
      this.marked ? trans.__("Row %1 is marked: choose another to compare.", formatCount(this.row)) : trans.__("No row is marked."),
    )
  }

  copyLink(row = this.row): void {
    if (row === null) return
    Clipboard.copyToSystem(this.options.linkTo(row))
    this.options.say(trans.__("The address of row %1 is copied.", formatCount(row)))
  }

  private async addNearest(client: WorkerClient, row: FullRow, turn: number): Promise<void> {
    const column = this.options.textColumn()
    const isGone = () => turn !== this.turn || this.isDisposed
    const nearest = column === undefined ? null : await client.ask("nearest", { row: row.row, column }).catch(() => null)
    const other = nearest && !isGone() ? await client.ask("row", { row: nearest.row }).catch(() => null) : null
    if (!nearest || !other || isGone()) return
    const why = nearest.likeness === 1 ? trans.__("the nearest, with the same input") : trans.__("the nearest")
    this.showDetail(row, [{ row: other, why }])
  }

  private showDetail(row: FullRow, others: readonly OtherRow[]): void {
    const { scrollTop } = this.node
    const isSame = this.node.dataset.row === String(row.row)
    this.node.dataset.row = String(row.row)
    const actions = { copyLink: (number: number) => this.copyLink(number), goTo: (number: number) => this.options.goTo(number) }
    this.node.replaceChildren(renderDetail(row, this.options.columns(), others, actions), hints())
    this.node.scrollTop = isSame ? scrollTop : 0
  }

  private announce(row: FullRow, column: number): void {
    const info = this.options.columns()[column]
    const value = row.cells.find(({ name }) => name === info?.name)?.value ?? null
    this.said.textContent = trans
      .__("Row %1", formatCount(row.row))
      .concat(`, ${info?.name ?? ""}: ${showCell(value, info?.kind)}`)
      .slice(0, 400)
  }
}

function hints(): HTMLElement {
  return createElement(
    "p",
    "p2m-mute p2m-hints",
    trans.__(
      "j k moves \u00b7 / searches \u00b7 f filters by this cell \u00b7 s sorts, S adds \u00b7 m marks, to compare \u00b7 l copies the link \u00b7 c copies code",
    ),
  )
}
