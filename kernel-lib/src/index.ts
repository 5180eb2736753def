// The public API, in pipeline order. Importing it in a tslab kernel makes results show themselves.
import type { EngineName } from "./core/run"
import { createNotebookReporter } from "./display/notebook-reporter"
import { installTslabHook } from "./display/tslab-hook"
import { type EngineChoice, selectEngine as selectAnyEngine } from "./engine"
import { setDefaultReporter } from "./store/run"

export type { Candidates, DatasetCandidate, ModelCandidate, SourceDataset } from "./core/candidates"
export type { DataFrameLike, GroupsLike, SeriesLike } from "./core/data-frame"
export { Dataset, type Provenance, type RejectedRow, type Row, type RowLike } from "./core/dataset"
export {
  BudgetError,
  EngineError,
  InputError,
  InterruptedError,
  isPrompt2ModelError,
  ModelOutputError,
  Prompt2ModelError,
  ServiceError,
} from "./core/errors"
export type {
  DatasetCard,
  DatasetConfiguration,
  Hub,
  ListedCard,
  ListedPage,
  ListingOptions,
  ModelCard,
  SourceTable,
} from "./core/hub"
export { type PlotOptions, plot } from "./core/plot"
export { type Example, PromptSpec } from "./core/prompt-spec"
export type { EngineName, Limits, Progress, Reporter, Run, RunEvent, SentRecord, Spending } from "./core/run"
export type { Decoding, Prediction, PredictOptions, Student } from "./core/student"
export type {
  ChatMessage,
  CompleteOptions,
  RequestEstimate,
  ResponseSchema,
  Teacher,
  TeacherCompletion,
  TeacherPurpose,
  TeacherRequest,
  TokenUsage,
} from "./core/teacher"
export type { TokenEncoder, TokenVectors } from "./core/token-encoder"
export { show } from "./display/tslab-hook"
export { describeEngines, type EngineChoice, type EngineDescription, type EngineVariant } from "./engine"
export {
  type AblateOptions,
  type AblateSourcesOptions,
  Ablation,
  type AblationCell,
  type AblationData,
  ablate,
  ablateSources,
  type CellChoice,
  type ChangedRow,
  type CompareReportsOptions,
  type CompareWithTeacherOptions,
  compareReports,
  compareWithTeacher,
  DeploymentEstimate,
  ErrorTrace,
  type EstimateBeforeDeploymentOptions,
  estimateBeforeDeployment,
  type Figure,
  type Grid,
  type GroupBy,
  HyperparameterSearch,
  type LocalProcessesOptions,
  localProcesses,
  type QueueOptions,
  queue,
  type Range,
  ReportComparison,
  type ReproducedCell,
  ReproducedTable,
  ReproducedTraining,
  type ReproducedTrainingData,
  type ReproduceTrainingOptions,
  type RowChoice,
  type Runner,
  type RunnerOptions,
  reproduceTable,
  reproduceTraining,
  type ScoreChange,
  type SearchHyperparametersOptions,
  type SearchSpace,
  type SuspectGroup,
  type Switches,
  searchHyperparameters,
  type TableName,
  type TeacherCall,
  TeacherComparison,
  type TracedError,
  type TracedRow,
  type TraceErrorsOptions,
  type TrainingName,
  type Trial,
  tableNames,
  traceErrors,
  trainingNames,
} from "./experiments"
export {
  type Answer,
  type BertMatch,
  type BertScoreOptions,
  type BertScores,
  type BootstrapOptions,
  bertScore,
  bootstrapInterval,
  type ChrFOptions,
  type Diversity,
  defineChrF,
  kendallTau,
  type McNemarResult,
  type Metric,
  type MetricName,
  mcNemar,
  metricNamed,
  metrics,
  type PairedDifference,
  pairedBootstrap,
  type RankCorrelation,
  type RankCorrelationOptions,
  type Reference,
  type RowStatistics,
  scorePredictions,
  spearmanRho,
} from "./measures"
export { type PipelineOptions, type PipelineResult, prompt2model } from "./pipeline"
export {
  type BuildIndexOptions,
  type BuiltIndex,
  buildIndex,
  type DiskIndex,
  openIndex,
  type RankedCard,
  refreshIndex,
  type SearchableCard,
  type SearchIndexOptions,
  type SearchMethod,
  type TextEmbedder,
} from "./search"
export {
  bundledHub,
  type HuggingFaceHubOptions,
  huggingFaceHub,
  type IndexedCards,
  type IndexedKind,
  type IndexHubOptions,
  indexHub,
} from "./services/hubs"
export {
  type BatchOptions,
  type OpenAITeacher,
  type OpenAITeacherOptions,
  openaiTeacher,
  type Price,
  type RateControlOptions,
  type RecordedTeacher,
  recordedTeacher,
  simulatedTeacher,
  withRateControl,
} from "./services/teachers"
export { type BertScoreSettings, type EvaluateOptions, evaluate, type Report, type Slice, type SliceBy } from "./stages/evaluate/evaluate"
export type { BaselineName, Comparison, NearestRow, ReportData, ReportRow, SystemName, SystemScores } from "./stages/evaluate/report"
export type { GroupScores, Interval } from "./stages/evaluate/score-system"
export {
  type Certificate,
  type CertifiedSystem,
  type Disagreement,
  type ExportedFile,
  type ExportFormat,
  type ExportStudentOptions,
  exportStudent,
  StudentExport,
} from "./stages/export-student/export-student"
export type { TrainingSettings } from "./stages/fine-tune/choose-settings"
export { type FineTuneOptions, fineTune, type TrainedStudent } from "./stages/fine-tune/fine-tune"
export type { LossCurve, TrainingOutcome } from "./stages/fine-tune/training-outcome"
export {
  type GenerateDatasetOptions,
  GeneratedDataset,
  type Generating,
  generateDataset,
} from "./stages/generate-dataset/generate-dataset"
export type { GenerationEstimate } from "./stages/generate-dataset/generation-cost"
export type { FilterSwitches } from "./stages/generate-dataset/row-filters"
export type { RowStream } from "./stages/generate-dataset/stream-rows"
export { type LoadDatasetOptions, loadDataset } from "./stages/load-dataset/load-dataset"
export { loadModel } from "./stages/load-model/load-model"
export { parsePrompt } from "./stages/parse-prompt/parse-prompt"
export { type LeakReport, type ProcessDatasetsOptions, processDatasets, type Splits } from "./stages/process-datasets/process-datasets"
export { type DatasetCandidates, type RetrieveDatasetsOptions, retrieveDatasets } from "./stages/retrieve-datasets/retrieve-datasets"
export { type ModelCandidates, type RetrieveModelsOptions, retrieveModels } from "./stages/retrieve-models/retrieve-models"
export { askDemo } from "./stages/serve/ask-demo"
export { type Demo, type ServeOptions, serve } from "./stages/serve/serve"
export type { TransformationPlan } from "./stages/transform-dataset/plan-transformation"
export { type TransformDatasetOptions, transformDataset } from "./stages/transform-dataset/transform-dataset"
export { TransformedDataset } from "./stages/transform-dataset/transformed-dataset"
export { type ExportedResponses, exportResponses } from "./store/exported-responses"
export { type FolderRun, type OpenRunOptions, openRunFolder as openRun, type RunConfiguration } from "./store/run"
export { readDataset, writeDataset } from "./store/tables"
export { exportTensorBoard } from "./store/tensor-board"
export {
  type Embedder,
  type EmbedOptions,
  type EncodedTexts,
  type EncodeOptions,
  type LoadEmbedderOptions,
  type LoadedStudent,
  type LoadedTokenEncoder,
  type LoadTokenEncoderOptions,
  type LowRankOptions,
  loadEmbedder,
  loadStudent,
  loadTokenEncoder,
  type SpecialIds,
  type Template,
  type TextRange,
  type TokenizedText,
  type Tokenizer,
} from "./students"

/**
 * The engine of that name; `auto` takes the best that works here, and says why.
 * @throws EngineError `engine.not-available`, `engine.onnx-missing`, `engine.onnx-broken`, `engine.no-gpu`, `engine.tensorflow-missing`,
 *   `engine.tensorflow-broken`
 * @example
 * const { name, reason } = await selectEngine("auto")
 */
export const selectEngine: (name: EngineName) => Promise<EngineChoice> = selectAnyEngine

if (installTslabHook()) setDefaultReporter(createNotebookReporter())
