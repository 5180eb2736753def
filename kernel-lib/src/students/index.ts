// Students: small models in memory. Load and save as transformers does, predict, train.
export type { Architecture, TrainingRow } from "./architecture"
export { createByteTokenizer } from "./byte-tokenizer"
export { type CreateStudentOptions, createStudent, type LoadStudentOptions, loadStudent } from "./load-student"
export { loadTokenizer } from "./load-tokenizer"
export type { LoadedStudent, StudentDetails } from "./student"
export { fillTemplate, type Template } from "./template"
export type { Tokenizer } from "./tokenizer"
export { openTraining, type Training, type TrainingOptions } from "./training"
