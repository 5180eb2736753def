// Results that show themselves in tslab, the TypeScript kernel of Jupyter. tslab only logs a cell's last value and offers no way to send a whole
// bundle; both are reached from outside here, and felt for first: where anything is not as expected, results are logged as text.
import Module from "node:module"
import { inspect } from "node:util"
import type { MimeBundle } from "./self-showing"

const jupyterDisplay = Symbol.for("Jupyter.display")
/** The CommonJS and the ES module copy of the library may meet in one kernel: whoever comes second finds this on tslab's exports. */
const hookBrand = Symbol.for("prompt2model.tslabHook")

interface DisplayData {
  readonly data: MimeBundle
  readonly metadata: Readonly<Record<string, unknown>>
  readonly transient: { readonly display_id?: string }
}
type WriteDisplayData = (data: DisplayData, isUpdate?: boolean) => void

interface TslabGlobal {
  __tslab__?: { exports?: object }
}

/** Whether this process is a tslab kernel. */
export function isTslab(): boolean {
  return typeof (globalThis as TslabGlobal).__tslab__?.exports === "object"
}

/** What sends a display to the cell that runs now; read anew each time, since tslab makes one for each cell. */
function findWriter(): WriteDisplayData | undefined {
  if (!isTslab()) return undefined
  const cache = (Module as unknown as { _cache?: Record<string, { exports?: { lastWriteDisplayData?: unknown } }> })._cache ?? {}
  for (const [path, module] of Object.entries(cache)) {
    if (!/[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(path)) continue
    const writer = module?.exports?.lastWriteDisplayData
    if (typeof writer === "function") return writer as WriteDisplayData
  }
  return undefined
}

/**
 * Sends `bundle` to the notebook. With `id` it can be updated later.
 * @returns false where there is no notebook to send it to
 */
export function sendDisplay(bundle: MimeBundle, options: { id?: string; isUpdate?: boolean } = {}): boolean {
  const write = findWriter()
  if (!write) return false
  write({ data: bundle, metadata: {}, transient: options.id === undefined ? {} : { display_id: options.id } }, options.isUpdate ?? false)
  return true
}

/** The bundle of a value that shows itself; undefined for any other value. */
export function bundleOfValue(value: unknown): MimeBundle | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined
  const method = (value as Record<symbol, unknown>)[jupyterDisplay]
  if (typeof method !== "function") return undefined
  const bundle: unknown = method.call(value)
  return typeof bundle === "object" && bundle !== null ? (bundle as MimeBundle) : undefined
}

/**
 * Shows values where the cell stands: results as they show themselves, anything else as text. Outside a notebook all of it goes to the console.
 *
 * @example
 * show({ answer: 42 })
 */
export function show(...values: readonly unknown[]): void {
  for (const value of values) {
    const bundle = bundleOfValue(value)
    if (bundle === undefined || !sendDisplay(bundle)) console.log(typeof value === "string" ? value : inspect(value))
  }
}

/**
 * Makes the last expression of a tslab cell show itself, and `{ run }` mean in a cell what it means elsewhere. Does nothing outside tslab, and
 * nothing the second time.
 *
 * @returns whether the hook is in place
 */
export function installTslabHook(): boolean {
  const exports = (globalThis as TslabGlobal).__tslab__?.exports
  if (typeof exports !== "object") return false
  if (hookBrand in exports) return true
  if (!showLastValues(exports)) return false
  makeEarlierCellsVisible(exports)
  return true
}

/**
 * tslab assigns a cell's last expression to `tsLastExpr` of its exports, `undefined` at the start of every cell and the value at its end, and logs
 * what it then finds there: a setter sees the value, and a getter that answers undefined silences the log.
 */
function showLastValues(exports: object): boolean {
  let last: unknown
  const prototype = Object.create(Object.prototype, {
    [hookBrand]: { value: true },
    tsLastExpr: {
      configurable: true,
      get: () => last,
      set: (value: unknown) => {
        last = showIfItCan(value) ? undefined : value
      },
    },
  })
  if (!Reflect.setPrototypeOf(exports, prototype)) return false
  // The cell that imports the library has begun already: what it assigned at its start would stand before the setter.
  Reflect.deleteProperty(exports, "tsLastExpr")
  return true
}

/**
 * tslab keeps the variables of earlier cells on its exports and rewrites their names, but not in shorthand properties: `{ run }` then names a
 * global that is not there. With the exports behind the global object such names are found; real globals always come first.
 */
function makeEarlierCellsVisible(exports: object): void {
  const behindGlobal = Object.getPrototypeOf(globalThis)
  if (behindGlobal !== null && behindGlobal !== Object.prototype) Reflect.setPrototypeOf(behindGlobal, exports)
}

/** A result whose display fails must not fail the cell: it is logged instead. */
function showIfItCan(value: unknown): boolean {
  try {
    const bundle = bundleOfValue(value)
    return bundle !== undefined && sendDisplay(bundle)
  } catch {
    return false
  }
}
