// We in decoding: a student loaded from transformers' format answers rows of token ids. Answers questions (serve-contender.ts).
import { selectEngine } from "../../../kernel-lib/src/engine"
import { loadStudent } from "../../../kernel-lib/src/students"
import type { Answering } from "../../../kernel-lib/src/students/architecture"
import { readGenerationConfiguration } from "../../../kernel-lib/src/students/generation-configuration"
import { modelOf } from "../../../kernel-lib/src/students/network-student"
import { serveContender } from "../harness/serve-contender"

let answering: Answering | undefined

async function prepare({ folder, threads }: { folder: string; threads: number }) {
  const student = await loadStudent(folder)
  const { tokenizer, weights } = student
  answering = modelOf(student).openAnswering({
    engine: await selectEngine("onnx"),
    weights,
    areWeightsFixed: true,
    tokenizer,
    generation: readGenerationConfiguration({}),
    threads,
  })
}

interface Job {
  readonly rows: readonly (readonly number[])[]
  readonly together: number
  readonly beams: number
  readonly maxNewTokens: number
}

async function decode({ rows, together, beams, maxNewTokens }: Job) {
  const decoding = beams > 1 ? ({ kind: "beam", beams } as const) : ({ kind: "greedy" } as const)
  const tokens: (readonly number[])[] = []
  const began = performance.now()
  for (let start = 0; start < rows.length; start += together) {
    const inputs = rows.slice(start, start + together).map((ids) => ({ text: "", ids }))
    tokens.push(...(await answering!.answer(inputs, { decoding, maxNewTokens })).map((answer) => answer.tokens))
  }
  return { seconds: (performance.now() - began) / 1000, tokens }
}

await serveContender({ prepare, decode })
