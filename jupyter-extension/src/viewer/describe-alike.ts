// What comparing the rows has found, in words.
import { formatCount } from "../../../kernel-lib/src/display/wording"
import type { Alike } from "../protocol"
import { trans } from "../settings/language"

export function describeAlike({ rows, groups, leaks, compared, all }: Alike): string {
  const words = [
    rows === 0
      ? trans.__("No two rows are alike.")
      : trans._n("%2 row in %3 groups", "%2 rows in %3 groups", rows - leaks, formatCount(rows - leaks), formatCount(groups)),
  ]
  if (leaks > 0) words.push(trans._n("%2 repeats another split", "%2 repeat another split", leaks, formatCount(leaks)))
  if (compared < all) words.push(trans.__("of the first %1", formatCount(compared)))
  return words.join(", ")
}
