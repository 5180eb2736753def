// One file in one viewer, as a reader opens it and scrolls through it: what the page itself measures.
import type { Page } from "playwright-core"

export type ViewerKind = "ours" | "jupyterlab" | "perspective"

/** What holds the rows; Perspective's are elements, inside of others that keep theirs to themselves. */
const rootOf: Readonly<Record<ViewerKind, string>> = {
  ours: ".jp-Prompt2ModelViewer",
  jupyterlab: ".jp-CSVViewer",
  perspective: "regular-table",
}

/** Milliseconds from the double click until the grid's canvas has text in its body, or its table has. */
export async function openAndTime(page: Page, kind: ViewerKind, file: string): Promise<number> {
  const item = page.locator(".jp-DirListing-item", { hasText: file })
  await page.evaluate(watchForRows, rootOf[kind])
  await item.dblclick()
  await page.waitForFunction(() => (window as unknown as { firstRows?: number }).firstRows !== undefined, null, { timeout: 120_000 })
  return page.evaluate(() => (window as unknown as { firstRows: number }).firstRows)
}

/** Runs in the page: from the next double click on, looks at each frame whether rows were drawn. */
function watchForRows(selector: string): void {
  let began = 0
  document.addEventListener(
    "dblclick",
    () => {
      began = performance.now()
      requestAnimationFrame(look)
    },
    { capture: true, once: true },
  )
  function look(): void {
    if (selector === "regular-table") {
      if (findDeep(document, selector)?.querySelector("tbody td")?.textContent) done()
      else requestAnimationFrame(look)
      return
    }
    const canvas = document.querySelector(`${selector} .lm-DataGrid-viewport canvas`) as HTMLCanvasElement | null
    // A strip in the fourth row, right of its number: lines have few colours, letters have many.
    const scale = window.devicePixelRatio
    const isThere = canvas && canvas.width > 400 && coloursOf(canvas, 100 * scale, (selector.includes("CSV") ? 60 : 150) * scale) > 6
    if (isThere) done()
    else requestAnimationFrame(look)
  }
  function done(): void {
    ;(window as unknown as { firstRows: number }).firstRows = performance.now() - began
  }
  function findDeep(place: ParentNode, wanted: string): Element | undefined {
    const found = place.querySelector(wanted)
    if (found) return found
    for (const { shadowRoot } of place.querySelectorAll("*")) {
      const inside = shadowRoot && findDeep(shadowRoot, wanted)
      if (inside) return inside
    }
    return undefined
  }
  function coloursOf(canvas: HTMLCanvasElement, x: number, y: number): number {
    const { data } = canvas.getContext("2d")!.getImageData(x, y, 120, 30)
    const colours = new Set<number>()
    for (let index = 0; index < data.length; index += 4) colours.add((data[index] << 16) | (data[index + 1] << 8) | data[index + 2])
    return colours.size
  }
}

/** Times between frames, in milliseconds, over three seconds of turning the wheel; `filter` searches meanwhile. */
export async function measureFrames(page: Page, kind: ViewerKind, what: "scroll" | "filter"): Promise<number[]> {
  if (what === "filter") {
    await page.locator(`${rootOf[kind]} .p2m-search`).fill("1999")
  }
  return page.evaluate(
    (selector) =>
      new Promise<number[]>((resolve) => {
        const findDeep = (place: ParentNode): Element | undefined =>
          place.querySelector(selector) ??
          [...place.querySelectorAll("*")].reduce<Element | undefined>(
            (found, { shadowRoot }) => found ?? (shadowRoot ? findDeep(shadowRoot) : undefined),
            undefined,
          )
        const viewport = findDeep(document)!
        const times: number[] = []
        const began = performance.now()
        let last = began
        requestAnimationFrame(function turn(now) {
          if (now > last) times.push(now - last)
          last = now
          viewport.dispatchEvent(new WheelEvent("wheel", { deltaY: 400, bubbles: true, cancelable: true }))
          if (now - began < 3000) requestAnimationFrame(turn)
          else resolve(times.slice(1))
        })
      }),
    kind === "perspective" ? rootOf[kind] : `${rootOf[kind]} .lm-DataGrid-viewport`,
  )
}
