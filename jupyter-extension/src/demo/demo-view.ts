// A student to try: what is typed, its answer and how sure it is, and beside it the training rows that are most like what was typed.
import type { Message } from "@lumino/messaging"
import { Widget } from "@lumino/widgets"
import type { AnsweredInput } from "../../../kernel-lib/src/display/payloads"
import { makeVisible } from "../../../kernel-lib/src/display/plain-text"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement, createLink } from "../viewer/elements"
import { type Question, Refusal } from "./ask"
import type { DemoSource } from "./read-demo"

export interface DemoViewOptions {
  readonly source: DemoSource
  ask(input: string): Promise<AnsweredInput>
  /** Opens it in a panel of its own; undefined where it is one. */
  readonly openPanel?: () => void
}

interface Exchange extends AnsweredInput, Pick<Question, "input"> {}

const mostCharacters = 20_000
const mostEarlier = 20

let numViews = 0

export class DemoView extends Widget {
  private readonly input = createElement("textarea", "p2m-input")
  private readonly send = createElement("button", "p2m-send", trans.__("Answer"))
  private readonly state = createElement("div", "p2m-mute p2m-state")
  private readonly answer = createElement("div", "p2m-answer")
  private readonly earlier = createElement("div", "p2m-earlier")
  private readonly exchanges: Exchange[] = []

  constructor(private readonly options: DemoViewOptions) {
    super()
    this.addClass("jp-Prompt2Model")
    this.addClass("jp-Prompt2ModelDemo")
    const { source, openPanel } = options
    // What is typed here is text, whatever keys mean to JupyterLab.
    this.node.dataset.lmSuppressShortcuts = "true"
    const bar = createElement("div", "p2m-bar")
    bar.append(createElement("span", "p2m-title", source.student || source.title || trans.__("Student")))
    bar.append(createElement("span", "p2m-mute", source.student ? trans.__("a student to try") : source.subtitle))
    if (openPanel) {
      const links = createElement("span", "p2m-links")
      links.append(createLink(trans.__("Open beside the notebook"), openPanel))
      bar.append(links)
    }
    this.node.append(bar)
    if (source.instruction !== "") this.node.append(createElement("p", "p2m-mute p2m-instruction", source.instruction))
    this.node.append(this.makeForm(), ...this.makeExamples())
    this.state.setAttribute("role", "status")
    this.answer.setAttribute("aria-live", "polite")
    this.node.append(this.state, this.answer, this.earlier)
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message)
    this.input.focus()
  }

  private makeForm(): HTMLElement {
    const form = createElement("form", "p2m-ask")
    const label = createElement("label", "p2m-mute", trans.__("Input"))
    this.input.id = `p2m-demo-${numViews++}`
    label.htmlFor = this.input.id
    Object.assign(this.input, { rows: 2, dir: "auto", maxLength: mostCharacters, spellcheck: false })
    this.send.type = "submit"
    const actions = createElement("div", "p2m-actions")
    actions.append(this.send, createElement("span", "p2m-mute", trans.__("Enter answers, Shift+Enter breaks the line")))
    form.append(label, this.input, actions)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      void this.ask()
    })
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      void this.ask()
    })
    return form
  }

  private makeExamples(): HTMLElement[] {
    const { examples } = this.options.source
    if (examples.length === 0) return []
    const tries = createElement("div", "p2m-tries")
    tries.append(createElement("span", "p2m-mute", trans.__("Try")))
    for (const example of examples) {
      const link = createLink(example, () => {
        this.input.value = example
        void this.ask()
      })
      link.dir = "auto"
      tries.append(link)
    }
    return [tries]
  }

  private async ask(): Promise<void> {
    const input = this.input.value
    if (input === "" || this.send.disabled) return
    this.send.disabled = true
    this.state.classList.remove("p2m-bad")
    this.state.textContent = trans.__("answering ...")
    try {
      const answered = await this.options.ask(input)
      if (this.isDisposed) return
      this.exchanges.unshift({ input, ...answered })
      this.exchanges.length = Math.min(this.exchanges.length, mostEarlier)
      this.showExchange(0)
      this.state.textContent = ""
    } catch (error) {
      this.state.classList.add("p2m-bad")
      this.state.textContent = makeVisible(error instanceof Refusal ? error.message : trans.__("The student could not be asked."))
    } finally {
      this.send.disabled = false
    }
  }

  /** One exchange in full, the others below in a line each. */
  private showExchange(chosen: number): void {
    const { source } = this.options
    const { input, output, confidence, nearest } = this.exchanges[chosen]
    const said = createElement("div", "p2m-said-here")
    const text = createElement("div", "p2m-text p2m-output", output)
    if (output === "") text.append(createElement("span", "p2m-mute", trans.__("(empty)")))
    said.append(createElement("div", "p2m-text p2m-mute", input), text, renderConfidence(confidence))
    const beside = createElement("div", "p2m-nearest")
    if (nearest.length > 0) beside.append(...renderNearest(nearest, output))
    else if (source.numTrain > 0) beside.append(createElement("div", "p2m-mute", trans.__("No training row is like it.")))
    this.answer.replaceChildren(said, beside)
    const others = this.exchanges.flatMap((exchange, index) => (index === chosen ? [] : [{ exchange, index }]))
    this.earlier.replaceChildren(...(others.length > 0 ? this.renderEarlier(others) : []))
  }

  private renderEarlier(others: readonly { exchange: Exchange; index: number }[]): HTMLElement[] {
    const table = renderTable([trans.__("input"), trans.__("answer"), trans.__("confidence")], trans.__("Earlier answers"))
    for (const { exchange, index } of others) {
      const row = table.tBodies[0].insertRow()
      const first = row.insertCell()
      first.append(createLink(exchange.input, () => this.showExchange(index), trans.__("Shows this answer again")))
      row.insertCell().textContent = makeVisible(exchange.output)
      const last = row.insertCell()
      last.className = "p2m-number"
      last.textContent = exchange.confidence.toFixed(2)
    }
    return [createElement("h5", "", trans.__("Earlier")), table]
  }
}

function renderConfidence(confidence: number): HTMLElement {
  const line = createElement("div", "p2m-mute p2m-confidence")
  const share = Math.max(0, Math.min(1, confidence))
  const bar = createElement("span", "p2m-share")
  bar.append(createElement("span"))
  ;(bar.firstChild as HTMLElement).style.width = `${100 * share}%`
  bar.setAttribute("aria-hidden", "true")
  line.append(bar, createElement("span", "", trans.__("confidence %1", share.toFixed(2))))
  return line
}

function renderNearest(nearest: AnsweredInput["nearest"], output: string): HTMLElement[] {
  const heading = createElement(
    "h5",
    "",
    trans._n("The nearest training row", "The %2 nearest training rows", nearest.length, nearest.length),
  )
  const table = renderTable(
    [trans.__("row"), trans.__("input"), trans.__("output"), trans.__("alike")],
    trans.__("The nearest training rows"),
    [0, 3],
  )
  for (const row of nearest) {
    const line = table.tBodies[0].insertRow()
    for (const [index, text] of [formatCount(row.row), row.input, row.output, row.similarity.toFixed(2)].entries()) {
      const cell = line.insertCell()
      if (index === 0 || index === 3) cell.className = "p2m-number"
      const isAnswer = index === 2 && text === output
      const words = createElement("span", isAnswer ? "p2m-equal" : "", text)
      if (isAnswer) words.title = trans.__("The same as the student's answer")
      cell.append(words)
    }
  }
  return [heading, table]
}

function renderTable(columns: readonly string[], label: string, numbers: readonly number[] = [columns.length - 1]): HTMLTableElement {
  const table = createElement("table")
  table.setAttribute("aria-label", label)
  const head = table.createTHead().insertRow()
  for (const [index, name] of columns.entries()) {
    const cell = createElement("th", numbers.includes(index) ? "p2m-number" : "", name)
    cell.scope = "col"
    head.append(cell)
  }
  table.createTBody()
  return table
}
