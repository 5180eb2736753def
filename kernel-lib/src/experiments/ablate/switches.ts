// The switches of an ablation, as data: what each stage can be told, how a value is checked, and what it changes in a cell's plan.
import { InputError } from "../../core/errors"
import type { StageInlineOptions } from "../../core/run"
import { settingNames, type TrainingSettings } from "../../stages/fine-tune/choose-settings"
import type { FineTuneOptions } from "../../stages/fine-tune/fine-tune"
import type { GenerateDatasetOptions } from "../../stages/generate-dataset/generate-dataset"

export const sourceChoices = ["retrieved", "generated", "both", "own", "all"] as const
/** Where training rows come from; `both` is retrieved and generated, `own` the caller's rows (the paper's custom annotation), `all` the three. */
export type SourceChoice = (typeof sourceChoices)[number]

/** What a cell of an ablation may differ in. Every setting of `fineTune` is a switch, too. */
export interface Switches extends Partial<TrainingSettings> {
  /** Default `both`, and `all` where own rows are given. */
  readonly source?: SourceChoice
  /** Rows to generate. */
  readonly numExamples?: number
  /** Off: every request at the first temperature. Or the two temperatures. Default on. */
  readonly annealing?: boolean | { readonly initial: number; readonly final: number }
  /** Whether answers to one input are merged by majority. Default on. */
  readonly voting?: boolean
  /** Filters of generated rows: all on, all off, or which are off, e.g. `{ nearDuplicate: false }`. Default on. */
  readonly filters?: boolean | NonNullable<GenerateDatasetOptions["filters"]>
  /** Answers asked for in each request. */
  readonly responsesPerRequest?: number
  /** Whether the teacher votes on retrieved datasets, or how often. Default on: 5 votes. */
  readonly rerank?: boolean | number
  /** Most rows to split into train and validation, of all sources together. */
  readonly maxRows?: number
  /** The base model: its name or folder, or its place among the candidates. Default 0, the first. */
  readonly model?: string | number
  /** Whether models are searched by a card that the teacher makes up (HyDE), or by the prompt's own words. Default on. */
  readonly hyde?: boolean
  /** Who makes rows and judges datasets, by its name among `teachers`. Default: the run's. */
  readonly teacher?: string
  /** How an input is put to the student. */
  readonly template?: "paper" | "bare"
}

/** Everything that a cell's stages are told. */
export interface CellPlan {
  readonly source: SourceChoice
  readonly numExamples?: number
  readonly generation: Omit<GenerateDatasetOptions, keyof StageInlineOptions | "numExamples" | "onRow">
  /** Votes of the teacher on retrieved datasets; undefined is the stage's default. */
  readonly votes?: number
  readonly maxRows?: number
  readonly hyde?: boolean
  readonly teacher?: string
  readonly model: string | number
  readonly training: Omit<FineTuneOptions, keyof StageInlineOptions | "train" | "validation" | "spec">
}

/** What holds for every cell, unless a switch says otherwise. */
export type PlanDefaults = Partial<Pick<CellPlan, "numExamples" | "generation" | "training">> & {
  readonly hasOwn: boolean
  /** Names of the teachers to choose from. */
  readonly teachers?: readonly string[]
}

interface SwitchRule {
  readonly accepts: (value: unknown) => boolean
  /** What `accepts` wants, in words. */
  readonly wanted: string
  readonly apply: (plan: CellPlan, value: never) => CellPlan
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0
const isFlag = (value: unknown) => typeof value === "boolean"
const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value)
const usualFirstTemperature = 0.5
const filterNames = ["duplicate", "nearDuplicate", "lengthOutlier", "refusal", "copiesDemonstration"]

const dataRules: Readonly<Record<string, SwitchRule>> = {
  source: {
    accepts: (value) => sourceChoices.includes(value as SourceChoice),
    wanted: `one of ${sourceChoices.join(", ")}`,
    apply: (plan, source: SourceChoice) => ({ ...plan, source }),
  },
  numExamples: {
    accepts: isCount,
    wanted: "a whole number above 0",
    apply: (plan, numExamples: number) => ({ ...plan, numExamples }),
  },
  annealing: {
    accepts: (value) => isFlag(value) || (isObject(value) && "initial" in (value as object) && "final" in (value as object)),
    wanted: "true, false, or { initial, final }",
    apply: (plan, value: NonNullable<Switches["annealing"]>) => {
      const first = plan.generation.temperature?.initial ?? usualFirstTemperature
      if (value === true) return plan
      return withGeneration(plan, { temperature: value === false ? { initial: first, final: first } : value })
    },
  },
  voting: {
    accepts: isFlag,
    wanted: "true or false",
    apply: (plan, isVoting: boolean) => withGeneration(plan, { isVoting }),
  },
  filters: {
    accepts: (value) =>
      isFlag(value) || (isObject(value) && Object.entries(value as object).every(([name, is]) => filterNames.includes(name) && isFlag(is))),
    wanted: `true, false, or which are off, of ${filterNames.join(", ")}`,
    apply: (plan, value: NonNullable<Switches["filters"]>) => {
      if (value === true) return plan
      const filters = value === false ? Object.fromEntries(filterNames.map((name) => [name, false])) : value
      return withGeneration(plan, { filters })
    },
  },
  responsesPerRequest: {
    accepts: isCount,
    wanted: "a whole number above 0",
    apply: (plan, responsesPerRequest: number) => withGeneration(plan, { responsesPerRequest }),
  },
  rerank: {
    accepts: (value) => isFlag(value) || value === 0 || isCount(value),
    wanted: "true, false, or a number of votes",
    apply: (plan, value: boolean | number) => ({ ...plan, votes: value === true ? undefined : Number(value) }),
  },
  maxRows: {
    accepts: isCount,
    wanted: "a whole number above 0",
    apply: (plan, maxRows: number) => ({ ...plan, maxRows }),
  },
  model: {
    accepts: (value) => typeof value === "string" || value === 0 || isCount(value),
    wanted: "a model's name, a folder, or its place among the candidates",
    apply: (plan, model: string | number) => ({ ...plan, model }),
  },
  hyde: {
    accepts: isFlag,
    wanted: "true or false",
    apply: (plan, hyde: boolean) => ({ ...plan, hyde }),
  },
  teacher: {
    accepts: (value) => typeof value === "string",
    wanted: "the name of one of teachers",
    apply: (plan, teacher: string) => ({ ...plan, teacher }),
  },
  template: {
    accepts: (value) => value === "paper" || value === "bare",
    wanted: "paper or bare",
    apply: (plan, template: "paper" | "bare") => ({ ...plan, training: { ...plan.training, template } }),
  },
}

/** The names of all switches. */
export const switchNames: readonly string[] = [...Object.keys(dataRules), ...settingNames]

/**
 * The plan of a cell.
 * @throws InputError `ablate.no-such-switch`, `ablate.switch-value`, `ablate.no-own-rows`, `ablate.no-such-teacher`
 */
export function planCell(switches: Switches, { hasOwn, teachers = [], ...defaults }: PlanDefaults): CellPlan {
  let plan: CellPlan = { source: hasOwn ? "all" : "both", generation: {}, training: {}, model: 0, ...defaults }
  for (const [name, value] of Object.entries(switches)) {
    if (value === undefined) continue
    const rule = Object.hasOwn(dataRules, name) ? dataRules[name] : undefined
    if (rule) {
      if (!rule.accepts(value))
        throw new InputError("ablate.switch-value", `The switch ${name} is ${JSON.stringify(value)}: it must be ${rule.wanted}.`)
      plan = rule.apply(plan, value as never)
    } else if ((settingNames as readonly string[]).includes(name)) plan = { ...plan, training: { ...plan.training, [name]: value } }
    else throw new InputError("ablate.no-such-switch", `There is no switch ${name}: choose from ${switchNames.join(", ")}.`)
  }
  if (plan.teacher !== undefined && !teachers.includes(plan.teacher))
    throw new InputError(
      "ablate.no-such-teacher",
      `The switch teacher is ${plan.teacher}: ${teachers.length > 0 ? `choose from ${teachers.join(", ")}` : `pass teachers: { "${plan.teacher}": openaiTeacher("${plan.teacher}") }`}.`,
    )
  if ((plan.source === "own" || plan.source === "all") && !hasOwn)
    throw new InputError("ablate.no-own-rows", `The source ${plan.source} needs rows of one's own: pass own: Dataset.from(rows).`)
  return plan
}

function withGeneration(plan: CellPlan, generation: CellPlan["generation"]): CellPlan {
  return { ...plan, generation: { ...plan.generation, ...generation } }
}

/** A value as a table shows it. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "default"
  if (typeof value === "boolean") return value ? "on" : "off"
  if (typeof value !== "object" || value === null) return String(value)
  return Object.entries(value)
    .map(([name, member]) => `${name} ${describeValue(member)}`)
    .join(", ")
}
