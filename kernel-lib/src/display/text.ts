// Payloads as plain text.
import type { Payload } from "./payloads"

export function renderText(payload: Payload): string {
  return `${payload.title}: ${payload.subtitle}`
}
