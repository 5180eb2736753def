// An order that looks random, depends on the seed and on what a row says, and not on where the row stood.
import { createHash } from "node:crypto"

/** A key for `texts`; sorting by it shuffles them, the same way every time. */
export function seededKey(seed: string | number, ...texts: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([seed, ...texts]))
    .digest("hex")
    .slice(0, 24)
}

/** Compares two keys. */
export function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}
