// npm run bench -- serve [--quick]: a served student beside the same student behind Python transformers with FastAPI, asked by 1, 8 and 64
// clients in interleaved rounds. Each client asks its next question when it has its answer.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultThreads } from "../../../kernel-lib/src/engine/threads"
import { bundledHub, loadModel } from "../../../kernel-lib/src/index"
import { openPythonEnvironment } from "../harness/python-environment"
import { compare, type ResultRow, root, writeResults } from "../harness/results"
import { median } from "../harness/rounds"

const isQuick = process.argv.includes("--quick")
const rounds = isQuick ? 2 : 5
const clientCounts = [1, 8, 64]
const models = ["byte-t5-tiny", "byte-t5-small"]
const maxNewTokens = 16
const peerName = "transformers with FastAPI"
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]

const python = openPythonEnvironment(["torch", "transformers", "accelerate", "numpy", "fastapi", "uvicorn"])
const threads = defaultThreads()
const folder = mkdtempSync(join(tmpdir(), "prompt2model-bench-serve-"))
const results: ResultRow[] = []
try {
  for (const model of models) {
    const student = await loadModel(`bundled/${model}`, { hub: bundledHub() })
    await student.save(join(folder, model))
    student.dispose()
    const servers = [await startOurs(join(folder, model)), await startPeer(join(folder, model))]
    try {
      for (const clients of clientCounts) {
        console.error(`${model}, ${clients} client${clients > 1 ? "s" : ""} ...`)
        results.push(...(await measure(model, clients, servers)))
      }
    } finally {
      for (const { child } of servers) child.kill()
    }
  }
  writeResults("serve", results, { threads, maxNewTokens, students: "random weights", rounds })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface Served {
  readonly child: ChildProcess
  readonly url: string
}

interface Load {
  readonly seconds: number
  readonly milliseconds: readonly number[]
  readonly texts: readonly string[]
}

async function measure(model: string, clients: number, servers: readonly Served[]): Promise<ResultRow[]> {
  const count = Math.max(clients * 3, isQuick ? 16 : 32)
  const inputs = Array.from(
    { length: count },
    (_, i) => `${(i % 28) + 1} of ${months[i % 12]} ${1900 + i}${i % 3 === 0 ? ", a fine day" : ""}`,
  )
  const [first, theirs] = [await load(servers[0], clients, inputs), await load(servers[1], clients, inputs)]
  const same = first.texts.filter((text, at) => text === theirs.texts[at]).length
  if (same < 0.95 * count)
    throw new Error(`${model}: only ${same} of ${count} answers are the peer's: ${first.texts[0]} and ${theirs.texts[0]}.`)
  const loads: Load[][] = [[], []]
  for (let round = 0; round < rounds; round++)
    for (const [at, server] of servers.entries()) loads[at].push(await load(server, clients, inputs))
  const rate = (at: number) => median(loads[at].map(({ seconds }) => count / seconds))
  const latency = (at: number, share: number) =>
    quantile(
      loads[at].flatMap(({ milliseconds }) => milliseconds),
      share,
    )
  const name = { case: `${model}, ${clients} client${clients > 1 ? "s" : ""}`, peerName, sameAnswers: `${same} of ${count}` }
  return [
    compare({ ...name, metric: "requests", unit: "1/s", ours: rate(0), peer: rate(1) }, "more"),
    compare({ ...name, metric: "latency p50", unit: "ms", ours: latency(0, 0.5), peer: latency(1, 0.5) }, "less"),
    compare({ ...name, metric: "latency p99", unit: "ms", ours: latency(0, 0.99), peer: latency(1, 0.99) }, "less"),
  ]
}

async function load({ url }: Served, clients: number, inputs: readonly string[]): Promise<Load> {
  const texts: string[] = new Array(inputs.length)
  const milliseconds: number[] = []
  let next = 0
  const started = performance.now()
  const client = async () => {
    for (let at = next++; at < inputs.length; at = next++) {
      const asked = performance.now()
      const body = JSON.stringify({ prompt: inputs[at], max_tokens: maxNewTokens, temperature: 0 })
      const response = await fetch(`${url}v1/completions`, { method: "POST", headers: { "content-type": "application/json" }, body })
      const answer = (await response.json()) as { choices: { text: string }[] }
      if (!response.ok) throw new Error(`The server answered ${response.status}: ${JSON.stringify(answer)}`)
      texts[at] = answer.choices[0].text
      milliseconds.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return { seconds: (performance.now() - started) / 1000, milliseconds, texts }
}

async function startOurs(student: string): Promise<Served> {
  const port = await freePort()
  const program = join(root, "kernel-lib/bin/prompt2model.mjs")
  return waitFor(
    spawn(process.execPath, [program, "serve", student, "--port", String(port)], { stdio: ["ignore", "ignore", "inherit"] }),
    port,
  )
}

async function startPeer(student: string): Promise<Served> {
  const port = await freePort()
  const words = [join(root, "test/bench/serve/peer.py"), student, String(port), String(threads)]
  return waitFor(spawn(python, words, { stdio: ["ignore", "ignore", "inherit"] }), port)
}

async function waitFor(child: ChildProcess, port: number): Promise<Served> {
  const url = `http://127.0.0.1:${port}/`
  while (child.exitCode === null) {
    const isUp = await fetch(`${url}health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return { child, url }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`A server ended with ${child.exitCode} before it answered.`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}
