// Fingerprints: equal values have equal fingerprints, in every process and whatever the order of their keys.
import { createHash } from "node:crypto"

/** JSON with sorted keys; `undefined` members are left out. Functions and symbols are refused by JSON itself. */
export function stableJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      member !== null && typeof member === "object" && !Array.isArray(member) && !ArrayBuffer.isView(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
        : member,
    ) ?? "null"
  )
}

/** 32 hexadecimal digits of SHA-256 over `stableJson(value)`. */
export function fingerprintOf(value: unknown): string {
  return createHash("sha256").update(stableJson(value)).digest("hex").slice(0, 32)
}
