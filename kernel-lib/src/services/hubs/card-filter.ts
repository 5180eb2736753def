// Which of a hub's cards are worth an index: those that upstream keeps (its scripts/dataset_index/preprocessing.py), which are datasets that say
// what they are, that somebody uses, and that are no copies of another. Models are kept by their use alone: what they are says their name.
import { createHash } from "node:crypto"
import type { DatasetCard, ModelCard } from "../../core/hub"

export interface CardFilterOptions {
  /** Fewest words of a dataset's description. Default 4, as upstream. */
  readonly minWords?: number
  /** Fewest downloads. Default 10, as upstream. */
  readonly minDownloads?: number
}

/** Why a card was left out. */
export type FilterReason = "closed or unknown" | "no description" | "few downloads" | "repeated description"

export class CardFilter {
  /** How many were left out, by the reason. */
  readonly left: Partial<Record<FilterReason, number>> = {}
  /** Eight bytes of each description's hash. */
  private readonly descriptions = new Set<bigint>()

  /** @param what `all` keeps every card that there is */
  constructor(
    private readonly what: "datasets" | "models" | "all",
    private readonly options: Required<CardFilterOptions>,
  ) {}

  /** Whether the card is indexed. Of several with one description the first is. */
  keeps<Card extends DatasetCard | ModelCard>(card: Card | undefined): card is Card {
    const reason = card ? this.findReason(card) : "closed or unknown"
    if (reason !== undefined) this.left[reason] = (this.left[reason] ?? 0) + 1
    return reason === undefined
  }

  private findReason({ description, downloads }: DatasetCard | ModelCard): FilterReason | undefined {
    if (this.what === "all") return undefined
    const { minWords, minDownloads } = this.options
    if (this.what === "datasets" && description.split(/\s+/).filter(Boolean).length < minWords) return "no description"
    if (downloads < minDownloads) return "few downloads"
    if (this.what === "models") return undefined
    const hash = createHash("sha256").update(description).digest().readBigUInt64LE()
    if (this.descriptions.has(hash)) return "repeated description"
    this.descriptions.add(hash)
    return undefined
  }
}
