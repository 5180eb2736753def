import { describe, expect, it } from "vitest"
import { createNotebookReporter } from "../../src/display/notebook-reporter"
import { mimeTypes, type ProgressPayload } from "../../src/display/payloads"

function start() {
  const clock = { milliseconds: 0 }
  const sent: { id?: string; isUpdate?: boolean; at: number; payload: ProgressPayload }[] = []
  const reporter = createNotebookReporter({
    now: () => clock.milliseconds,
    send: (bundle, options) => sent.push({ ...options, at: clock.milliseconds, payload: bundle[mimeTypes.progress] as ProgressPayload }),
  })
  return { reporter, clock, sent }
}

describe("createNotebookReporter", () => {
  it("updates one display at most five times a second and leaves it in its final state", () => {
    const { reporter, clock, sent } = start()
    reporter.stageStarted("fineTune")
    for (let step = 0; step < 2000; step++) {
      clock.milliseconds++
      reporter.stageProgress("fineTune", { done: step, total: 2000, unit: "steps", rate: "41,300 tokens/s", secondsLeft: 3 })
    }
    reporter.stageEnded("fineTune", { summary: "10 epochs", seconds: 2, isReused: false, status: "done" })
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(sent.map(({ isUpdate }) => isUpdate)).toEqual([false, ...sent.slice(1).map(() => true)])
    const running = sent.slice(0, -1).map(({ at }) => at)
    expect(Math.min(...running.slice(1).map((at, index) => at - running[index]))).toBeGreaterThanOrEqual(200)
    expect(running.length).toBeGreaterThan(5)
    expect(sent.at(-1)?.payload).toMatchObject({ title: "fine tune", subtitle: "10 epochs, 2.0 s", isRunning: false })
  })

  it("leaves one line for a stage that is over at once", () => {
    const { reporter, sent } = start()
    reporter.stageStarted("parsePrompt")
    reporter.stageProgress("parsePrompt", { done: 1, total: 2, unit: "rows" })
    reporter.stageEnded("parsePrompt", { summary: "4 demonstrations", seconds: 0.1, isReused: true, status: "done" })
    expect(sent.map(({ payload, isUpdate }) => [payload.subtitle, isUpdate])).toEqual([["4 demonstrations, from the run", false]])
  })

  it("gives a stage that is run again a display of its own, and says how a stage ended", () => {
    const { reporter, sent } = start()
    for (const status of ["failed", "partial"] as const) {
      reporter.stageStarted("evaluate")
      reporter.stageEnded("evaluate", { summary: "so", seconds: 1, isReused: false, status })
    }
    reporter.notice("The teacher is simulated.")
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3)
    expect(sent.map(({ payload }) => payload.subtitle)).toEqual([
      "failed: so, 1.0 s",
      "ended early: so, 1.0 s",
      "The teacher is simulated.",
    ])
  })
})
