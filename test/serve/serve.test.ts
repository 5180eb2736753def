// A served student as strangers meet it: a real process on a real port, the official clients in Node and Python, many at once, slow ones,
// greedy ones, and ends in the middle.
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import OpenAI from "openai"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundledHub, type LoadedStudent, loadModel, loadStudent } from "../../kernel-lib/src/index"
import { program as commandLine, root } from "../main-job/command"
import { findPython } from "../notebooks/jupyter-environment"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-serve-"))
const studentFolder = join(folder, "student")
const python = findPython()
const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"
if ("reason" in python) console.warn(python.reason)
let student: LoadedStudent
let server: Served
let client: OpenAI

interface Served {
  readonly child: ChildProcess
  readonly url: string
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string | null>
}

function startServer(words: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Served> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [commandLine, "serve", studentFolder, "--port", "0", ...words], {
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    })
    const ended = new Promise<number | string | null>((done) => child.on("exit", (code, signal) => done(code ?? signal)))
    let said = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said += text
        const url = /http:\/\/\S+?:\d+\//.exec(said)?.[0]
        if (url) resolve({ child, url, ended })
      })
    }
    void ended.then((code) => reject(new Error(`The server ended with ${code}: ${said}`)))
  })
}

const clientOf = ({ url }: Served) => new OpenAI({ baseURL: `${url}v1`, apiKey: "none", maxRetries: 0 })
const ask = (prompt: string, more: object = {}) =>
  client.completions.create({ model: student.name, prompt, max_tokens: 12, temperature: 0, ...more }) as Promise<OpenAI.Completion>

beforeAll(async () => {
  const base = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
  await base.save(studentFolder)
  student = await loadStudent(studentFolder)
  server = await startServer()
  client = clientOf(server)
})
afterAll(async () => {
  server.child.kill("SIGTERM")
  await server.ended
  rmSync(folder, { recursive: true, force: true })
})

describe("OpenAI's client in Node", () => {
  it("gets what predict gives, whole and in pieces", async () => {
    const inputs = ["the 3rd of May 1999", "Sept. 17, 2024", ""]
    const expected = await student.predict(inputs, { decoding: { kind: "greedy" }, maxNewTokens: 12 })
    const { choices } = (await client.completions.create({
      model: student.name,
      prompt: inputs,
      max_tokens: 12,
      temperature: 0,
    })) as OpenAI.Completion
    expect(choices.map(({ text }) => text)).toEqual(expected.map(({ output }) => output))
    const stream = await client.chat.completions.create({
      model: student.name,
      messages: [{ role: "user", content: inputs[0] }],
      max_tokens: 12,
      temperature: 0,
      stream: true,
    })
    let text = ""
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ""
    expect(text).toBe(expected[0].output)
  })

  it("draws as predict draws with the same seed, whoever asks beside it", async () => {
    const sampled = { temperature: 1.3, top_p: 0.9, seed: 11 }
    const decoding = { kind: "top-p", p: 0.9, temperature: 1.3, seed: 11 } as const
    const [{ output }] = await student.predict(["a"], { decoding, maxNewTokens: 12 })
    const answers = await Promise.all([ask("a", sampled), ask("b", { ...sampled, seed: 5 }), ask("a", sampled)])
    expect(answers[0].choices[0].text).toBe(output)
    expect(answers[2].choices[0].text).toBe(output)
  })

  it("is answered beside ninety-nine others, each with its own answer", async () => {
    const inputs = Array.from({ length: 100 }, (_, i) => `${i + 1} March ${1900 + i}`)
    const expected = await student.predict(inputs, { decoding: { kind: "greedy" }, maxNewTokens: 12 })
    const answers = await Promise.all(inputs.map((input) => ask(input)))
    expect(answers.map(({ choices }) => choices[0].text)).toEqual(expected.map(({ output }) => output))
  })

  it("is told what is wrong in the client's own errors", async () => {
    await expect(ask("a", { model: "gpt-4o-mini" })).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    await expect(ask("a", { temperature: -1 })).rejects.toBeInstanceOf(OpenAI.BadRequestError)
    await expect(client.embeddings.create({ model: student.name, input: "a" })).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })
})

describe.skipIf("reason" in python && !isRequired)("OpenAI's client in Python", () => {
  it("is answered whole, in pieces and with an error of its own", async () => {
    const [{ output }] = await student.predict(["May 1"], { decoding: { kind: "greedy" }, maxNewTokens: 12 })
    const script = join(folder, "ask.py")
    writeFileSync(script, pythonScript)
    const printed = execFileSync(pythonWithOpenai(), [script, `${server.url}v1`, student.name], { encoding: "utf8" })
    expect(JSON.parse(printed)).toEqual({ whole: output, pieces: output, error: "NotFoundError", probabilities: true })
  })
})

describe("a served student", () => {
  it("listens on this machine only", async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4")
    for (const { address } of outside) {
      await expect(fetch(server.url.replace("127.0.0.1", address), { signal: AbortSignal.timeout(5000) })).rejects.toThrow()
    }
    const refused = await startServer(["--host", "0.0.0.0"]).catch((error: Error) => error.message)
    expect(refused).toContain("PROMPT2MODEL_SERVE_KEY")
    const open = await startServer(["--host", "0.0.0.0"], { PROMPT2MODEL_SERVE_KEY: "some-key" })
    expect((await fetch(`${open.url}v1/models`)).status).toBe(401)
    expect((await fetch(`${open.url}v1/models`, { headers: { authorization: "Bearer some-key" } })).status).toBe(200)
    open.child.kill("SIGTERM")
    expect(await open.ended).toBe(0)
  })

  it("refuses a body of 100 MB without holding it, and goes on", async () => {
    const before = residentMegabytes(server)
    const response = await fetch(`${server.url}v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.alloc(100e6, 32),
    })
    expect(response.status).toBe(413)
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain("1048576 bytes")
    // Without a length said beforehand too.
    const endless = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 32; i++) controller.enqueue(new Uint8Array(1 << 16).fill(32))
        controller.close()
      },
    })
    const chunked = { method: "POST", headers: { "content-type": "application/json" }, body: endless, duplex: "half" }
    expect((await fetch(`${server.url}v1/completions`, chunked as RequestInit)).status).toBe(413)
    expect(residentMegabytes(server) - before).toBeLessThan(60)
    expect((await ask("a")).choices).toHaveLength(1)
  })

  it("lets nobody wait for a client that reads nothing, or that goes in the middle", async () => {
    const { port } = new URL(server.url)
    const sockets = Array.from({ length: 20 }, () => connect(Number(port), "127.0.0.1"))
    const body = JSON.stringify({ prompt: "x".repeat(500), max_tokens: 60, temperature: 0, stream: true })
    for (const socket of sockets) {
      socket.on("error", () => {})
      socket.pause()
      socket.write(
        `POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    }
    const [{ output }] = await student.predict(["a"], { decoding: { kind: "greedy" }, maxNewTokens: 12 })
    expect((await ask("a")).choices[0].text).toBe(output)
    for (const socket of sockets) socket.destroy()
    expect((await ask("b")).choices).toHaveLength(1)
    await expect.poll(async () => (await metricsOf(server)).match(/prompt2model_waiting_inputs (\d+)/)?.[1]).toBe("0")
  })

  it("ends a stream that has begun before it ends itself, and takes no new question", async () => {
    const one = await startServer()
    const stream = await clientOf(one).completions.create({
      model: student.name,
      prompt: "the 3rd of May 1999",
      max_tokens: 200,
      temperature: 0,
      stream: true,
    })
    let pieces = 0
    let reason: string | null = null
    for await (const { choices } of stream) {
      if (pieces++ === 0) one.child.kill("SIGTERM")
      reason = choices[0]?.finish_reason ?? reason
    }
    expect(["stop", "length"]).toContain(reason)
    expect(await one.ended).toBe(0)
    await expect(fetch(one.url)).rejects.toThrow()
  })

  it("leaves its clients an error, not a hang, when it is killed", async () => {
    const one = await startServer()
    const stream = await clientOf(one).completions.create({
      model: student.name,
      prompt: "a",
      max_tokens: 400,
      temperature: 0,
      stream: true,
    })
    const read = async () => {
      for await (const _ of stream) one.child.kill("SIGKILL")
    }
    await expect(read()).rejects.toThrow()
    expect(await one.ended).toBe("SIGKILL")
  })
})

async function metricsOf({ url }: Served): Promise<string> {
  return (await fetch(`${url}metrics`)).text()
}

function residentMegabytes({ child }: Served): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(child.pid)], { encoding: "utf8" })) / 1024
}

/** A Python with OpenAI's client, in an environment of its own that is made once. */
function pythonWithOpenai(): string {
  const home = join(root, ".cache/python-openai")
  const program = join(home, process.platform === "win32" ? "Scripts/python.exe" : "bin/python")
  if ("reason" in python) throw new Error(python.reason)
  if (!existsSync(join(home, "ready"))) {
    rmSync(home, { recursive: true, force: true })
    execFileSync(python.command, ["-m", "venv", home])
    execFileSync(program, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "openai>=2,<3"], { stdio: "inherit" })
    writeFileSync(join(home, "ready"), "")
  }
  return program
}

const pythonScript = `
import json, sys
import openai
base, model = sys.argv[1:]
client = openai.OpenAI(base_url=base, api_key="none", max_retries=0)
asked = dict(model=model, messages=[{"role": "user", "content": "May 1"}], max_tokens=12, temperature=0)
whole = client.chat.completions.create(**asked, logprobs=True)
pieces = "".join(chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**asked, stream=True) if chunk.choices)
try:
    client.chat.completions.create(**{**asked, "model": "gpt-4o-mini"})
    error = ""
except openai.APIError as caught:
    error = type(caught).__name__
content = whole.choices[0].logprobs.content
print(json.dumps({"whole": whole.choices[0].message.content, "pieces": pieces, "error": error, "probabilities": all(one.logprob <= 0 for one in content)}))
`
