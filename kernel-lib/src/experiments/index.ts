// Experiments: what calls the pipeline, or reads what others made with it, many times over.

export type { Figure } from "../display/figure"
export { type AblateOptions, type AblateSourcesOptions, ablate, ablateSources } from "./ablate/ablate"
export { Ablation } from "./ablate/ablation"
export type { AblationCell, AblationData } from "./ablate/ablation-data"
export type { CellChoice, Grid } from "./ablate/cells"
export type { Switches } from "./ablate/switches"
export { type CompareReportsOptions, compareReports } from "./compare-reports/compare-reports"
export { type ChangedRow, ReportComparison, type ScoreChange } from "./compare-reports/report-comparison"
export { type CompareWithTeacherOptions, compareWithTeacher } from "./compare-with-teacher/compare-with-teacher"
export { TeacherComparison } from "./compare-with-teacher/teacher-comparison"
export { DeploymentEstimate, type DeploymentEstimateData, type Verdict } from "./estimate-before-deployment/deployment-estimate"
export {
  type EstimateBeforeDeploymentOptions,
  estimateBeforeDeployment,
} from "./estimate-before-deployment/estimate-before-deployment"
export { reproduceTable, type TableName, tableNames } from "./reproduce-table/reproduce-table"
export type { ReproducedCell } from "./reproduce-table/reproduced-table"
export { ReproducedTable } from "./reproduce-table/reproduced-table"
export { type ReproduceTrainingOptions, reproduceTraining } from "./reproduce-training/reproduce-training"
export { ReproducedTraining } from "./reproduce-training/reproduced-training"
export type { ReproducedTrainingData } from "./reproduce-training/reproduced-training-data"
export { type TrainingName, trainingNames } from "./reproduce-training/training-tasks"
export type { RunnerOptions } from "./runners/choose-runner"
export { type LocalProcessesOptions, localProcesses } from "./runners/local-processes"
export { type QueueOptions, queue } from "./runners/queue"
export type { Runner } from "./runners/runner"
export {
  type SearchHyperparametersOptions,
  searchHyperparameters,
} from "./search-hyperparameters/search-hyperparameters"
export { HyperparameterSearch, type SearchData, type Trial } from "./search-hyperparameters/search-result"
export type { Range, SearchSpace } from "./search-hyperparameters/space"
export { ErrorTrace, type RowChoice, type TracedError, type TracedRow } from "./trace-errors/error-trace"
export type { GroupBy, SuspectGroup } from "./trace-errors/suspect-groups"
export type { TeacherCall } from "./trace-errors/teacher-calls"
export { type TraceErrorsOptions, traceErrors } from "./trace-errors/trace-errors"
