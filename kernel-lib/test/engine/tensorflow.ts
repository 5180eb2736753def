// TensorFlow, where it is installed: tests of its engine are skipped elsewhere, and say how to get it.
import type { Engine } from "../../src/engine"
import { openTensorFlow, type TensorFlowApi } from "../../src/engine/tensorflow/tensorflow-api"
import { makeTensorFlowEngine } from "../../src/engine/tensorflow/tensorflow-engine"

function openIfInstalled(): TensorFlowApi | undefined {
  try {
    return openTensorFlow()
  } catch (error) {
    if ((error as { code?: string }).code === "engine.tensorflow-missing") return undefined
    throw error
  }
}

const api = openIfInstalled()
/** Only to be used where `isInstalled`. */
export const tensorflow = (api && makeTensorFlowEngine(api)) as Engine
export const isInstalled = api !== undefined
/** With answers by another engine. */
export const makeWith = (forwardEngine: Engine): Engine => makeTensorFlowEngine(api!, { forwardEngine })
export const label = isInstalled ? "on TensorFlow" : "on TensorFlow, which is not installed (npm run setup:tensorflow)"
