// What the viewer says beside its rows: a tip at the pointer, and what went wrong with the file.
import { trans } from "../settings/language"
import { createElement, createLink } from "./elements"

export class Tip {
  readonly node = createElement("div", "p2m-tip")

  /** @param host what it is placed in, and does not leave */
  constructor(private readonly host: HTMLElement) {
    this.hide()
  }

  show(text: string, clientX: number, clientY: number): void {
    const { left, top, width } = this.host.getBoundingClientRect()
    this.node.textContent = text
    this.node.hidden = false
    this.node.style.left = `${Math.min(clientX - left + 12, width - this.node.offsetWidth - 8)}px`
    this.node.style.top = `${clientY - top + 18}px`
  }

  hide(): void {
    this.node.hidden = true
  }
}

export class TroubleLine {
  readonly node = createElement("div", "p2m-trouble")

  constructor(
    private readonly fileName: string,
    private readonly openAgain: () => void,
  ) {
    this.node.setAttribute("role", "alert")
    this.hide()
  }

  show(sentence: string): void {
    const again = createLink(trans.__("Open it again"), () => this.openAgain())
    this.node.replaceChildren(createElement("span", "", `${trans.__("%1 cannot be read: %2", this.fileName, sentence)} `), again)
    this.node.hidden = false
  }

  hide(): void {
    this.node.hidden = true
  }
}
