// retrieveDatasets: a prompt in, dataset candidates out. The hub's cards are searched, the teacher votes over the best of them, and
// the columns that hold input and output are chosen and checked against the card.
import { type Candidates, type DatasetCandidate, withNames } from "../../core/candidates"
import { InputError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import { formatBytes } from "../../core/format-bytes"
import type { DatasetCard } from "../../core/hub"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { canAnswer, type Teacher } from "../../core/teacher"
import { type CandidatesPayload, payloadVersion } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { defineStage } from "../../store/define-stage"
import { type ColumnChoice, chooseColumns } from "./choose-columns"
import { describeWanted } from "./describe-wanted"
import { type RankedCard, rankCards } from "./rank-cards"
import { type Voting, voteForDataset } from "./vote-for-dataset"

export interface RetrieveDatasetsOptions extends StageInlineOptions {
  /** How many candidates to answer with. Default 5. */
  readonly limit?: number
  /** How often the teacher is asked which candidate fits. Default 5. */
  readonly votes?: number
  /** How many datasets are chosen at most, for several at once. Default 1. */
  readonly take?: number
}

export type DatasetCandidates = Candidates<DatasetCandidate>

/**
 * Finds datasets for a prompt. Take one with `loadDataset(candidates[0], { run })` or by its name, `candidates.named("dates-cldr")`;
 * `candidates.chosen` is what the pipeline takes, undefined when none fits. Chosen is the set with more than half of the teacher's votes (with
 * `take: n`, each with more than one in n + 1) or, where the teacher cannot vote or a simulated one finds none, the first one if it
 * has much of what the prompt says, or is far ahead of the next, and its rows look like the demonstrations. Gated, private and script-only sets
 * are shown, and never chosen. Where no card has two words of the prompt, as when it is in another language, the teacher describes the set in
 * English, and that is searched for.
 *
 * @throws InputError `hub.missing`; ServiceError where hub or teacher cannot be reached
 * @example
 * const candidates = await retrieveDatasets(spec, { hub: bundledHub() })
 * const source = await loadDataset(candidates[0], { hub: bundledHub(), maxRows: 100 })
 * const retrieved = await transformDataset(source, { spec })
 */
export const retrieveDatasets = defineStage<PromptSpec, RetrieveDatasetsOptions, DatasetCandidates>({
  name: "retrieveDatasets",
  version: 3,
  uses: ["teacher", "hub"],
  key: (spec, { limit = 5, votes = 5, take = 1 }) => ({ spec: spec.fingerprint, limit, votes, take }),
  async work(spec, { limit = 5, votes = 5, take = 1 }, { run, signal, fingerprint, progress }) {
    const { hub, teacher } = run
    if (!hub) throw new InputError("hub.missing", "No hub was given: pass hub: bundledHub() or huggingFaceHub(), or a run that has one.")
    const search = async (query: string) => {
      const { cards, searched, scores } = await hub.findDatasets(query, { signal })
      return { found: rankCards(query, cards, scores), searched }
    }
    const own = await search(spec.instruction)
    const wanted = votes > 0 ? await describeWanted(own.found, spec, teacher, signal) : undefined
    const { found, searched } = wanted === undefined ? own : await search(wanted)
    const placed = await Promise.all(found.map((hit) => place(hit, { spec, teacher: undefined, signal })))
    const best = placed.sort((a, b) => b.score - a.score || likenessOf(b) - likenessOf(a)).slice(0, limit)
    const candidates = await Promise.all(best.map((candidate) => place(candidate, { spec, teacher, signal })))
    const usable = candidates.filter(isUsable)
    const voting =
      canAnswer(teacher, "rerank") && votes > 0 && usable.length > 0
        ? await voteForDataset(
            teacher,
            spec,
            usable.map(({ card, columns }) => ({ card, configuration: columns.configuration })),
            { votes, signal, onVote: (done) => progress({ done, total: votes, unit: "votes" }) },
          )
        : undefined
    const votesOf = ({ card }: Placed) => voting?.counts.get(card.id) ?? 0
    const ranked = candidates.sort((a, b) => votesOf(b) - votesOf(a))
    const voted = ranked.filter((candidate) => isUsable(candidate) && votesOf(candidate) * (take + 1) > votes)
    // A simulated teacher that finds none has only counted words more coarsely than the search did.
    const isJudged = voting !== undefined && (voted.length > 0 || !teacher?.isSimulated)
    const fitting = isJudged ? voted : usable.slice(0, take).filter((candidate) => fitsWithoutVotes(candidate, placed, spec))
    const chosen = new Set<Placed>(fitting.slice(0, take))
    return present(
      ranked.map((candidate) => ({
        ...describePlace(candidate),
        votes: voting && votesOf(candidate),
        voters: voting && votes,
        why: explain(candidate, voting && `${votesOf(candidate)} of ${votes} votes`),
        isChosen: chosen.has(candidate),
      })),
      searched,
      fingerprint,
      [
        wanted !== undefined && `by a description of ${teacher?.name}`,
        voting && `${describeVoting(voting, teacher!)}${isJudged || fitting.length === 0 ? "" : ", then taken by the search"}`,
      ]
        .filter(Boolean)
        .join(", "),
    )
  },
  summarize: ({ chosen, searched }) => (chosen ? `${chosen.card.id} of ${searched} datasets` : `none of ${searched} datasets fits`),
})

/** Likeness from which a set is taken without a teacher's vote. */
const alike = 0.65

/** Share of what the prompt says that a set has, from which on it is about the same; more where nothing else speaks for it. */
const muchCovered = 0.4
const mostCovered = 0.6
/** How far ahead of the next one's a set's relevance is where it is plainly the best. */
const plainLead = 1.5

interface Placed extends RankedCard {
  readonly columns?: ColumnChoice
  /** Of the search alone. */
  readonly relevance: number
}

/** The columns that would be taken of a card, and its score by words and by how alike its sample and the demonstrations are. */
async function place(
  { card, words, coverage, ...found }: RankedCard & { relevance?: number },
  asking: { spec: PromptSpec; teacher: Teacher | undefined; signal: AbortSignal },
): Promise<Placed> {
  const relevance = found.relevance ?? found.score
  const columns = await chooseColumns({ card, ...asking })
  return { card, words, coverage, columns, relevance, score: relevance * (0.5 + 0.5 * likenessOf({ columns })) }
}

function likenessOf({ columns }: Pick<Placed, "columns">): number {
  return columns ? columns.likeness * (columns.isOtherInput ? 0.5 : 1) : 0
}

function isUsable(candidate: Placed): candidate is Placed & { columns: ColumnChoice } {
  return candidate.card.access === "open" && candidate.columns !== undefined
}

/** Whether a set that the search puts first may be taken unasked: it is about the same, and its rows look alike. */
function fitsWithoutVotes(
  { card, words, coverage, relevance, columns }: Placed & { columns: ColumnChoice },
  all: readonly Placed[],
  { demonstrations }: PromptSpec,
): boolean {
  if (words.length < 2 || columns.isOtherInput || describeMedia(card)) return false
  if (demonstrations.length === 0) return coverage >= mostCovered
  const next = Math.max(0, ...all.filter((other) => other.card !== card).map((other) => other.relevance))
  const isAbout = coverage >= muchCovered || (words.length >= 3 && relevance >= plainLead * next)
  return isAbout && columns.likeness >= alike
}

function describePlace({ card, score, columns }: Placed): Omit<DatasetCandidate, "votes" | "voters" | "why" | "isChosen"> {
  return {
    kind: "datasetCandidate",
    card,
    configuration: columns?.configuration ?? "default",
    split: columns?.split ?? "train",
    inputColumns: columns?.inputColumns ?? [],
    outputColumn: columns?.outputColumn ?? "",
    score,
  }
}

function explain({ card, words, columns }: Placed, votes: string | undefined): string {
  const reasons: (string | false | undefined)[] = [votes, words.length > 0 && `words: ${words.slice(0, 4).join(", ")}`]
  if (card.access !== "open") reasons.push(`${card.access}, never taken by itself`)
  else if (!columns) reasons.push("no columns that are known as input and output")
  else if (columns.isOtherInput) reasons.push("inputs look unlike the demonstrations'")
  else if (columns.likeness >= alike) reasons.push("outputs look like the demonstrations'")
  else if (columns.likeness < 0.5) reasons.push("outputs look unlike the demonstrations'")
  reasons.push(describeMedia(card))
  return reasons.filter(Boolean).join(" · ") || "nothing matches"
}

/** What else than text a set holds; its texts alone may mean little. */
function describeMedia({ configurations }: DatasetCard): string | undefined {
  const kinds = new Set(configurations.flatMap(({ media = {} }) => Object.entries(media).map(([column, kind]) => `${column} (${kind})`)))
  return kinds.size > 0 ? `holds more than text: ${[...kinds].slice(0, 3).join(", ")}` : undefined
}

function describeVoting({ none, nulls, votes }: Voting, teacher: Teacher): string {
  const others = [none > 0 && `${none} for none of them`, nulls > 0 && `${nulls} null`].filter(Boolean).join(", ")
  return `reranked by ${teacher.isSimulated ? "a simulated teacher" : teacher.name}, ${votes} votes${others && ` (${others})`}`
}

function present(candidates: DatasetCandidate[], searched: number, fingerprint: string, asked: string | undefined): DatasetCandidates {
  const chosen = candidates.find((candidate) => candidate.isChosen)
  const result = Object.assign(withNames(candidates), {
    chosen,
    searched,
    fingerprint: fingerprintOf([
      fingerprint,
      candidates.map(({ card }) => card.id),
      candidates.filter(({ isChosen }) => isChosen).map(({ card }) => card.id),
    ]),
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
    columns: [{ name: "columns: input -> output", isText: true }, { name: "rows, download", isNumber: true }, { name: "licence" }],
    candidates: candidates.map((candidate) => ({
      name: candidate.card.id,
      cells: [
        candidate.inputColumns.length > 0 ? `${candidate.inputColumns.join(" + ")} -> ${candidate.outputColumn}` : "",
        describeSize(candidate),
        candidate.card.license,
      ],
      why: candidate.why,
      isChosen: candidate.isChosen,
    })),
    nextStep:
      candidates.length > 0 && !candidates.chosen
        ? "generateDataset(spec, { run })"
        : `loadDataset(candidates[${Math.max(
            0,
            candidates.findIndex(({ isChosen }) => isChosen),
          )}], { run })`,
  }
}

function describeSize({ card, configuration }: DatasetCandidate): string {
  const rows = card.configurations.find(({ name }) => name === configuration)?.numRows
  return [rows?.toLocaleString("en"), card.bytes !== undefined && formatBytes(card.bytes)].filter(Boolean).join(", ")
}
