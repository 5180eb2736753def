// Makes results show themselves: in notebooks by Symbol.for("Jupyter.display"), in a console by Node's inspect.
import { renderHtml } from "./html"
import { mimeTypes, type Payload } from "./payloads"
import { renderText } from "./text"

const jupyterDisplay = Symbol.for("Jupyter.display")
const nodeInspect = Symbol.for("nodejs.util.inspect.custom")

/** A MIME bundle: our own JSON, script-free HTML, and text. */
export type MimeBundle = Record<string, unknown>

/** The bundle that shows `payload`. */
export function bundleOf(payload: Payload): MimeBundle {
  return { [mimeTypes[payload.kind]]: replaceHalfCharacters(payload), "text/html": renderHtml(payload), "text/plain": renderText(payload) }
}

/** A copy whose texts can be written as UTF-8: half a surrogate pair, as cutting leaves it, would make a notebook that Jupyter cannot open. */
function replaceHalfCharacters(value: unknown): unknown {
  if (typeof value === "string") return /[\ud800-\udfff]/.test(value) ? Buffer.from(value, "utf8").toString("utf8") : value
  if (Array.isArray(value)) return value.map(replaceHalfCharacters)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaceHalfCharacters(member)]))
}

/** Gives `target` (a prototype, or one object) the two methods by which a result shows itself. */
export function makeSelfShowing<T extends object>(target: T, toPayload: (self: T) => Payload): void {
  Object.defineProperty(target, jupyterDisplay, {
    configurable: true,
    value(this: T) {
      return bundleOf(toPayload(this))
    },
  })
  Object.defineProperty(target, nodeInspect, {
    configurable: true,
    value(this: T) {
      return renderText(toPayload(this))
    },
  })
}
