// A process that asks a run's teacher what standard input names, and prints the answers: {folder, numbers, concurrency, batch} in, {number: text} out.
import { text } from "node:stream/consumers"
import { openaiTeacher, openRun } from "prompt2model"

const { folder, numbers, concurrency, batch } = JSON.parse(await text(process.stdin))
const teacher = openaiTeacher("gpt-4o-mini", { batch })
const run = await openRun(folder, { teacher })
const waiting = [...numbers]
const answers = {}

async function ask() {
  for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
    const messages = [{ role: "user", content: `question ${number}` }]
    const { texts } = await run.teacher.complete({ purpose: "generate", messages, temperature: 0, numResponses: 1, index: number })
    answers[number] = texts[0]
  }
}

await Promise.all(Array.from({ length: concurrency }, ask))
console.log(JSON.stringify(answers))
