// retrieveDatasets: a prompt in, dataset candidates out. The hub's cards are searched, the teacher votes over the best of them, and
// the columns that hold input and output are chosen and checked against the card.
import type { Candidates, DatasetCandidate } from "../../core/candidates"
import { InputError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { DatasetCard } from "../../core/hub"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { canAnswer } from "../../core/teacher"
import { type CandidatesPayload, payloadVersion } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { searchCards } from "../../search"
import { defineStage } from "../../store/define-stage"
import { type ColumnChoice, chooseColumns } from "./choose-columns"
import { voteForDataset } from "./vote-for-dataset"

export interface RetrieveDatasetsOptions extends StageInlineOptions {
  /** How many candidates to answer with. Default 5. */
  readonly limit?: number
  /** How often the teacher is asked which candidate fits. Default 5. */
  readonly votes?: number
}

export type DatasetCandidates = Candidates<DatasetCandidate>

/**
 * Finds datasets for a prompt. Take one with `loadDataset(candidates[0], { run })`; `candidates.chosen` is what the pipeline takes: the
 * set with most of the teacher's votes or, where the teacher cannot vote, the best one whose outputs have the form of the
 * demonstrations' outputs; undefined when none fits.
 *
 * @throws InputError `hub.missing`; ServiceError where hub or teacher cannot be reached
 * @example
 * const candidates = await retrieveDatasets(spec, { hub: bundledHub() })
 * const source = await loadDataset(candidates[0], { hub: bundledHub(), maxRows: 100 })
 * const retrieved = await transformDataset(source, { spec })
 */
export const retrieveDatasets = defineStage<PromptSpec, RetrieveDatasetsOptions, DatasetCandidates>({
  name: "retrieveDatasets",
  version: 1,
  uses: ["teacher", "hub"],
  key: (spec, { limit = 5, votes = 5 }) => ({ spec: spec.fingerprint, limit, votes }),
  async work(spec, { limit = 5, votes = 5 }, { run, signal, fingerprint, progress }) {
    if (!run.hub)
      throw new InputError("hub.missing", "No hub was given: pass hub: bundledHub() or huggingFaceHub(), or a run that has one.")
    const { cards, searched } = await run.hub.findDatasets(spec.instruction, { signal })
    const found = searchCards(spec.instruction, cards, { limit })
    const placed = await Promise.all(
      found.map(async ({ card, score, words }) => ({ card, score, words, columns: await chooseColumns(card, spec, run.teacher, signal) })),
    )
    const usable = placed.filter(({ card, columns }) => card.access === "open" && columns !== undefined)
    const voting =
      canAnswer(run.teacher, "rerank") && votes > 0 && usable.length > 0
        ? await voteForDataset(
            run.teacher,
            spec,
            usable.map(({ card }) => card),
            { votes, signal, onVote: (done) => progress({ done, total: votes, unit: "votes" }) },
          )
        : undefined
    const winner = voting ? mostVoted(usable, voting, votes) : usable.find(({ columns }) => columns?.hasDemonstrationsForm)
    const ranked = [...placed].sort((a, b) => (voting?.get(b.card.id) ?? 0) - (voting?.get(a.card.id) ?? 0) || b.score - a.score)
    const candidates = ranked.map(
      ({ card, score, words, columns }): DatasetCandidate => ({
        kind: "datasetCandidate",
        card,
        configuration: columns?.configuration ?? "default",
        split: columns?.split ?? "train",
        inputColumns: columns?.inputColumns ?? [],
        outputColumn: columns?.outputColumn ?? "",
        score,
        votes: voting?.get(card.id) ?? (voting ? 0 : undefined),
        voters: voting && votes,
        why: explain({ card, words, columns, votes: voting && `${voting.get(card.id) ?? 0} of ${votes} votes` }),
        isChosen: card === winner?.card,
      }),
    )
    const asked = voting && `reranked by ${run.teacher?.isSimulated ? "a simulated teacher" : run.teacher?.name}, ${votes} votes`
    return present(candidates, searched, fingerprint, asked)
  },
  summarize: ({ chosen, searched }) => (chosen ? `${chosen.card.id} of ${searched} datasets` : `none of ${searched} datasets fits`),
})

/** The card with more than half of the votes; undefined when the teacher found that none fits, or could not agree. */
function mostVoted<Item extends { card: DatasetCard }>(
  items: readonly Item[],
  voting: ReadonlyMap<string, number>,
  votes: number,
): Item | undefined {
  return items.find(({ card }) => (voting.get(card.id) ?? 0) * 2 > votes)
}

function explain(parts: { card: DatasetCard; words: readonly string[]; columns?: ColumnChoice; votes?: string }): string {
  const { card, words, columns, votes } = parts
  const reasons = [votes, words.length > 0 && `words: ${words.slice(0, 4).join(", ")}`]
  if (card.access !== "open") reasons.push(`${card.access}, never taken by itself`)
  else if (!columns) reasons.push("no pair of text columns")
  else if (columns.hasDemonstrationsForm) reasons.push("outputs look like the demonstrations'")
  return reasons.filter(Boolean).join(" · ") || "nothing matches"
}

function present(candidates: DatasetCandidate[], searched: number, fingerprint: string, asked: string | undefined): DatasetCandidates {
  const chosen = candidates.find((candidate) => candidate.isChosen)
  const result = Object.assign(candidates, {
    chosen,
    searched,
    fingerprint: fingerprintOf([fingerprint, candidates.map(({ card }) => card.id), chosen?.card.id]),
  })
  makeSelfShowing(result, () => describeCandidates(result, asked))
  return Object.freeze(result)
}

function describeCandidates(candidates: DatasetCandidates, asked: string | undefined): CandidatesPayload {
  return {
    kind: "candidates",
    version: payloadVersion,
    what: "datasets",
    title: "Datasets for this prompt",
    subtitle: [
      `${candidates.length} of ${candidates.searched.toLocaleString("en")} searched`,
      asked,
      candidates.chosen ? undefined : "none fits",
    ]
      .filter(Boolean)
      .join(", "),
    columns: [{ name: "columns: input -> output", isText: true }, { name: "rows", isNumber: true }, { name: "licence" }],
    candidates: candidates.map((candidate) => ({
      name: candidate.card.id,
      cells: [
        candidate.inputColumns.length > 0 ? `${candidate.inputColumns.join(" + ")} -> ${candidate.outputColumn}` : "",
        candidate.card.configurations.find(({ name }) => name === candidate.configuration)?.numRows?.toLocaleString("en") ?? "",
        candidate.card.license,
      ],
      why: candidate.why,
      isChosen: candidate.isChosen,
    })),
    nextStep: "loadDataset(candidates[0], { run })",
  }
}
