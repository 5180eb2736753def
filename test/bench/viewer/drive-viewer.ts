// One file in one viewer, as a reader opens it and scrolls through it: what the page itself measures.
import type { Page } from "playwright-core"

export type ViewerKind = "ours" | "peer"

const rootOf: Readonly<Record<ViewerKind, string>> = { ours: ".jp-Prompt2ModelViewer", peer: ".jp-CSVViewer" }

/** Milliseconds from the double click until the grid's canvas has text in its body. */
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
    const canvas = document.querySelector(`${selector} .lm-DataGrid-viewport canvas`) as HTMLCanvasElement | null
    // A strip in the fourth row, right of its number: lines have few colours, letters have many.
    const scale = window.devicePixelRatio
    const isThere = canvas && canvas.width > 400 && coloursOf(canvas, 100 * scale, (selector.includes("CSV") ? 60 : 150) * scale) > 6
    if (isThere) (window as unknown as { firstRows: number }).firstRows = performance.now() - began
    else requestAnimationFrame(look)
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
        const viewport = document.querySelector(`${selector} .lm-DataGrid-viewport`)!
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
    rootOf[kind],
  )
}
