// Answers for people who want to see why: each with the training rows that its input is most like.
import type { Dataset } from "../../core/dataset"
import type { Prediction } from "../../core/student"
import { type AnsweredInput, previewCharacters } from "../../display/payloads"
import { NearestTexts } from "../../measures/nearest-texts"

/** At most this many training rows stand beside an answer. */
export const mostNearest = 50

export type AnswerInputs = (inputs: readonly string[], numNearest: number, signal?: AbortSignal) => Promise<AnsweredInput[]>

/** What answers inputs. The training rows are indexed when they are first asked for. */
export function answerInputs(
  predict: (inputs: readonly string[], signal?: AbortSignal) => Promise<readonly Prediction[]>,
  train?: Dataset,
): AnswerInputs {
  let texts: NearestTexts | undefined
  const findNearest = (input: string, count: number): AnsweredInput["nearest"] => {
    if (!train || count === 0) return []
    texts ??= new NearestTexts(train.inputs)
    const similarities = texts.similarities(input)
    return rankHighest(similarities, count).map((row) => {
      const { input, output } = train.row(row)
      return { row, input: input.slice(0, previewCharacters), output: output.slice(0, previewCharacters), similarity: similarities[row] }
    })
  }
  return async (inputs, numNearest, signal) => {
    const predictions = await predict(inputs, signal)
    return predictions.map(({ output, confidence }, index) => ({ output, confidence, nearest: findNearest(inputs[index], numNearest) }))
  }
}

/** The places of the `count` highest scores above 0, highest first, equals in their order. */
function rankHighest(scores: Float64Array, count: number): number[] {
  const best: number[] = []
  for (let place = 0; place < scores.length; place++) {
    if (scores[place] === 0 || (best.length === count && scores[place] <= scores[best[count - 1]])) continue
    const after = best.findIndex((known) => scores[known] < scores[place])
    best.splice(after < 0 ? best.length : after, 0, place)
    if (best.length > count) best.pop()
  }
  return best
}
