// We in scoring. Answers questions (serve-contender.ts).
import { readFileSync } from "node:fs"
import { metricNamed } from "../../../kernel-lib/src/measures"
import { serveContender } from "../harness/serve-contender"

let rows: [answer: string, reference: string][] = []

function load({ file }: { file: string }): number {
  rows = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  return rows.length
}

function score({ metric, count }: { metric: string; count: number }) {
  const chosen = rows.slice(0, count)
  const [answers, references] = [chosen.map(([answer]) => answer), chosen.map(([, reference]) => reference)]
  const began = performance.now()
  const value = metricNamed(metric).corpus(answers, references)
  return { seconds: (performance.now() - began) / 1000, value }
}

await serveContender({ load, score })
process.exit(0)
