// npm run bench -- generation [--quick]: rows from a mock teacher, with no latency and with a real service's, we beside the same work through
// Python's openai client and through NVIDIA's DataDesigner and distilabel. Ours is the whole stage: voting, the ledger, and every answer
// flushed to disk before it counts. Two libraries have no row: curator 0.1.31 downloads a vocabulary from outside the package index before its
// first request, and datadreamer.dev 0.46.0 installs with versions of NumPy, pyarrow and datasets with which it cannot be imported.
import { pythonContender, typeScriptContender, withContenders } from "../harness/contender"
import { openPythonEnvironment } from "../harness/python-environment"
import { compare, type ResultRow, writeResults } from "../harness/results"
import { median, runRounds, spread } from "../harness/rounds"

const isQuick = process.argv.includes("--quick")
const concurrency = 16

interface Made {
  readonly seconds: number
  readonly rows: number
  readonly firstRow: number
  readonly requests: number
}

interface Case {
  readonly name: string
  readonly rows: number
  readonly responses: number
  readonly rounds: number
  readonly latency: number
  readonly refused: number
}

const cases: readonly Case[] = [
  { name: "no latency, 1 answer a request", rows: isQuick ? 1500 : 4000, responses: 1, rounds: 3, latency: 0, refused: 0 },
  { name: "no latency, 4 answers a request", rows: isQuick ? 4000 : 8000, responses: 4, rounds: 3, latency: 0, refused: 0 },
  { name: "400 ms, 5% refused", rows: isQuick ? 1200 : 2400, responses: 1, rounds: isQuick ? 1 : 2, latency: 400, refused: 0.05 },
]

/** Rows and rounds that each library is asked for: enough that what it does once for all rows counts little. */
const libraries = [
  { library: "data-designer", rows: 2000, rounds: isQuick ? 1 : 3 },
  { library: "distilabel", rows: isQuick ? 300 : 2000, rounds: 1 },
]

const python = openPythonEnvironment(["openai"])
const results: ResultRow[] = []
await withContenders(
  [
    typeScriptContender("mock teacher", "generation/mock-teacher.ts"),
    typeScriptContender("ours", "generation/ours.ts"),
    pythonContender("openai (Python, async)", python, "generation/peer.py"),
  ],
  async ([server, ...contenders]) => {
    const baseURL = await server.ask<string>("listen")
    const generate = async (contender: (typeof contenders)[number], { rows, responses, latency, refused }: Case) => {
      await server.ask("begin", { latency, sigma: 0.5, refused })
      const made = await contender.ask<Made>("generate", { baseURL, rows, responses, concurrency })
      return { ...made, ...(await server.ask<{ meanInFlight: number; served: number }>("end")) }
    }
    for (const one of cases) {
      console.error(`${one.name} ...`)
      for (const contender of contenders) await generate(contender, { ...one, rows: Math.ceil(one.rows / 10) })
      const answers = await runRounds(contenders, one.rounds, (contender) => generate(contender, one))
      const [ours, peer] = answers.map((rounds) => ({
        perSecond: median(rounds.map(({ rows, seconds }) => rows / seconds)),
        overhead: median(rounds.map(({ seconds, requests }) => (seconds * 1000) / requests)),
        firstRow: median(rounds.map(({ firstRow }) => firstRow * 1000)),
        inFlight: median(rounds.map(({ meanInFlight }) => meanInFlight)),
        spread: spread(rounds.map(({ seconds }) => seconds)),
      }))
      const peerName = contenders[1].name
      const row = { case: one.name, peerName }
      results.push(compare({ ...row, metric: "accepted rows", unit: "rows/s", ours: ours.perSecond, peer: peer.perSecond }, "more"))
      if (one.latency === 0) {
        results.push(compare({ ...row, metric: "time of a request", unit: "ms", ours: ours.overhead, peer: peer.overhead }, "less"))
      } else {
        results.push(
          compare(
            { ...row, metric: `requests in flight, of ${concurrency}`, unit: "mean", ours: ours.inFlight, peer: peer.inFlight },
            "more",
          ),
        )
      }
      results.push(compare({ ...row, metric: "time to first row", unit: "ms", ours: ours.firstRow, peer: peer.firstRow }, "less"))
      console.error(`  spread ${ours.spread.toFixed(2)} and ${peer.spread.toFixed(2)}`)
    }
    const many: Case = { name: "100,000 rows", rows: isQuick ? 10_000 : 100_000, responses: 4, rounds: 1, latency: 0, refused: 0 }
    const peaks: number[] = []
    for (const contender of contenders) {
      console.error(`${many.name}, ${contender.name} ...`)
      await generate(contender, many)
      peaks.push((await contender.memory()).peak)
    }
    const name = `${many.rows.toLocaleString("en")} rows`
    results.push(
      compare({ case: name, metric: "memory at most", unit: "MB", ours: peaks[0], peer: peaks[1], peerName: contenders[1].name }, "less"),
    )
  },
)
await compareLibraries()
writeResults("generation", results, { concurrency, latency: "lognormal, median 400 ms, sigma 0.5" })

/** After a small round, since starting processes would else count for as much as the rows. */
async function compareLibraries(): Promise<void> {
  const withLibraries = openPythonEnvironment(["openai", "data-designer==0.9.6", "distilabel==1.5.3", "requests"])
  await withContenders(
    [
      typeScriptContender("mock teacher", "generation/mock-teacher.ts"),
      typeScriptContender("ours", "generation/ours.ts"),
      pythonContender("libraries", withLibraries, "generation/libraries.py"),
    ],
    async ([server, ...contenders]) => {
      const baseURL = await server.ask<string>("listen")
      for (const { library, rows, rounds } of libraries) {
        console.error(`${library} ...`)
        const perSecond = async (contender: (typeof contenders)[number], numRows: number) => {
          await server.ask("begin", { latency: 0, sigma: 0.5, refused: 0 })
          const details = contender.name === "ours" ? { responses: 1 } : { library }
          const made = await contender.ask<Made>("generate", { baseURL, rows: numRows, concurrency, ...details })
          return made.rows / made.seconds
        }
        for (const contender of contenders) await perSecond(contender, Math.ceil(rows / 10))
        const [ours, peer] = (await runRounds(contenders, rounds, (contender) => perSecond(contender, rows))).map(median)
        const row = { case: `no latency, ${rows.toLocaleString("en")} rows`, metric: "accepted rows", unit: "rows/s" }
        results.push(compare({ ...row, ours, peer, peerName: library }, "more"))
      }
    },
  )
}
