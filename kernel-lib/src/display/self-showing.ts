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
  return { [mimeTypes[payload.kind]]: payload, "text/html": renderHtml(payload), "text/plain": renderText(payload) }
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
