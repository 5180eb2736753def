// Answers that are one label of several: the most probable one, whose probability is the confidence.
import type { Prediction } from "../core/student"
import type { NamedTensors } from "../engine"
import { type BertShape, bertLabelLogits } from "../networks/bert"
import type { Answering, AnsweringParts, AnswerOptions, EncodedInput } from "./architecture"
import { EncoderRuns } from "./encoder-runs"

export class TextClassification implements Answering {
  private readonly runs: EncoderRuns

  constructor(
    shape: BertShape,
    private readonly labels: readonly string[],
    { engine, weights, threads }: AnsweringParts,
  ) {
    const forward = (inputs: NamedTensors, parameters: NamedTensors) => ({ logits: bertLabelLogits(shape, inputs, parameters) })
    this.runs = new EncoderRuns({ engine, shape, weights, forward, threads })
  }

  async answer(inputs: readonly EncodedInput[], { signal, onProgress }: AnswerOptions): Promise<Prediction[]> {
    const count = this.labels.length
    const predictions: Prediction[] = new Array(inputs.length)
    await this.runs.run(
      inputs,
      ({ logits }, numbers) => {
        for (const [row, number] of numbers.entries()) {
          const scores = (logits.data as Float32Array).subarray(row * count, (row + 1) * count)
          predictions[number] = this.describe(scores)
        }
      },
      { signal, onProgress },
    )
    return predictions
  }

  private describe(scores: Float32Array): Prediction {
    const largest = scores.reduce((most, score) => Math.max(most, score))
    const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0)
    return { output: this.labels[scores.indexOf(largest)], tokens: [], confidence: 1 / sum }
  }

  dispose(): void {
    this.runs.dispose()
  }
}
