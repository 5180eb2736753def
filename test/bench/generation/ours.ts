// We in generation: the whole stage, with every answer on disk before it counts. Answers questions (serve-contender.ts).
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PromptSpec } from "../../../kernel-lib/src/core/prompt-spec"
import { openaiTeacher } from "../../../kernel-lib/src/services/teachers"
import { generateDataset } from "../../../kernel-lib/src/stages/generate-dataset/generate-dataset"
import { openRunFolder } from "../../../kernel-lib/src/store/run"
import { serveContender } from "../harness/serve-contender"

interface Job {
  readonly baseURL: string
  readonly rows: number
  readonly responses: number
  readonly concurrency: number
}

const spec = new PromptSpec({
  instruction: "Answer which number comes next, as a numeral.",
  demonstrations: [
    { input: "What comes after 3?", output: "4" },
    { input: "Say the number that follows seven.", output: "8" },
  ],
})

async function generate({ baseURL, rows, responses, concurrency }: Job) {
  const folder = mkdtempSync(join(tmpdir(), "prompt2model-bench-"))
  try {
    const teacher = openaiTeacher("mock", { baseURL, apiKey: "", maxConcurrency: concurrency })
    const run = await openRunFolder(join(folder, "run"), { teacher })
    let firstRow = 0
    const onRow = () => {
      firstRow ||= performance.now()
    }
    const began = performance.now()
    const made = await generateDataset(spec, { numExamples: rows, responsesPerRequest: responses, maxConcurrency: concurrency, run, onRow })
    const seconds = (performance.now() - began) / 1000
    return { seconds, rows: made.length, firstRow: (firstRow - began) / 1000, requests: made.requests.sent }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await serveContender({ generate })
process.exit(0)
