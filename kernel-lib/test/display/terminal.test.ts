import { afterEach, describe, expect, it, vi } from "vitest"
import { widthOf } from "../../src/display/plain-text"
import { createTerminalReporter, type TerminalReporter, type TerminalReporterOptions } from "../../src/display/terminal"
import { TerminalScreen, withoutColours } from "./terminal-screen"

const stages = ["parsePrompt", "generateDataset", "fineTune", "evaluate"]

function start(screen: TerminalScreen, options: Partial<TerminalReporterOptions> = {}) {
  const clock = { milliseconds: 0 }
  const reporter = createTerminalReporter({
    stream: screen,
    isTerminal: true,
    stages,
    environment: {},
    now: () => clock.milliseconds,
    ...options,
  })
  return { reporter, clock }
}

/** A prompt parsed, rows half generated. */
function play(reporter: TerminalReporter, clock: { milliseconds: number }): void {
  reporter.stageStarted("parsePrompt")
  reporter.stageEnded("parsePrompt", { summary: "instruction, 4 demonstrations", seconds: 0.1, isReused: false, status: "done" })
  reporter.stageStarted("generateDataset")
  for (let done = 0; done <= 990; done += 10) {
    clock.milliseconds += 62
    reporter.stageProgress("generateDataset", { done, total: 2000, unit: "rows", rate: "161 rows/s", secondsLeft: (2000 - done) / 161 })
  }
}

afterEach(() => vi.useRealTimers())

describe("in a terminal", () => {
  it("writes a line per stage once, a bar for the one that runs, and what is to come", () => {
    const screen = new TerminalScreen()
    const { reporter, clock } = start(screen, { title: "Prompt2Model", subtitle: "dates" })
    play(reporter, clock)
    expect(screen.shown).toEqual([
      "Prompt2Model   dates",
      "",
      "  ✓ parse prompt      instruction, 4 demonstrations                                           0.1 s",
      "  • generate dataset  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━  990 of 2,000 rows   161 rows/s       6.3 s left",
      "  · fine tune",
      "  · evaluate",
    ])
    expect(screen.sent.match(/instruction, 4/g)).toHaveLength(1)
    reporter.close()
    expect(screen.shown.at(-1)).toContain("parse prompt")
  })

  it("keeps seconds in one column, and says what was reused, ended early or failed", () => {
    const screen = new TerminalScreen()
    const { reporter } = start(screen)
    reporter.stageEnded("parsePrompt", { summary: "instruction", seconds: 0.1, isReused: true, status: "done" })
    reporter.stageEnded("generateDataset", { summary: "812 rows", seconds: 31, isReused: false, status: "partial" })
    reporter.stageEnded("fineTune", { summary: "The engine ran out of memory.", seconds: 200, isReused: false, status: "failed" })
    expect(screen.shown.map((line) => line.trimEnd())).toEqual([
      "  ✓ parse prompt      instruction                                                      from the run",
      "  ! generate dataset  ended early: 812 rows                                                    31 s",
      "  ✗ fine tune         The engine ran out of memory.                                      3 min 20 s",
    ])
  })

  it.each([40, 60, 80, 200])("never wraps in %i columns, whatever the text", (columns) => {
    const screen = new TerminalScreen(columns)
    const { reporter, clock } = start(screen)
    const text = `long ${"日本語テキスト ".repeat(30)} \u001b[2J end`
    reporter.notice(text)
    reporter.stageStarted("generateDataset")
    clock.milliseconds += 200
    reporter.stageProgress("generateDataset", { done: 5, unit: text, note: text, rate: text, secondsLeft: 1e9 })
    reporter.stageProgress("generateDataset", { done: 5, total: 10, unit: "rows" })
    for (const line of screen.shown) expect(widthOf(line)).toBeLessThan(columns)
    reporter.stageEnded("generateDataset", { summary: text, seconds: 1e6, isReused: false, status: "done" })
    for (const line of screen.shown) expect(widthOf(line)).toBeLessThan(columns)
    reporter.close()
  })

  it("draws at most ten times a second", () => {
    const screen = new TerminalScreen()
    const { reporter, clock } = start(screen)
    reporter.stageStarted("fineTune")
    const before = screen.writes
    for (let step = 0; step < 1000; step++) {
      clock.milliseconds += 1
      reporter.stageProgress("fineTune", { done: step, total: 1000, unit: "steps" })
    }
    expect(screen.writes - before).toBe(10)
    reporter.close()
  })

  it("goes on counting seconds where a stage says nothing, and leaves no timer behind", () => {
    vi.useFakeTimers()
    const screen = new TerminalScreen()
    const { reporter } = start(screen, { now: () => Date.now() })
    reporter.stageStarted("evaluate")
    vi.advanceTimersByTime(3000)
    expect(screen.shown[0]).toMatch(/• evaluate .* 3\.0 s$/)
    reporter.stageEnded("evaluate", { summary: "done", seconds: 3, isReused: false, status: "done" })
    expect(vi.getTimerCount()).toBe(0)
  })

  it("writes a notice above what is rewritten", () => {
    const screen = new TerminalScreen()
    const { reporter, clock } = start(screen)
    play(reporter, clock)
    reporter.notice("The teacher is simulated.")
    expect(screen.shown[1]).toBe("  ! The teacher is simulated.")
    expect(screen.shown[2]).toContain("• generate dataset")
  })

  it("is without colours where NO_COLOR is set", () => {
    const screen = new TerminalScreen()
    const { reporter, clock } = start(screen, { environment: { NO_COLOR: "1" } })
    play(reporter, clock)
    expect(withoutColours(screen.sent)).toBe(screen.sent)
    const coloured = new TerminalScreen()
    const other = start(coloured)
    play(other.reporter, other.clock)
    expect(withoutColours(coloured.sent)).not.toBe(coloured.sent)
    expect(coloured.shown).toEqual(screen.shown)
  })
})

describe("when piped", () => {
  it.each([
    ["a pipe", { isTerminal: false }],
    ["a terminal that can do nothing", { isTerminal: true, environment: { TERM: "dumb" } }],
  ] as [string, Partial<TerminalReporterOptions>][])("writes plain lines to %s, at most every five seconds", (_, options) => {
    const screen = new TerminalScreen()
    const { reporter, clock } = start(screen, { title: "Prompt2Model", ...options })
    play(reporter, clock)
    reporter.stageEnded("generateDataset", { summary: "2,000 rows", seconds: 6.2, isReused: false, status: "partial" })
    reporter.notice("The teacher is simulated.")
    reporter.close()
    expect(screen.sent).toBe(`Prompt2Model

parse prompt: instruction, 4 demonstrations (0.1 s)
generate dataset: 800 of 2,000 rows, 40%, 161 rows/s, 7.5 s left
generate dataset: ended early: 2,000 rows (6.2 s)
The teacher is simulated.
`)
  })
})
