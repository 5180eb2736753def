// The teachers, and what may be put around one of one's own.
export type { BatchOptions } from "./openai-batch"
export { type OpenAITeacher, type OpenAITeacherOptions, openaiTeacher } from "./openai-teacher"
export { findPrice, type Price, pricesAsOf } from "./prices"
export { RateControl, type RateControlOptions, withRateControl } from "./rate-control"
export { type RecordedTeacher, recordedTeacher } from "./recorded-teacher"
export type { RetryOptions } from "./retry"
export { type SimulatedTeacherOptions, simulatedTeacher } from "./simulated/simulated-teacher"
export { type TeacherFromNameOptions, teacherFromName } from "./teacher-from-name"
