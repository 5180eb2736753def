// The engine: networks written as plain tfjs, traced into one graph, run by the best runtime that is here.

export { type Criterion, distillationLoss, uniformCrossEntropy, withCriterion } from "./criterion"
export { compileFlexible, runsAnySize } from "./flexible"
export { dropout, embed, gelu, inScope, layerNorm, linear, moveRows, relu, rmsNorm, scatterRows, silu, softmaxCrossEntropy } from "./layers"
export { adaptWeight, type LowRankAdapter } from "./low-rank"
export type { FlexibleSpec, Size } from "./named-sizes"
export { ModelAssembly, type WeightStorage } from "./onnx/model-assembly"
export type { AdafactorOptions, AdamWOptions, OptimizerOptions } from "./optimizers/optimizer-options"
export { RandomStream, randomKey } from "./random-stream"
export type { DataType } from "./recording"
export { describeEngines, type EngineDescription, type EngineVariant, selectEngine } from "./select-engine"
export type {
  Engine,
  EngineChoice,
  FlexibleDefinition,
  FlexibleRunOptions,
  FlexibleSession,
  ForwardDefinition,
  ForwardFunction,
  ForwardSession,
  LossFunction,
  NamedParameters,
  NamedTensors,
  NamedValues,
  Precision,
  StepOptions,
  StepResult,
  TensorData,
  TensorSpec,
  TensorValue,
  TrainingDefinition,
  TrainingSession,
  TrainingState,
} from "./session"
