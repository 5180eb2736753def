// A process of its own for tests of the engine xla. `open FILE ...` says what comes of opening files that are no plug-ins; `train FOLDER STEPS`
// trains a tiny network and keeps its state after each step, going on from what is there, until it is done or killed.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { deserialize, serialize } from "node:v8"
import { openPlugin } from "../../kernel-lib/src/engine/xla/open-plugin"
import { makeXlaEngine } from "../../kernel-lib/src/engine/xla/xla-engine"
import { makeBatch, makeLoss, makeParameters } from "../../kernel-lib/test/engine/tiny-translator"

const words = process.argv.slice(process.argv.findIndex((word) => word === "open" || word === "train"))
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

if (words[0] === "open") {
  for (const file of words.slice(1)) {
    try {
      say({ file, platform: openPlugin(file).platform })
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      say({ file, code, message })
    }
  }
} else {
  const [, plugin, folder, steps] = words
  const session = makeXlaEngine(openPlugin(plugin)).createTrainingSession({ parameters: makeParameters(), loss: makeLoss(0.2), seed: 3 })
  const path = join(folder, "state")
  const losses: number[] = []
  if (existsSync(path)) {
    const saved = deserialize(readFileSync(path))
    session.importState(saved.state)
    losses.push(...saved.losses)
  }
  // What runs TypeScript may have started this process: a kill must hit the one that trains.
  say({ process: process.pid, from: session.stepsTaken })
  while (session.stepsTaken < Number(steps)) {
    losses.push((await session.step(makeBatch(session.stepsTaken), { learningRate: 0.01 })).loss)
    writeFileSync(`${path}.tmp`, serialize({ losses, state: structuredClone(session.exportState()) }))
    renameSync(`${path}.tmp`, path)
    say({ step: session.stepsTaken })
  }
  session.dispose()
}
