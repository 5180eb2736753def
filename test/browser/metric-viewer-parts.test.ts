// What the metric viewer makes of files and payloads, without a browser: files that grow, events, means over seeds, figures that nobody trusts.
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { spread } from "../../jupyter-extension/src/metrics/chart-parts"
import { curvesOf, differencesOf, groupCurves } from "../../jupyter-extension/src/metrics/compare-runs"
import { readErrors } from "../../jupyter-extension/src/metrics/errors-view"
import { type ListedRun, RunFinder } from "../../jupyter-extension/src/metrics/find-runs"
import { GrowingFile } from "../../jupyter-extension/src/metrics/follow-file"
import { readState } from "../../jupyter-extension/src/metrics/panel-state"
import { addLines, noEvents } from "../../jupyter-extension/src/metrics/run-events"
import type { FolderEntry, RunFiles } from "../../jupyter-extension/src/metrics/run-files"
import { readFigure } from "../../jupyter-extension/src/metrics/safe-figure"
import { averageSeries, meanOf, smooth, valueAt } from "../../jupyter-extension/src/metrics/smooth"
import { runIndexFile } from "../../kernel-lib/src/display/payloads"
import { eventsOf, type MadeRun } from "./run-folders"

const signal = new AbortController().signal

describe("a file that grows", () => {
  let server: Server
  let content = ""
  let knowsRanges = true
  const asked: string[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      const bytes = Buffer.from(content)
      const [, first, last] = /bytes=(\d*)-(\d*)/.exec(request.headers.range ?? "") ?? []
      asked.push(request.headers.range ?? "")
      if (!knowsRanges || first === undefined) return response.end(bytes)
      const start = first === "" ? Math.max(0, bytes.length - Number(last)) : Number(first)
      if (start >= bytes.length) return response.writeHead(416).end()
      response.writeHead(206, { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }).end(bytes.subarray(start))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
  })
  afterAll(() => server.close())
  const open = () => new GrowingFile(async () => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, headers: {} }))

  it.each([true, false])("gives whole lines once each, where ranges are known: %s", async (known) => {
    knowsRanges = known
    content = "one\ntw"
    const file = open()
    expect((await file.look(signal)).lines).toEqual(["one"])
    content += "o\n\u00fcnf"
    expect((await file.look(signal)).lines).toEqual(["two"])
    expect((await file.look(signal)).lines).toEqual([])
    content += "f\nsix\n"
    expect((await file.look(signal)).lines).toEqual(["\u00fcnff", "six"])
    if (known) expect(asked.at(-1)).toBe(`bytes=${Buffer.byteLength("one\ntwo\n\u00fcnf") - 1}-`)
  })

  it("begins again where the file is another one", async () => {
    knowsRanges = true
    content = "a long first line\nsecond\n"
    const file = open()
    await file.look(signal)
    content = "new\n"
    expect((await file.look(signal)).isAnew).toBe(true)
    expect((await file.look(signal)).lines).toEqual(["new"])
    content = "new text that is longer\n"
    expect((await file.look(signal)).isAnew).toBe(true)
  })
})

const run = (name: string, seed: number, learningRate: number): MadeRun => ({ name, seed, learningRate, steps: 140, floor: 0.05 })
const listed = ({ name, seed }: MadeRun): ListedRun => ({
  ...{ version: 1, run: name, path: name, at: "", status: "done", settings: { seed }, scores: {}, usd: 0 },
})

describe("runs of a folder that is known to have an index", () => {
  it("are told of while the server still lists its folders, and those that are gone go when it has", async () => {
    const entryOf = (run: string) => JSON.stringify({ version: 1, run, at: "", status: "done", settings: {}, scores: {}, usd: 0 })
    const content = `${["kept", "deleted"].map(entryOf).join("\n")}\n`
    let list: (entries: readonly FolderEntry[]) => void = () => {}
    const files = {
      address: async () => ({ url: `data:text/plain,${encodeURIComponent(content)}`, headers: {} }),
      list: () => new Promise((resolve) => (list = resolve)),
    } as unknown as RunFiles
    let found: readonly string[] = []
    const finder = new RunFinder(files, "runs", ({ runs }) => {
      found = runs.map(({ run }) => run)
    })
    const searched = finder.search(signal, true)
    await vi.waitFor(() => expect(found).toEqual(["kept", "deleted"]))
    const entry = (name: string, isFolder: boolean) => ({ name, path: `runs/${name}`, isFolder, changedAt: 0, size: 0 })
    list([entry("kept", true), entry(runIndexFile, false)])
    await searched
    expect(found).toEqual(["kept"])
  })
})

describe("events", () => {
  it("are series, with lines that are none counted and steps that were taken again counted once", () => {
    const lines = eventsOf(run("first", 1, 0.002))
    const events = noEvents()
    addLines(events, [...lines.slice(0, 12), "{", "[1]", '{"type":"training.step","step":"x"}'])
    expect(events.unreadable).toBe(2)
    expect(events.stage).toBe("fineTune")
    const before = events.trainings[0].steps.step.length
    addLines(events, [JSON.stringify({ type: "training.started", step: 50, settings: {} })])
    expect(events.trainings[0].steps.step).toEqual([10, 20, 30, 40, 50])
    expect(before).toBeGreaterThan(5)
    addLines(events, lines.slice(lines.findIndex((line) => line.includes('"step":60'))))
    const { steps, validation } = events.trainings[0]
    expect(steps.step).toEqual(Array.from({ length: 14 }, (_none, at) => 10 * (at + 1)))
    expect(steps.figures.loss.every((loss) => Number.isFinite(loss))).toBe(true)
    expect(validation.step).toEqual([70, 140])
    expect(validation.tokens).toEqual([steps.tokens[6], steps.tokens[13]])
    expect(events.stage).toBeUndefined()
  })

  it("of runs that differ in their seed alone are one group, named by what differs", () => {
    const made = [run("a", 1, 0.002), run("b", 2, 0.002), run("c", 1, 0.004)]
    const curves = made.flatMap((one) => {
      const events = noEvents()
      addLines(events, eventsOf(one))
      return curvesOf(listed(one), events, false)
    })
    const groups = groupCurves(curves, true)
    expect(groups.map(({ label, curves: members }) => [label, members.length])).toEqual([
      ["0.002", 2],
      ["0.004", 1],
    ])
    expect(groups[0].name).toBe("learning rate 0.002")
    expect(groupCurves(curves, false)).toHaveLength(3)
    expect(differencesOf([{ a: 1, b: true }, { a: 1 }])).toEqual([{ name: "b", values: ["true", "-"] }])
  })
})

describe("lines", () => {
  it("are smoothed without a bias at their start", () => {
    const y = [4, 4, 4, 4]
    expect(smooth({ x: [1, 2, 3, 4], y }, 0.9).y).toEqual(y.map((value) => expect.closeTo(value, 12)))
    const steps = smooth({ x: [1, 2, 3], y: [0, Number.NaN, 1] }, 0.5).y
    expect(steps).toEqual([0, Number.NaN, expect.closeTo(2 / 3, 12)])
  })

  it("have Student's interval: of 1, 2, 3 it is 2 and 2.484 about it", () => {
    const { y, low, high } = meanOf([1, 2, 3])
    expect([y, low, high]).toEqual([2, expect.closeTo(2 - 2.484, 3), expect.closeTo(2 + 2.484, 3)])
  })

  it("are averaged where they are, also when they were logged at other places", () => {
    const mean = averageSeries([
      { x: [0, 10], y: [0, 10] },
      { x: [0, 5, 20], y: [2, 7, 22] },
    ])
    expect(valueAt(mean, 4)).toBeCloseTo(5, 5)
    // One run alone is left there.
    expect(valueAt(mean, 18)).toBeUndefined()
  })

  it("have labels that do not stand on each other", () => {
    const places = spread([50, 51, 52, 159], 160)
    for (let at = 1; at < places.length; at++) expect(places[at] - places[at - 1]).toBeGreaterThanOrEqual(13)
    expect(Math.max(...places)).toBeLessThanOrEqual(160)
  })
})

describe("what nobody trusts", () => {
  it("loses of a figure what loads, links or acts, at any depth", () => {
    const figure = readFigure({
      data: [{ x: [1], y: [2], text: ['<a href="http://x">a</a><b>b</b>'], hovertemplate: "<span style='cursor:url(//x)'>c" }],
      layout: {
        images: [{ source: "//x" }],
        template: { layout: { images: [{ source: "//x" }] } },
        updatemenus: [{}],
        title: { text: "t" },
      },
    })
    const text = JSON.stringify(figure)
    expect(text).not.toMatch(/<a|<span|images|updatemenus|source/)
    expect(text).toContain("<b>b</b>")
    expect(figure.layout).toMatchObject({ title: { text: "t" } })
  })

  it.each([
    [undefined, "no data"],
    [{ data: [null] }, "undefined"],
    [{ data: [{ type: "scattergeo" }] }, "scattergeo"],
    [{ data: [JSON.parse(`${'{"a":'.repeat(30)}1${"}".repeat(30)}`)] }, "too large"],
  ])("is refused with a sentence: %j", (value, words) => {
    expect(() => readFigure(value)).toThrow(words)
  })

  it("is read as far as it is what was expected", () => {
    expect(() => readErrors({ rows: "all" })).toThrow("no rows")
    const errors = readErrors({
      rows: [null, { expected: "a b", predicted: "A  B!" }, { expected: "1999", predicted: "" }, { isRight: true }],
    })
    expect(errors.wrong).toHaveLength(2)
    expect(errors.kinds.map(({ name }) => name).sort()).toEqual(["no answer", "only case, spaces or marks"])
    expect(readState({ axis: "y", smoothing: 9, chosen: [1, "a"], sort: 3 })).toMatchObject({
      axis: "step",
      smoothing: 0.99,
      chosen: ["a"],
    })
  })
})
