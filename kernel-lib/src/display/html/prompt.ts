// A parsed prompt: the instruction, and the demonstrations as a table.
import type { PromptPayload } from "../payloads"
import { dataText, foot, frame, nextStep, table, textColumn } from "./frame"

export function renderPromptHtml(payload: PromptPayload): string {
  const shown = payload.demonstrations.slice(0, 10)
  const columns = [
    textColumn(
      "input",
      shown.map(({ input }) => input),
    ),
    textColumn(
      "output",
      shown.map(({ output }) => output),
    ),
  ]
  return frame(payload.title, payload.subtitle, [
    `<p class="text">${dataText(payload.instruction)}</p>`,
    shown.length === 0
      ? ""
      : table(
          columns,
          shown.map(({ input, output }) => [dataText(input), dataText(output)]),
        ),
    foot([
      payload.demonstrations.length > shown.length ? `${shown.length} of ${payload.demonstrations.length} demonstrations.` : "",
      nextStep(payload.nextStep),
    ]),
  ])
}
