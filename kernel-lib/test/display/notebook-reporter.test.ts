import { describe, expect, it } from "vitest"
import { createNotebookReporter } from "../../src/display/notebook-reporter"
import { mimeTypes, type ProgressPayload, type TrainingPayload } from "../../src/display/payloads"
import type { MimeBundle } from "../../src/display/self-showing"

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

  it("draws the losses of a training while it runs, with a bar, and leaves its line", () => {
    const clock = { milliseconds: 0 }
    const sent: MimeBundle[] = []
    const reporter = createNotebookReporter({ now: () => clock.milliseconds, send: (bundle) => sent.push(bundle) })
    const train = Array.from({ length: 1000 }, (_, index) => [10 * (index + 1), 5 / (index + 1)] as const)
    reporter.stageStarted("fineTune")
    for (let step = 10; step <= 10_000; step += 10) {
      clock.milliseconds += 10
      const losses = { train: train.slice(0, step / 10), validation: [[5, 4] as const] }
      reporter.stageProgress("fineTune", { done: step, total: 20_000, unit: "steps", note: "epoch 1 of 2", secondsLeft: 9, losses })
    }
    const drawn = sent.map((bundle) => bundle[mimeTypes.training] as TrainingPayload)
    const last = drawn.at(-1)!
    expect(sent.length).toBeLessThanOrEqual(50)
    expect(last).toMatchObject({ title: "fine tune", subtitle: "epoch 1 of 2, 9.0 s left", isRunning: true, totalSteps: 20_000 })
    expect(last.train.length).toBeLessThanOrEqual(201)
    expect(last.train.at(-1)![0]).toBeGreaterThan(9000)
    expect(sent.at(-1)!["text/html"]).toMatch(/role="progressbar"[^>]*aria-valuenow="(49|50)"/)
    expect(sent.at(-1)!["text/html"]).toContain('<img src="data:image/svg+xml;base64,')
    reporter.stageEnded("fineTune", { summary: "2 epochs", seconds: 2, isReused: false, status: "done" })
    expect(Object.keys(sent.at(-1)!)).toEqual([mimeTypes.progress, "text/html", "text/plain"])
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
