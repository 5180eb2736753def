// serve: what its server answers, to whom, and how a kernel is asked for the same.
import { request } from "node:http"
import { afterEach, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Student } from "../../src/core/student"
import { answerType, type DemoPayload, demoHeader, mimeTypes } from "../../src/display/payloads"
import { askDemo } from "../../src/stages/serve/ask-demo"
import { type Demo, serve } from "../../src/stages/serve/serve"

/** Answers with the input upside down; "error" is refused. */
const student: Student = {
  kind: "student",
  name: "upside-down",
  architecture: "t5",
  parameters: 1000,
  bytes: 4000,
  isPretrained: false,
  fingerprint: "upside-down",
  async predict(inputs) {
    if (inputs.includes("error")) throw new Error("The student has fallen over.")
    return inputs.map((input) => ({ output: [...input].reverse().join(""), tokens: [1], confidence: 0.5 }))
  },
  async save() {},
  dispose() {},
}
const train = Dataset.from([
  { input: "May 1", output: "05-01" },
  { input: "June 2", output: "06-02" },
  { input: "May 1, 1999", output: "1999-05-01" },
  { input: "may 1", output: "05-01" },
])
const spec = new PromptSpec({ instruction: "Turn it upside down.", demonstrations: [{ input: "abc", output: "cba" }] })

const open: Demo[] = []
afterEach(async () => {
  for (const demo of open.splice(0)) await demo.close()
})

async function serveHere() {
  const demo = await serve(student, { spec, train })
  open.push(demo)
  const bundle = (demo as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]()
  return { demo, payload: bundle[mimeTypes.demo] as DemoPayload }
}

function ask(port: number, { body = { inputs: ["abc"] } as unknown, headers = {} as Record<string, string> } = {}) {
  return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path: "/predict",
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
    }
    const sending = request(options, async (response) => {
      let text = ""
      for await (const piece of response.setEncoding("utf8")) text += piece
      resolve({ status: response.statusCode!, body: JSON.parse(text) })
    })
    sending.on("error", reject).end(JSON.stringify(body))
  })
}

describe("serve", () => {
  it("answers, with as many of the nearest training rows as are wanted", async () => {
    const { demo, payload } = await serveHere()
    expect((await ask(demo.port)).body).toEqual({ predictions: [{ output: "cba", confidence: 0.5 }] })
    const { body } = await ask(demo.port, { body: { inputs: ["May 1"], nearest: 3 } })
    const [{ nearest }] = body.predictions as { nearest: { row: number; output: string; similarity: number }[] }[]
    expect(nearest.map(({ row }) => row)).toEqual([0, 3, 2])
    expect(nearest[0]).toMatchObject({ output: "05-01", similarity: 1 })
    expect(payload).toMatchObject({ student: "upside-down", numTrain: 4, examples: ["abc"], instruction: "Turn it upside down." })
    for (const nearest of [-1, 51, 1.5, "2"]) expect((await ask(demo.port, { body: { inputs: ["a"], nearest } })).status).toBe(400)
    expect((await ask(demo.port, { body: null })).status).toBe(400)
  })

  it("lets a network compile before it is first asked, whatever comes of that", async () => {
    const asked: (readonly string[])[] = []
    const network = {
      ...{ ...student, encodeInput: () => [1] },
      async predict(inputs: readonly string[]) {
        asked.push(inputs)
        if (asked.length === 1) throw new Error("The student has fallen over.")
        return student.predict(inputs)
      },
    }
    const demo = await serve(network, {})
    open.push(demo)
    expect(asked).toEqual([[""]])
    expect((await ask(demo.port)).body).toEqual({ predictions: [{ output: "cba", confidence: 0.5 }] })
  })

  it("answers whoever names this machine or has seen the demo, and no page of another name", async () => {
    const { demo, payload } = await serveHere()
    expect((await ask(demo.port, { headers: { host: "localhost:8888" } })).status).toBe(200)
    expect((await ask(demo.port, { headers: { host: "evil.example" } })).status).toBe(403)
    expect((await ask(demo.port, { headers: { host: "localhost.evil.example:80" } })).status).toBe(403)
    expect((await ask(demo.port, { headers: { host: "hub.example", [demoHeader]: payload.id! } })).status).toBe(200)
    expect((await ask(demo.port, { headers: { host: "hub.example", [demoHeader]: "guessed" } })).status).toBe(403)
  })
})

describe("askDemo", () => {
  it("answers as the server does, and shows the answer to whoever asked", async () => {
    const { payload } = await serveHere()
    const answer = await askDemo(payload.id!, "June 2", 1)
    expect(answer).toEqual({ output: "2 enuJ", confidence: 0.5, nearest: [{ row: 1, input: "June 2", output: "06-02", similarity: 1 }] })
    const bundle = (answer as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]()
    expect(bundle[answerType]).toEqual(answer)
    expect(bundle["text/plain"]).toBe("2 enuJ")
  })

  it("says what went wrong instead of rejecting, which would cancel the cells that wait", async () => {
    const { demo, payload } = await serveHere()
    expect(await askDemo(payload.id!, "error", 5)).toEqual({ error: "The student has fallen over." })
    expect(await askDemo(payload.id!, "abc", Number.NaN)).toMatchObject({ output: "cba", nearest: [] })
    await demo.close()
    open.length = 0
    expect(await askDemo(payload.id!, "abc")).toEqual({ error: expect.stringContaining("run the cell with serve again") })
  })
})
