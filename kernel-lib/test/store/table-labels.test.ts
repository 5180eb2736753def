// Labels by their names, in columns and in lists.
import { expect, test } from "vitest"
import { labelNamesOf, plainCell } from "../../src/store/tables/table"

test("names of labels in columns, lists and sequences of them", () => {
  const names = ["O", "B"]
  const label = { _type: "ClassLabel", names }
  const features = {
    tag: label,
    tags: { _type: "List", feature: label },
    older: { _type: "Sequence", feature: label },
    text: { _type: "Value" },
    none: null,
  }
  const known = labelNamesOf(JSON.stringify({ info: { features } }))
  expect([...known]).toEqual([
    ["tag", names],
    ["tags", names],
    ["older", names],
  ])
  expect(plainCell(1n, names)).toBe("B")
  expect(plainCell([0n, 1n, -1n], names)).toEqual(["O", "B", null])
  expect(plainCell(Int32Array.of(1, 0), names)).toEqual(["B", "O"])
  expect(plainCell([[1], ["x"]], names)).toEqual([["B"], ["x"]])
})
