// npm run bench -- metrics [--quick]: scoring 10,000 and 100,000 answers, we beside sacrebleu, rouge_score and SQuAD's evaluation script, all in
// one process each. Scores must agree; time per row must stay the same from the smaller to the larger set.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pythonContender, typeScriptContender, withContenders } from "../harness/contender"
import { openPythonEnvironment } from "../harness/python-environment"
import { compare, type ResultRow, writeResults } from "../harness/results"
import { median, runRounds, spread } from "../harness/rounds"
import { writeRows } from "./make-rows"

const isQuick = process.argv.includes("--quick")
const sizes = [10_000, 100_000] as const
const rounds = isQuick ? 1 : 3
/** Whose code the peer's number is. */
const metrics = {
  chrF: "sacrebleu",
  "chrF++": "sacrebleu",
  BLEU: "sacrebleu",
  "ROUGE-L": "rouge_score",
  exactMatch: "Python",
  exactMatchNormalized: "SQuAD's script",
  tokenF1: "SQuAD's script",
}

interface Scored {
  readonly seconds: number
  readonly value: number
}

const packages = ["sacrebleu==2.6.0", "rouge-score==0.1.2"]
const python = openPythonEnvironment(packages)
const folder = mkdtempSync(join(tmpdir(), "prompt2model-bench-"))
const results: ResultRow[] = []
try {
  const file = join(folder, "rows.jsonl")
  writeRows(file, sizes[1])
  await withContenders(
    [typeScriptContender("ours", "metrics/ours.ts"), pythonContender("peers", python, "metrics/peer.py")],
    async (contenders) => {
      for (const contender of contenders) await contender.ask("load", { file })
      for (const [metric, peerName] of Object.entries(metrics)) {
        console.error(`${metric} ...`)
        for (const contender of contenders) await contender.ask("score", { metric, count: 5000 })
        const perRow: number[][] = []
        for (const count of sizes) {
          const answers = await runRounds(contenders, rounds, (contender) => contender.ask<Scored>("score", { metric, count }))
          const [ours, peer] = answers.map((of) => of[0].value)
          if (Math.abs(ours - peer) > 1e-4) throw new Error(`${metric} is ${ours} by us and ${peer} by ${peerName}.`)
          const [ownSeconds, peerSeconds] = answers.map((of) => median(of.map(({ seconds }) => seconds)))
          perRow.push([ownSeconds / count, peerSeconds / count])
          const row = { case: `${count.toLocaleString("en")} rows`, metric, unit: "rows/s", peerName }
          results.push(compare({ ...row, ours: count / ownSeconds, peer: count / peerSeconds }, "more"))
          console.error(`  spread ${answers.map((of) => spread(of.map(({ seconds }) => seconds)).toFixed(2)).join(" and ")}`)
        }
        const [ours, peer] = [0, 1].map((index) => perRow[1][index] / perRow[0][index])
        results.push(compare({ case: "10 times the rows", metric, unit: "x time of a row", ours, peer, peerName }, "less"))
      }
      const [ours, peer] = await Promise.all(contenders.map((contender) => contender.memory()))
      const name = `${sizes[1].toLocaleString("en")} rows`
      results.push(
        compare({ case: name, metric: "memory at most", unit: "MB", ours: ours.peak, peer: peer.peak, peerName: "all peers" }, "less"),
      )
    },
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
writeResults("metrics", results, { peers: packages.join(", ") })
