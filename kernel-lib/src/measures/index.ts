// The measures: metrics, how sure they are, and which texts are alike. Pure functions.
export { accuracy } from "./accuracy"
export {
  type BertMatch,
  type BertScoreOptions,
  type BertScores,
  bertScore,
  bertScoreF1,
  matchTokens,
  statisticsOfBertScores,
} from "./bert-score"
export { bleu } from "./bleu"
export { type BootstrapOptions, bootstrapInterval, type Interval, type PairedDifference, pairedBootstrap } from "./bootstrap"
export { type ChrFOptions, chrF, chrFPlusPlus, defineChrF } from "./chrf"
export { type Diversity, describeDiversity, measureDiversity } from "./diversity"
export { exactMatch, exactMatchNormalized } from "./exact-match"
export { macroF1 } from "./macro-f1"
export { type McNemarResult, mcNemar } from "./mcnemar"
export type { Answer, Metric, MetricScore, Reference, RowStatistics } from "./metric"
export { describeMetric, type MetricName, metricNamed, metrics, needsEncoder } from "./metrics"
export { groupNearDuplicates, type NearDuplicate, NearDuplicateIndex, type NearDuplicateOptions } from "./near-duplicates"
export { type NearestText, NearestTexts } from "./nearest-texts"
export { normalizeAnswer } from "./normalize-answer"
export { normalizeText } from "./normalize-text"
export { kendallTau, type RankCorrelation, type RankCorrelationOptions, spearmanRho } from "./rank-correlation"
export { rougeL } from "./rouge-l"
export { type PredictionColumns, readPredictions, type ScorePredictionsOptions, scorePredictions } from "./score-predictions"
export { tokenF1 } from "./token-f1"
