// What the library needs of a tslab kernel, and what a kernel gets of the library: each fact asked of a real one.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { findPython, openJupyterEnvironment } from "./jupyter-environment"
import { type KernelOutput, TslabKernel, textOf } from "./kernel"

const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"
const python = findPython()
if ("reason" in python) console.warn(python.reason)

const datasetType = "application/vnd.prompt2model.dataset+json"
const progressType = "application/vnd.prompt2model.progress+json"
const isDisplay = ({ type }: KernelOutput) => type === "display_data" || type === "update_display_data"

describe.skipIf("reason" in python && !isRequired)("in a tslab kernel", () => {
  let kernel: TslabKernel
  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    kernel = await TslabKernel.start(openJupyterEnvironment(python.command), "kernel")
  })
  afterAll(() => kernel?.close())

  describe("importing the library", () => {
    it("takes little memory, and leaves the kernel small", async () => {
      const resident = "Math.round(process.memoryUsage().rss / 1e6)"
      const before = Number(await kernel.print(`console.log(${resident})`))
      const printed = await kernel.print(
        `const began = performance.now(); require("prompt2model"); console.log(Math.round(performance.now() - began), ${resident})`,
      )
      const [milliseconds, after] = printed.split(" ").map(Number)
      console.log(`import in a kernel: ${milliseconds} ms, ${after - before} MB; the whole kernel then has ${after} MB`)
      expect(after - before).toBeLessThan(100)
    })

    it("is typed: a name that is not there fails the cell before it runs", async () => {
      const cell = await kernel.run(`import { Dataset } from "prompt2model"
console.log("it ran")
Dataset.from([{ input: "a", output: "b" }]).nothing`)
      expect(cell.status).toBe("error")
      expect(textOf(cell.outputs)).toBe("")
      expect(textOf(cell.outputs, "stderr")).toContain("Property 'nothing' does not exist on type 'Dataset'")
    })

    it("works as CommonJS and as an ES module, whose datasets and errors are the same", async () => {
      await kernel.print(`require("node:fs").writeFileSync("other.mjs", 'export * from "prompt2model"\\n')`)
      const text = await kernel.print(`import { Dataset, isPrompt2ModelError } from "prompt2model"
const other = require("./other.mjs")
const [mine, theirs] = [Dataset, other.Dataset].map((copy) => copy.from([{ input: "3 May 1999", output: "1999-05-03" }]))
const error = await other.parsePrompt("").catch((thrown: unknown) => thrown)
console.log(other.Dataset === Dataset, isPrompt2ModelError(error), theirs.fingerprint === mine.fingerprint)`)
      expect(text).toBe("false true true")
    })

    it("stands beside packages that are ES modules alone; those that await at their top level do not load", async () => {
      expect(await kernel.print('import { parquetRead } from "hyparquet"\nconsole.log(typeof parquetRead)')).toBe("function")
      await kernel.print('require("node:fs").writeFileSync("waits.mjs", "export const value = await 1\\n")')
      const cell = await kernel.run('require("./waits.mjs")')
      expect([cell.status, cell.isAlive]).toEqual(["error", true])
      expect(textOf(cell.outputs, "stderr")).toContain("ERR_REQUIRE_ASYNC_MODULE")
    })
  })

  describe("a cell's last expression", () => {
    const own =
      'import { Dataset, show } from "prompt2model"\nconst shown = Dataset.from([{ input: "3 May 1999", output: "1999-05-03" }])\n'
    const displaysOf = async (code: string) => (await kernel.run(code)).outputs.filter(isDisplay)

    it("shows itself as one bundle: our JSON, HTML without scripts, and text", async () => {
      const { outputs, status } = await kernel.run(`${own}shown`)
      expect(status).toBe("ok")
      const displays = outputs.filter(isDisplay)
      expect(displays).toHaveLength(1)
      expect(Object.keys(displays[0].data!)).toEqual([datasetType, "text/html", "text/plain"])
      expect(displays[0].data![datasetType]).toMatchObject({ kind: "dataset", version: 1, numRows: 1 })
      expect(displays[0].data!["text/html"]).not.toContain("<script")
      expect(textOf(outputs)).toBe("")
    })

    it.each([
      ["with a semicolon", "shown;"],
      ["awaited", "await Promise.resolve(shown)"],
      ["assigned", "let again = shown\nagain = shown"],
      ["by show, anywhere", "show(shown)\nconst nothing = 0"],
    ])("shows itself %s, once", async (_, code) => {
      expect((await displaysOf(code)).map(({ data }) => Object.keys(data!)[0])).toEqual([datasetType])
    })

    it("is logged where it is no result, and nothing is said where there is none", async () => {
      expect(await kernel.print("[1, 2].length")).toBe("2")
      expect((await kernel.run("null")).outputs).toEqual([])
      expect((await kernel.run("const silent = shown")).outputs).toEqual([])
    })
  })

  it("updates one display while a stage runs, and leaves its final state", async () => {
    const { outputs, status } = await kernel.run(`import { bundledHub, fineTune, loadModel } from "prompt2model"
const rows = Array.from({ length: 64 }, (_, number) => ({ input: "in " + number, output: "out " + number }))
const tiny = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
const learnt = await fineTune(tiny, { train: Dataset.from(rows), epochs: 30, batchSize: 8 })`)
    expect(status).toBe("ok")
    const ids = outputs.filter(isDisplay).map(({ transient }) => transient?.display_id)
    const training = outputs.filter(({ transient }) => transient?.display_id === ids.at(-1))
    expect(training[0].type).toBe("display_data")
    expect(training.length).toBeGreaterThan(1)
    expect(training.slice(1).every(({ type }) => type === "update_display_data")).toBe(true)
    expect(training.at(-1)!.data![progressType]).toMatchObject({ title: "fine tune", isRunning: false })
  })

  describe("Tab and Shift-Tab", () => {
    it("offer members and options", async () => {
      expect(await kernel.complete("shown.ta")).toContain("take")
      expect(await kernel.complete('import { fineTune } from "prompt2model"\nawait fineTune(tiny, { train: shown, learni')).toEqual([
        "learningRate",
      ])
    })

    it("tell types and what a function does", async () => {
      const text = await kernel.inspect('import { fineTune } from "prompt2model"\nfineTune')
      expect(text).toContain("Stage<LoadedStudent, FineTuneOptions, TrainedStudent>")
      expect(text).toContain("Trains a base model on rows of input and output.")
      expect(await kernel.inspect("const { rejected } = shown\nrejected")).toContain("readonly RejectedRow[]")
    })
  })
})
