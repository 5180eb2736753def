// Cutting rows of ids to a length, and ending them.
import { InputError } from "../core/errors"

/** The first `limit` ids; the last of them stays the last, since it ends the sequence. */
export function cutTokens(ids: readonly number[], limit: number | undefined): number[] {
  if (limit === undefined || ids.length <= limit) return [...ids]
  return [...ids.slice(0, limit - 1), ids[ids.length - 1]]
}

/** `ids`, ended by the first of `endIds` unless they end already. */
export function endSequence(ids: readonly number[], endIds: readonly number[]): number[] {
  return endIds.includes(ids[ids.length - 1]) ? [...ids] : [...ids, endIds[0]]
}

/** @throws InputError `student.vocabulary` when an id is none of the network's */
export function checkIds(ids: readonly number[], vocabularySize: number, name: string): void {
  const stranger = ids.find((id) => !(id >= 0 && id < vocabularySize))
  if (stranger === undefined) return
  throw new InputError(
    "student.vocabulary",
    `The tokenizer of ${name} gives the id ${stranger}, but its network knows ids below ${vocabularySize}: model and tokenizer do not belong together.`,
  )
}
