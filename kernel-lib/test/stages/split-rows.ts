// Rows to split, and what is asked of the splits.
import type { RowLike } from "../../src/core/dataset"
import { Random } from "../../src/core/random"
import { groupNearDuplicates } from "../../src/measures/near-duplicates"
import type { Splits } from "../../src/stages/process-datasets/process-datasets"

const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]

/** `count` different dates as people write them. */
export function dates(count: number, year = 1999): RowLike[] {
  return Array.from({ length: count }, (_, index) => {
    const [day, month, inYear] = [1 + (index % 28), Math.floor(index / 28) % 12, year + Math.floor(index / 336)]
    return {
      input: `${day} ${months[month]} ${inYear}`,
      output: `${inYear}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`,
    }
  })
}

/** Long sentences of made-up words; the `variants` of each differ in one word. */
export function sentences(count: number, variants: number): RowLike[] {
  const random = new Random(`sentences ${count}`)
  const word = () => Array.from({ length: 4 + random.integer(5) }, () => "aeioubcdlmnrst"[random.integer(14)]).join("")
  return Array.from({ length: count }, (_, index) => {
    const words = Array.from({ length: 20 }, word)
    return Array.from({ length: variants }, (_, variant) => ({
      input: words.map((own, at) => (at === 5 + variant ? "changed" : own)).join(" "),
      output: `answer ${index % 7}`,
    }))
  }).flat()
}

export const splitsOf = ({ train, validation, test }: Splits) => [train, validation, test]

/** Pairs of splits that hold the same or near inputs. */
export function straddling(splits: Splits): number {
  const sets = splitsOf(splits)
  const groups = groupNearDuplicates(sets.flatMap((set) => set.inputs))
  const owner = sets.flatMap((set, index) => set.inputs.map(() => index))
  return groups.filter((group, position) => owner[group] !== owner[position]).length
}
