// Threads by default: cores, not hardware threads, and no more than a container may use.
import { expect, test } from "vitest"
import { defaultThreads } from "../../src/engine/threads"

test.each([
  ["one core", { available: 1, shareCores: false }, 1],
  ["two cores", { available: 2, shareCores: false }, 2],
  ["two hardware threads", { available: 2, shareCores: true }, 2],
  ["a laptop", { available: 8, shareCores: true }, 4],
  ["a server", { available: 64, shareCores: true }, 8],
  ["a container without a limit", { available: 4, shareCores: false, quota: "max 100000" }, 4],
  ["a container with one and a half", { available: 64, shareCores: true, quota: "150000 100000" }, 2],
  ["a container with less than one", { available: 64, shareCores: true, quota: "50000 100000" }, 1],
  ["an unreadable limit", { available: 4, shareCores: false, quota: "" }, 4],
])("%s", (_name, processors, threads) => {
  expect(defaultThreads(processors)).toBe(threads)
})

test("this machine has at least one", () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1)
})
