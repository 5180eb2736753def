import Module from "node:module"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type MimeBundle, makeSelfShowing } from "../../src/display/self-showing"
import { installTslabHook, isTslab, sendDisplay, show } from "../../src/display/tslab-hook"
import { dataset } from "./sample-payloads"

const scope = globalThis as { __tslab__?: { exports: Record<string, unknown> } } & Record<symbol, unknown>
const cache = (Module as unknown as { _cache: Record<string, unknown> })._cache
const path = "/somewhere/node_modules/tslab/dist/jupyter.js"
const sent: [{ data: MimeBundle; transient: { display_id?: string } }, boolean | undefined][] = []

const behindGlobal = Object.getPrototypeOf(globalThis)
const furtherBehind = Object.getPrototypeOf(behindGlobal)

const result = makeResult()
function makeResult(): object {
  const made = { rows: 3 }
  makeSelfShowing(made, () => dataset)
  return made
}

/** What tslab does at a cell's end: looks whether there is a last value, and logs it. */
function finishCell(value: unknown): unknown[] {
  const { exports } = scope.__tslab__!
  exports.tsLastExpr = undefined
  exports.tsLastExpr = value
  const logged: unknown[] = []
  if (exports.tsLastExpr != null) {
    logged.push(exports.tsLastExpr)
    delete exports.tsLastExpr
  }
  return logged
}

function startTslab(): void {
  scope.__tslab__ = { exports: {} }
  cache[path] = { exports: { lastWriteDisplayData: (...display: (typeof sent)[number]) => sent.push(display) } }
}

beforeEach(() => {
  sent.length = 0
})
afterEach(() => {
  Reflect.deleteProperty(scope, "__tslab__")
  Object.setPrototypeOf(behindGlobal, furtherBehind)
  delete cache[path]
  vi.restoreAllMocks()
})

describe("outside tslab", () => {
  it("changes nothing, and show writes text to the console", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    expect([isTslab(), installTslabHook(), sendDisplay({})]).toEqual([false, false, false])
    show(result, "plain text", { a: 1 })
    expect(log.mock.calls.map(([text]) => text)).toEqual([expect.stringContaining("Generated dataset: 500 rows"), "plain text", "{ a: 1 }"])
  })
})

describe("in tslab", () => {
  beforeEach(startTslab)

  it("shows a last value that can show itself, once, and silences tslab's log of it", () => {
    expect(installTslabHook()).toBe(true)
    expect(finishCell(result)).toEqual([])
    expect(sent).toHaveLength(1)
    expect(sent[0][0].data["text/html"]).toContain("Generated dataset")
  })

  it("shows the first result after a cell that imported the library and ended in undefined", () => {
    scope.__tslab__!.exports.tsLastExpr = undefined
    installTslabHook()
    expect(finishCell(undefined)).toEqual([])
    expect(finishCell(result)).toEqual([])
    expect(sent).toHaveLength(1)
  })

  it("leaves other values to tslab, and a cell without one empty", () => {
    installTslabHook()
    expect([42, "text", null, undefined, { a: 1 }, Promise.resolve(1)].map(finishCell)).toEqual([
      [42],
      ["text"],
      [],
      [],
      [{ a: 1 }],
      [Promise.resolve(1)],
    ])
    expect(finishCell(result)).toEqual([])
    expect(finishCell(7)).toEqual([7])
    expect(sent).toHaveLength(1)
  })

  it("leaves other exports and other objects alone", () => {
    installTslabHook()
    scope.__tslab__!.exports.run = 1
    expect(Object.keys(scope.__tslab__!.exports)).toEqual(["run"])
    expect("tsLastExpr" in {}).toBe(false)
  })

  it("finds variables of earlier cells by their bare names, after real globals", () => {
    installTslabHook()
    const { exports } = scope.__tslab__!
    exports.runOfEarlierCell = 7
    exports.Array = "not the real one"
    expect(new Function("return [{ runOfEarlierCell }, Array, typeof notDeclared]")()).toEqual([
      { runOfEarlierCell: 7 },
      Array,
      "undefined",
    ])
    expect("runOfEarlierCell" in {}).toBe(false)
  })

  it("is set once, though two copies of the library are loaded", () => {
    expect(installTslabHook()).toBe(true)
    const prototype = Object.getPrototypeOf(scope.__tslab__!.exports)
    expect(installTslabHook()).toBe(true)
    expect(Object.getPrototypeOf(scope.__tslab__!.exports)).toBe(prototype)
  })

  it("logs a result whose display fails, and does not fail the cell", () => {
    installTslabHook()
    const broken = {
      [Symbol.for("Jupyter.display")]: () => {
        throw new Error("no")
      },
    }
    expect(finishCell(broken)).toEqual([broken])
  })

  it("logs where tslab has no writer, or another shape than expected", () => {
    installTslabHook()
    delete cache[path]
    expect(finishCell(result)).toEqual([result])
    cache[path] = { exports: {} }
    expect(finishCell(result)).toEqual([result])
  })

  it("sends updates under an id", () => {
    sendDisplay({ "text/plain": "a" }, { id: "x" })
    sendDisplay({ "text/plain": "b" }, { id: "x", isUpdate: true })
    expect(sent.map(([display, isUpdate]) => [display.transient.display_id, isUpdate])).toEqual([
      ["x", false],
      ["x", true],
    ])
  })
})
