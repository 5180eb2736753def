// The hub: where dataset and model cards, rows and weights come from.

export interface DatasetConfiguration {
  readonly name: string
  readonly splits: readonly string[]
  readonly columns: readonly string[]
  readonly numRows?: number
  readonly sampleRow?: Readonly<Record<string, unknown>>
  /** The names that a column's cells are of, for columns that hold one of a few labels, where the hub knows them. */
  readonly labels?: Readonly<Record<string, readonly string[]>>
  /** Columns that hold no text, which are not among `columns`, with what they hold: `Image`, `Audio`, `binary` and so on. */
  readonly media?: Readonly<Record<string, string>>
}

/** The split to train on: `train`, else one that calls itself so (`train_sft`, `partial-train`), else the first. */
export function trainingSplitOf(splits: readonly string[]): string {
  return splits.find((split) => split === "train") ?? splits.find((split) => /(^|[^a-z])train/i.test(split)) ?? splits[0] ?? "train"
}

export interface DatasetCard {
  /** As the hub names it, e.g. `bundled/dates-cldr` or `squad`. */
  readonly id: string
  readonly description: string
  readonly tags: readonly string[]
  readonly languages: readonly string[]
  /** SPDX identifier or the hub's own word; `unknown` when it says nothing. */
  readonly license: string
  readonly downloads: number
  /** Size of the download, in bytes, where the hub knows it. */
  readonly bytes?: number
  /** Gated and script-only sets are shown, and never chosen silently. */
  readonly access: "open" | "gated" | "private" | "script"
  readonly configurations: readonly DatasetConfiguration[]
}

export interface ModelCard {
  readonly id: string
  readonly description: string
  readonly tags: readonly string[]
  readonly languages: readonly string[]
  readonly license: string
  readonly downloads: number
  /** transformers' `model_type`, e.g. `t5`. */
  readonly architecture: string
  /** Number of weights, where the hub knows it. */
  readonly parameters?: number
  /** Size of the weights, in bytes, where the hub knows it. */
  readonly bytes?: number
  /** False for a configuration whose weights are drawn at random when it is loaded. */
  readonly isPretrained: boolean
}

/** One configuration's rows, read from the hub. */
export interface SourceTable {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/** What a hub's listing says of one dataset or model. */
export interface ListedCard<Card> {
  readonly id: string
  /** When it was changed last, ISO 8601. */
  readonly changedAt: string
  /** None for what may not be read, or of which nobody says what it is. */
  readonly card?: Card
}

export interface ListedPage<Card> {
  readonly entries: readonly ListedCard<Card>[]
  /** What `from` takes to go on behind this page; undefined for the last one. */
  readonly next?: string
}

export interface ListingOptions {
  /** The `next` of a page that was read before. */
  readonly from?: string
  /** Only what was changed at this time or later, ISO 8601. */
  readonly changedSince?: string
  readonly signal?: AbortSignal
}

/** A hub. Methods reject with a `ServiceError` when it cannot be reached, `InputError` when it has no such thing. */
export interface Hub {
  readonly name: string
  /** What decides its answers, for fingerprints: address and catalogue version. */
  readonly identity: string
  /** What leaves the machine goes here; undefined when nothing does. */
  readonly sendsTo?: string
  /**
   * Cards that may fit `query`; a small hub answers with all it has. `searched` is how many it looked through. `scores`, where it ranked them
   * itself, are one for each card, best first, the larger the better; they decide the order then, else the cards' words do.
   */
  findDatasets(
    query: string,
    options?: { signal?: AbortSignal },
  ): Promise<{ cards: DatasetCard[]; searched: number; scores?: readonly number[] }>
  findModels(query: string, options?: { signal?: AbortSignal }): Promise<{ cards: ModelCard[]; searched: number }>
  /** All that it has, page by page, what was changed last first. Absent where the find methods answer with everything. */
  listDatasets?(options?: ListingOptions): AsyncIterable<ListedPage<DatasetCard>>
  listModels?(options?: ListingOptions): AsyncIterable<ListedPage<ModelCard>>
  readRows(id: string, options: { configuration: string; split: string; maxRows: number; signal?: AbortSignal }): Promise<SourceTable>
  /** A folder on this machine that holds the model as transformers writes it (config.json, weights unless untrained, tokenizer). */
  fetchModel(id: string, options?: { signal?: AbortSignal }): Promise<string>
}
