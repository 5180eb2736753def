// Payloads as script-free HTML.
import type { Payload } from "./payloads"

export function renderHtml(payload: Payload): string {
  return `<h4>${payload.title}</h4>`
}
