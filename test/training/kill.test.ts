// A training that is killed outright, again and again, ends with the curve and the weights of one that was left alone.
import { spawn } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Random } from "../../kernel-lib/src/core/random"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kill-"))
})
afterAll(() => rm(folder, { recursive: true }))

const unrun = join(dirname(createRequire(import.meta.url).resolve("unrun")), "cli.mjs")
const program = join(__dirname, "train-child.ts")

interface Outcome {
  /** The steps that this process took, or began with. */
  readonly steps: number[]
  readonly isDone: boolean
  readonly isKilled: boolean
  readonly stderr: string
}

/** Trains in `run` to the end, or until it has taken `killAfter` steps and so many milliseconds more. */
function train(run: string, optimizer: string, kill?: { readonly after: number; readonly milliseconds: number }): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [unrun, program, run, optimizer], { stdio: ["ignore", "pipe", "pipe"] })
    const steps: number[] = []
    let trainer = 0
    let isDone = false
    let isKilled = false
    let stderr = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "done") isDone = true
      else if (line.startsWith("process ")) trainer = Number(line.slice(8))
      else if (line.startsWith("step ")) steps.push(Number(line.slice(5)))
      if (kill && steps.length === kill.after)
        setTimeout(() => {
          isKilled = process.kill(trainer, "SIGKILL")
        }, kill.milliseconds)
    })
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", () => resolve({ steps, isDone, isKilled, stderr }))
  })
}

/** The stage's folder of a run, with what it keeps of the training. */
async function readResult(run: string) {
  const [stage] = (await readdir(join(run, "stages"))).filter((name) => name.startsWith("fineTune"))
  const at = join(run, "stages", stage)
  const { seconds: _seconds, tokensPerSecond: _speed, ...outcome } = JSON.parse(await readFile(join(at, "training.json"), "utf8"))
  return { files: await readdir(at), outcome, weights: await readFile(join(at, "student", "model.safetensors")) }
}

test.each([
  ["adamw", 5],
  ["adafactor", 2],
])("a training with %s that is killed %i times at random moments ends as an undisturbed one, bit for bit", async (optimizer, kills) => {
  const random = new Random(`kill ${optimizer}`)
  const [undisturbed, killed] = [join(folder, `${optimizer}-undisturbed`), join(folder, `${optimizer}-killed`)]
  const whole = await train(undisturbed, optimizer)
  expect(whole, whole.stderr).toMatchObject({ isDone: true })

  const goes: Outcome[] = []
  for (let kill = 0; kill < kills; kill++)
    goes.push(await train(killed, optimizer, { after: 2 + random.integer(14), milliseconds: random.integer(25) }))
  goes.push(await train(killed, optimizer))
  expect(goes.slice(0, -1).every(({ isKilled, isDone }) => isKilled && !isDone)).toBe(true)
  expect(goes.at(-1), goes.at(-1)!.stderr).toMatchObject({ isDone: true })
  // Each goes on where a checkpoint of the one before stands, a step or two back at most: none begins anew.
  for (const [at, { steps }] of goes.slice(1).entries()) {
    expect(steps[0]).toBeGreaterThan(1)
    expect(steps[0]).toBeGreaterThanOrEqual(goes[at].steps.at(-1)! - 1)
  }

  const [expected, found] = [await readResult(undisturbed), await readResult(killed)]
  expect(found.outcome).toEqual(expected.outcome)
  expect(found.outcome.trainLoss.length).toBeGreaterThan(5)
  expect(found.weights.equals(expected.weights)).toBe(true)
  expect(found.files).not.toContain("checkpoints")
})
