// The demos that are open in this process, and the one call by which a panel beside a notebook asks them through its kernel.
import { messageOf } from "../../core/errors"
import { answerType, type DemoAnswer } from "../../display/payloads"
import { type AnswerInputs, mostNearest } from "./answer-inputs"

/** The CommonJS and the ES module copy of the library may meet in one kernel: both find the same demos. */
const brand = Symbol.for("prompt2model.demos")

function openDemos(): Map<string, AnswerInputs> {
  const holder = globalThis as { [brand]?: Map<string, AnswerInputs> }
  holder[brand] ??= new Map()
  return holder[brand]
}

export function openDemo(id: string, answer: AnswerInputs): void {
  openDemos().set(id, answer)
}

export function closeDemo(id: string): void {
  openDemos().delete(id)
}

/**
 * Asks a demo that `serve` opened in this process, by the id that its payload names: what the extension's panel sends to the kernel. Never
 * rejects, since an error would cancel the cells that wait in the kernel: what went wrong is a sentence in the answer.
 *
 * @param numNearest training rows beside the answer, 0 to 50
 * @example
 * const answer = await askDemo("5f1d7c0b9e2a4c6d8f013579", "3rd of May 1999", 5)
 */
export async function askDemo(id: string, input: string, numNearest = 0): Promise<DemoAnswer> {
  const answer = await answerOf(id, input, numNearest)
  const text = "error" in answer ? answer.error : answer.output
  const bundle = { [answerType]: { ...answer }, "text/plain": text }
  return Object.defineProperty(answer, Symbol.for("Jupyter.display"), { value: () => bundle })
}

async function answerOf(id: string, input: string, numNearest: number): Promise<DemoAnswer> {
  const answer = openDemos().get(id)
  if (!answer) return { error: "This demo is not open in the kernel any more: run the cell with serve again." }
  try {
    const [answered] = await answer([String(input)], Math.max(0, Math.min(mostNearest, Math.floor(numNearest) || 0)))
    return { ...answered }
  } catch (error) {
    return { error: messageOf(error) }
  }
}
