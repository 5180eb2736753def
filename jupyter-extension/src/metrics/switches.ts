// Small controls of the bars: a switch that looks like a word, a choice between words, and a slider.
import { createElement } from "../viewer/elements"

export interface Control<Value> {
  readonly node: HTMLElement
  /** Shows this value without telling anybody. */
  set(value: Value): void
}

export function createSwitch(name: string, isOn: boolean, act: (isOn: boolean) => void, title = ""): Control<boolean> {
  const button = createElement("button", "p2m-switch", name)
  button.type = "button"
  if (title !== "") button.title = title
  const set = (value: boolean) => button.setAttribute("aria-pressed", String(value))
  set(isOn)
  button.addEventListener("click", () => {
    const value = button.getAttribute("aria-pressed") !== "true"
    set(value)
    act(value)
  })
  return { node: button, set }
}

export function createChoice<Value extends string>(
  label: string,
  /** Each value with the word that is shown for it. */
  words: Readonly<Record<Value, string>>,
  chosen: Value,
  act: (value: Value) => void,
): Control<Value> {
  const node = createElement("span", "p2m-choice")
  node.setAttribute("role", "group")
  node.setAttribute("aria-label", label)
  const values = Object.keys(words) as Value[]
  const buttons = values.map((value) => {
    const button = createElement("button", "p2m-switch", words[value])
    button.type = "button"
    button.addEventListener("click", () => {
      set(value)
      act(value)
    })
    return button
  })
  const set = (value: Value) => {
    for (const [at, button] of buttons.entries()) button.setAttribute("aria-pressed", String(values[at] === value))
  }
  set(chosen)
  node.append(createElement("span", "p2m-mute", `${label} `), ...buttons)
  return { node, set }
}

export interface SliderRange {
  readonly value: number
  readonly most: number
  readonly step: number
}

export function createSlider(label: string, { value, most, step }: SliderRange, act: (value: number) => void): Control<number> {
  const node = createElement("label", "p2m-slider")
  const input = createElement("input")
  Object.assign(input, { type: "range", min: "0", max: String(most), step: String(step), value: String(value) })
  input.addEventListener("input", () => act(Number(input.value)))
  // JupyterLab's own keys would take the arrows.
  input.addEventListener("keydown", (event) => event.stopPropagation())
  node.append(createElement("span", "p2m-mute", label), input)
  return {
    node,
    set(next) {
      input.value = String(next)
    },
  }
}
