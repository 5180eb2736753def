// What a student in memory is: network, weights, tokenizer and template together, and what may be asked of it.
import type { EngineName } from "../core/run"
import type { Student } from "../core/student"
import type { NamedParameters } from "../engine"
import type { Architecture, TrainingRow } from "./architecture"
import type { GenerationConfiguration } from "./generation-configuration"
import type { Template } from "./template"
import type { Tokenizer } from "./tokenizer"

/** What a student knows beside its weights. */
export interface StudentDetails {
  readonly template: Template
  /** Longest input, in tokens with the end of sequence; longer ones are cut. Default: no limit. */
  readonly maxInputTokens?: number
  /** Longest answer, in tokens with the end of sequence. Default: `generation_config.json`. */
  readonly maxOutputTokens?: number
  /** How it was trained, in the words of whoever trained it; kept in `prompt2model.json`. */
  readonly history?: Readonly<Record<string, unknown>>
}

/** A student that can be trained. Its weights stay in this process until `dispose`. */
export interface LoadedStudent extends Student, StudentDetails {
  readonly tokenizer: Tokenizer
  /** Share of the activations that its network drops in training, as its `config.json` says. */
  readonly dropoutRate: number
  /** The weights as they are now, under transformers' names. */
  readonly weights: NamedParameters
  /** Ids of a raw input, put into the template and cut to `maxInputTokens`. @throws InputError `student.vocabulary` */
  encodeInput(input: string): number[]
  /** Ids of a raw input and of its output, neither cut. @throws InputError `student.vocabulary` */
  encodeRow(input: string, output: string): TrainingRow
  /** The same student with other details. Weights are shared until one of the two is trained. */
  copy(details?: Partial<StudentDetails>): Promise<LoadedStudent>
}

/** All that a student consists of. */
export interface StudentParts extends StudentDetails {
  readonly name: string
  readonly model: Architecture
  readonly generation: GenerationConfiguration
  readonly tokenizer: Tokenizer
  readonly weights: NamedParameters
  /** The weights lie in a training's memory, which changes them and will free them. */
  readonly isInTraining?: boolean
  /** Brings the values of `weights` up to date where a training changed others that they are made of. */
  readonly refresh?: () => void
  readonly isPretrained: boolean
  readonly engine: EngineName
  readonly threads?: number
}
