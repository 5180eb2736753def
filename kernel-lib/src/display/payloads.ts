// The MIME payloads that results show themselves by: plain, bounded, versioned JSON. The JupyterLab extension imports
// this file too, so nothing of Node may come in here.

export const payloadVersion = 1

/** MIME type of each kind of payload. */
export const mimeTypes = {
  prompt: "application/vnd.prompt2model.prompt+json",
  dataset: "application/vnd.prompt2model.dataset+json",
  candidates: "application/vnd.prompt2model.candidates+json",
  training: "application/vnd.prompt2model.metrics+json",
  report: "application/vnd.prompt2model.report+json",
  table: "application/vnd.prompt2model.table+json",
  demo: "application/vnd.prompt2model.demo+json",
  progress: "application/vnd.prompt2model.progress+json",
} as const

/** At most this many rows stand in a preview; the full file is named beside them. */
export const previewRows = 10
/** At most this many characters of a text stand in a payload. */
export const previewCharacters = 400

interface PayloadBase {
  readonly version: typeof payloadVersion
  /** What it is, in two or three words. */
  readonly title: string
  /** The sentence that a reader wants first: how many, by whom, how long, what it cost of what was allowed. */
  readonly subtitle: string
  /** The one next step, as code that can be pasted. */
  readonly nextStep?: string
}

export interface PromptPayload extends PayloadBase {
  readonly kind: "prompt"
  readonly instruction: string
  readonly demonstrations: readonly { readonly input: string; readonly output: string }[]
}

export interface PreviewRow {
  readonly row: number
  readonly input: string
  readonly output: string
  /** Where it came from, in a few words: `call 12, T 0.62`, `bundled/dates-cldr row 7`. */
  readonly from: string
  /** `3 of 4`, where there was a vote. */
  readonly votes?: string
}

export interface DatasetPayload extends PayloadBase {
  readonly kind: "dataset"
  readonly numRows: number
  /** Rows by split, where it is split. */
  readonly splits?: readonly { readonly name: string; readonly rows: number }[]
  /** Rows by where they came from. */
  readonly sources: readonly { readonly name: string; readonly rows: number }[]
  /** Rejected rows by reason, most first. */
  readonly rejected: readonly { readonly reason: string; readonly rows: number }[]
  readonly preview: readonly PreviewRow[]
  /** Histogram of input lengths. */
  readonly lengths?: { readonly unit: string; readonly bins: readonly number[]; readonly median: number; readonly max: number }
  /** The full file, relative to the folder the kernel runs in. */
  readonly file?: string
  /** True where a simulated teacher made rows. */
  readonly isSimulated?: boolean
}

export interface CandidatesPayload extends PayloadBase {
  readonly kind: "candidates"
  /** `datasets` or `models`. */
  readonly what: "datasets" | "models"
  /** Headers between the name and the reason. */
  readonly columns: readonly { readonly name: string; readonly isNumber?: boolean; readonly isText?: boolean }[]
  readonly candidates: readonly {
    readonly name: string
    readonly cells: readonly string[]
    readonly why: string
    readonly isChosen: boolean
  }[]
}

export interface TrainingPayload extends PayloadBase {
  readonly kind: "training"
  readonly facts: readonly { readonly label: string; readonly value: string }[]
  /** [step, loss], at most 500 points. */
  readonly train: readonly (readonly [number, number])[]
  readonly validation: readonly (readonly [number, number])[]
  readonly totalSteps: number
  readonly isRunning: boolean
  /** The run's folder, relative to the folder the kernel runs in: its events.jsonl grows while it trains. */
  readonly run?: string
}

export interface ReportSystem {
  readonly name: string
  /** Grey words behind the name: `byte-level T5`, `simulated`. */
  readonly note?: string
  readonly isOurs: boolean
  /** By metric, in the report's order; undefined where a system has no such score. */
  readonly scores: readonly ({ readonly value: number; readonly low?: number; readonly high?: number } | undefined)[]
  readonly size?: string
  readonly costPerThousand?: string
}

export interface ReportPayload extends PayloadBase {
  readonly kind: "report"
  /** `scale` is 1 for shares and 100 for chrF++. */
  readonly metrics: readonly { readonly name: string; readonly scale: number }[]
  readonly systems: readonly ReportSystem[]
  /** Groups of rows that are scored apart, for the student. */
  readonly groups: readonly { readonly name: string; readonly rows: number; readonly scores: readonly (number | undefined)[] }[]
  /** Parts of the rows, for the student: by what they are told apart, and each part with its scores. */
  readonly slices?: readonly { readonly by: string; readonly slices: ReportPayload["groups"] }[]
  /** Sentences that compare the student with the other systems. */
  readonly comparison?: string
  readonly worst: readonly {
    readonly row: number
    readonly input: string
    readonly expected: string
    readonly answer: string
    readonly confidence?: number
    /** The training row that is most like it, as `input -> output`. */
    readonly nearest?: string
  }[]
  readonly numWrong: number
  readonly numRows: number
  /** The rows with their answers as JSON lines, relative to the folder the kernel runs in. */
  readonly file?: string
}

/** At most this many rows of a table of results are shown. */
export const tableRows = 60

export interface TablePayload extends PayloadBase {
  readonly kind: "table"
  readonly columns: readonly { readonly name: string; readonly isNumber?: boolean; readonly isText?: boolean }[]
  readonly rows: readonly {
    readonly cells: readonly string[]
    /** The row that the table is about. */
    readonly isOurs?: boolean
  }[]
  /** Sentences under the table. */
  readonly notes: readonly string[]
  /** Scores that rows stand for, to be drawn beside them; undefined for a row that has none. */
  readonly intervals?: {
    readonly name: string
    /** 1 for shares, 100 for chrF++. */
    readonly scale: number
    readonly rows: readonly ({ readonly value: number; readonly low: number; readonly high: number } | undefined)[]
  }
}

export interface DemoPayload extends PayloadBase {
  readonly kind: "demo"
  readonly url: string
  readonly examples: readonly string[]
  /** What `askDemo` calls this demo by; its server knows whoever sends it for one who has seen this payload. */
  readonly id?: string
  /** The student's name. */
  readonly student?: string
  readonly instruction?: string
  /** Training rows that it looks for the nearest ones in. */
  readonly numTrain?: number
}

/** The header by which a served student knows whoever has seen its payload. */
export const demoHeader = "x-prompt2model-demo"

/** What `askDemo` shows, for whoever asked: no payload of a result, but one answer. */
export const answerType = "application/vnd.prompt2model.answer+json"

export interface AnsweredInput {
  readonly output: string
  /** In (0, 1]. */
  readonly confidence: number
  /** Training rows, the most alike first. */
  readonly nearest: readonly { readonly row: number; readonly input: string; readonly output: string; readonly similarity: number }[]
}

/** An answer, or the sentence that says why there is none. */
export type DemoAnswer = AnsweredInput | { readonly error: string }

export interface ProgressPayload extends PayloadBase {
  readonly kind: "progress"
  readonly done: number
  readonly total?: number
  readonly isRunning: boolean
}

/** The file beside run folders that lists them, so that nobody has to read a thousand run.json: a `RunIndexEntry` a line, a run's last one counts. */
export const runIndexFile = "prompt2model-runs.jsonl"

export interface RunIndexEntry {
  readonly version: typeof payloadVersion
  /** The name of the run's folder, which stands beside the index. */
  readonly run: string
  /** When this line was written, as ISO 8601. */
  readonly at: string
  /** `started`, `running`, `partial`, `failed` or `done`. */
  readonly status: string
  /** What was chosen for the run, each by a dotted name: `seed`, `training.learningRate`. */
  readonly settings: Readonly<Record<string, string | number | boolean>>
  /** The student's, by metric. */
  readonly scores: Readonly<Record<string, { readonly value: number; readonly low?: number; readonly high?: number }>>
  /** Spent on the teacher so far. */
  readonly usd: number
  /** Seconds that the run took, where it has ended. */
  readonly seconds?: number
}

export type Payload =
  | PromptPayload
  | DatasetPayload
  | CandidatesPayload
  | TrainingPayload
  | ReportPayload
  | TablePayload
  | DemoPayload
  | ProgressPayload
