// retrieveModels: a prompt in, base model candidates out: relevance of the card, weighted by how often it is downloaded, within a size.
import { type Candidates, type ModelCandidate, withNames } from "../../core/candidates"
import { InputError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import { formatBytes } from "../../core/format-bytes"
import type { ModelCard } from "../../core/hub"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import type { Teacher } from "../../core/teacher"
import { type CandidatesPayload, payloadVersion } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { searchCards } from "../../search"
import { defineStage } from "../../store/define-stage"
import { findMisfits } from "./find-misfits"
import { findUnfitness } from "./find-unfitness"
import { canWriteCards, writeModelCard } from "./write-model-card"

export interface RetrieveModelsOptions extends StageInlineOptions {
  /** How many candidates to answer with. Default 5. */
  readonly limit?: number
  /** Largest download, in bytes. Default 3e9, as upstream. */
  readonly maxBytes?: number
  /** Licences that a model may have, as its card names them, e.g. `["apache-2.0", "mit"]`; case does not matter. Default: any. */
  readonly licenses?: readonly string[]
  /** BCP 47 codes of languages that a model must be made for, all of them. Default: any, and for text that is not Latin more than English. */
  readonly languages?: readonly string[]
  /**
   * Whether cards are searched by one that the teacher makes up for the task (HyDE, as upstream), beside the prompt's own words. Default true; it
   * is asked for only where the hub has pretrained models, and not of a simulated teacher, which knows of none.
   */
  readonly hyde?: boolean
}

export type ModelCandidates = Candidates<ModelCandidate>

/**
 * Finds base models for a prompt. Take one with `loadModel(models[0], { run })` or by its name, `models.named("byte-t5-tiny")`.
 *
 * Rank is relevance times log10(downloads + 2), as upstream; relevance is that of a hypothetical card where the teacher writes one (Gao et al.
 * 2023), else of the prompt. Where it writes none of use, the subtitle says so. Models whose languages or kind suit the prompt less (many
 * languages for an English task, a decoder for short answers) come behind those that suit. Untrained configurations have no downloads and no text to be
 * relevant by: they come behind what is pretrained and rank by size, the smallest first whose advised input length covers the demonstrations.
 * What cannot be used comes last and is never chosen: models of an architecture that this library does not train or that cannot give the
 * prompt's answers, that are too large, of another licence, or for other languages; each says which.
 *
 * @throws InputError `hub.missing`, `model.none-found`; ServiceError where the hub cannot be reached
 * @example
 * const models = await retrieveModels(spec, { hub: bundledHub() })
 * models[0].card.id // "bundled/byte-t5-english"
 */
export const retrieveModels = defineStage<PromptSpec, RetrieveModelsOptions, ModelCandidates>({
  name: "retrieveModels",
  version: 3,
  uses: ["hub"],
  key: (spec, { limit = 5, maxBytes = 3e9, licenses, languages, hyde = true, run, teacher = run?.teacher }) => ({
    ...{ spec: spec.fingerprint, limit, maxBytes, licenses, languages },
    hyde: hyde && canWriteCards(teacher) ? (teacher.identity ?? teacher.name) : undefined,
  }),
  async work(spec, { limit = 5, maxBytes = 3e9, licenses, languages, hyde = true }, { run, signal, fingerprint }) {
    if (!run.hub)
      throw new InputError("hub.missing", "No hub was given: pass hub: bundledHub() or huggingFaceHub(), or a run that has one.")
    const { cards, searched } = await run.hub.findModels(spec.instruction, { signal })
    const reasons = new Map(cards.map((card) => [card, findUnfitness(card, spec, { maxBytes, licenses, languages })]))
    const fitting = cards.filter((card) => reasons.get(card) === undefined)
    if (fitting.length === 0)
      throw new InputError(
        "model.none-found",
        `${run.hub.name} has no base model of at most ${maxBytes} bytes for this prompt${cards.length > 0 ? ` (${cards[0].id}: ${reasons.get(cards[0])})` : ""}: loosen maxBytes, licenses or languages, or load one by name with loadModel.`,
      )
    const isTrained = cards.some(({ isPretrained }) => isPretrained)
    const isAsked = hyde && isTrained && canWriteCards(run.teacher)
    const written = isAsked ? await writeModelCard(run.teacher as Teacher, spec, signal) : undefined
    const ranked = [...rankPretrained(spec, cards, written?.card), ...rankUntrained(spec, cards)]
    const usable = ranked.filter(({ card }) => reasons.get(card) === undefined)
    const others = ranked.flatMap((candidate) => {
      const reason = reasons.get(candidate.card)
      return reason === undefined ? [] : [{ ...candidate, why: `${reason} · ${candidate.why}` }]
    })
    return present(
      [...usable, ...others].slice(0, limit).map((candidate, index) => ({ ...candidate, isChosen: index === 0 })),
      searched,
      fingerprint,
      written && (written.card ? `by a hypothetical card of ${run.teacher?.name}` : `by the prompt: ${written.problem}`),
    )
  },
  summarize: ({ chosen, searched }) => `${chosen?.card.id ?? "none"} of ${searched} models`,
})

type Ranked = Omit<ModelCandidate, "isChosen">

function rankPretrained(spec: PromptSpec, all: readonly ModelCard[], hypothetical?: string): Ranked[] {
  const cards = all.filter(({ isPretrained }) => isPretrained)
  const query = hypothetical ?? spec.instruction
  const found = new Map(searchCards(query, cards, { limit: cards.length }).map((hit) => [hit.card, hit]))
  return cards
    .map((card) => {
      const relevance = found.get(card)?.score ?? 0
      const words = found.get(card)?.words ?? []
      const misfits = findMisfits(card, spec)
      const score = (relevance + 1) * Math.log10(card.downloads + 2)
      const downloads = `${card.downloads.toLocaleString("en")} downloads`
      const why = [words.length > 0 && `words: ${words.slice(0, 4).join(", ")}`, downloads, ...misfits].filter(Boolean).join(" · ")
      return { candidate: { kind: "modelCandidate" as const, card, score, why }, misfits: misfits.length }
    })
    .sort(
      ({ candidate: a, ...one }, { candidate: b, ...other }) =>
        one.misfits - other.misfits || b.score - a.score || (b.card.parameters ?? 0) - (a.card.parameters ?? 0),
    )
    .map(({ candidate }) => candidate)
}

const advisedLength = /^input-bytes:(\d+)$/

function rankUntrained(spec: PromptSpec, cards: readonly ModelCard[]): Ranked[] {
  const longest = Math.max(0, ...spec.demonstrations.map(({ input }) => Buffer.byteLength(input)))
  return cards
    .filter(({ isPretrained }) => !isPretrained)
    .map((card) => {
      const advised = Number(card.tags.map((tag) => advisedLength.exec(tag)?.[1]).find(Boolean) ?? Number.POSITIVE_INFINITY)
      const covers = advised >= longest
      const why = `trained from scratch · ${covers ? "covers" : "is made for shorter inputs than"} the demonstrations (${longest} bytes)`
      return { kind: "modelCandidate" as const, card, score: covers ? 1 : 0, why }
    })
    .sort((a, b) => b.score - a.score || (a.score > 0 ? 1 : -1) * ((a.card.parameters ?? 0) - (b.card.parameters ?? 0)))
}

function present(candidates: ModelCandidate[], searched: number, fingerprint: string, how: string | undefined): ModelCandidates {
  const chosen = candidates.find((candidate) => candidate.isChosen)
  const result = Object.assign(withNames(candidates), {
    chosen,
    searched,
    fingerprint: fingerprintOf([fingerprint, candidates.map(({ card }) => card.id)]),
  })
  makeSelfShowing(result, () => describeModels(result, how))
  return Object.freeze(result)
}

function describeModels(candidates: ModelCandidates, how: string | undefined): CandidatesPayload {
  return {
    kind: "candidates",
    version: payloadVersion,
    what: "models",
    title: "Base models for this prompt",
    subtitle: [`${candidates.length} of ${candidates.searched.toLocaleString("en")} searched`, how].filter(Boolean).join(", "),
    columns: [{ name: "architecture" }, { name: "parameters", isNumber: true }, { name: "download", isNumber: true }, { name: "licence" }],
    candidates: candidates.map(({ card, why, isChosen }) => ({
      name: card.id,
      cells: [
        card.isPretrained ? card.architecture : `${card.architecture}, untrained`,
        card.parameters === undefined ? "" : `${(card.parameters / 1e6).toFixed(1)} M`,
        card.isPretrained && card.bytes !== undefined ? formatBytes(card.bytes) : "",
        card.license,
      ],
      why,
      isChosen,
    })),
    nextStep: "loadModel(models[0], { run })",
  }
}
