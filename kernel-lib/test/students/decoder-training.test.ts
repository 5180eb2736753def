// Training models that go on with a text, against transformers with PyTorch's AdamW: prompts are read, completions alone are learnt.
import { describe, expect, it } from "vitest"
import { selectEngine } from "../../src/engine"
import { decoderModels, readDecoderGolden, readDecoderModel, readDecoderTensors } from "./decoder-golden"
import { largestDifference } from "./golden"

describe.each(decoderModels)("%s", (name) => {
  // The eager engine is slow: one model stands for all there.
  it.each(name === "llama3" ? (["onnx", "eager"] as const) : (["onnx"] as const))(
    "has transformers' loss and gradients on %s",
    async (engineName) => {
      const golden = readDecoderGolden(name)
      const expected = await readDecoderTensors(name)
      const { architecture, weights } = await readDecoderModel(name)
      const session = (await selectEngine(engineName)).createTrainingSession({
        parameters: weights,
        loss: architecture.loss(0),
        threads: 1,
      })
      const result = await session.computeGradients(architecture.makeBatch(golden.rows, golden.rows.length + 1))
      expect(result.loss).toBeCloseTo(golden.loss, 4)
      for (const key of Object.keys(weights)) {
        expect(largestDifference(result.gradients[key], expected.get(`gradients/${key}`)!.data), key).toBeLessThan(1e-4)
      }
      session.dispose()
    },
  )

  it("takes ten steps along transformers' curve", async () => {
    const { batches, losses, gradientNorms, optimizer } = readDecoderGolden(name)
    const { architecture, weights } = await readDecoderModel(name)
    const { learningRate, weightDecay, maxGradientNorm } = optimizer
    const session = (await selectEngine("onnx")).createTrainingSession({
      parameters: weights,
      loss: architecture.loss(0),
      optimizer: { weightDecay, maxGradientNorm, decays: architecture.decays },
      threads: 1,
    })
    for (let step = 0; step < 10; step++) {
      const { loss, gradientNorm } = await session.step(architecture.makeBatch(batches[step % batches.length], 4), { learningRate })
      expect(loss, `step ${step}`).toBeCloseTo(losses[step], 3)
      expect(gradientNorm / gradientNorms[step], `step ${step}`).toBeCloseTo(1, 2)
    }
    session.dispose()
  })
})
