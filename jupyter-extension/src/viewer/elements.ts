// Elements of the page, made with text that is shown and never obeyed.
import { makeVisible } from "../../../kernel-lib/src/display/plain-text"

/** A column's name as far as anybody reads it: a file may have names of megabytes. */
export function shortName(name: string): string {
  return name.length > 120 ? `${name.slice(0, 119)}\u2026` : name
}

export function createElement<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  text = "",
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  if (className !== "") element.className = className
  if (text !== "") element.textContent = makeVisible(text)
  return element
}

/** A button that looks like a link. */
export function createLink(text: string, act: () => void, title = ""): HTMLButtonElement {
  const button = createElement("button", "p2m-link", text)
  button.type = "button"
  if (title !== "") button.title = title
  button.addEventListener("click", act)
  return button
}

/** Lets the reader keep it as a file. */
export function saveBlob(blob: Blob, name: string): void {
  const link = createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
