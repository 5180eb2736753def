// A served student: where it is and how it is called.
import type { DemoPayload } from "../payloads"
import { escapeMarkup } from "../svg/picture"
import { demoCommand } from "../wording"
import { code, dataText, foot, frame, nextStep, table } from "./frame"

export function renderDemoHtml(payload: DemoPayload): string {
  const examples = payload.examples.slice(0, 10)
  return frame(payload.title, payload.subtitle, [
    `<p>${renderLink(payload.url)}</p>`,
    examples.length === 0
      ? ""
      : table(
          [{ name: "try", isText: true }],
          examples.map((example) => [dataText(example)]),
        ),
    foot([`From a shell: ${code(demoCommand(payload))}`]),
    foot([nextStep(payload.nextStep)]),
  ])
}

/** Only what is an address of the web becomes a link. */
function renderLink(url: string): string {
  return /^https?:\/\/[^\s]+$/.test(url)
    ? `<a href="${escapeMarkup(url)}" target="_blank" rel="noopener noreferrer">${escapeMarkup(url)}</a>`
    : code(url)
}
