// The place in the training loop, and checkpoints of it beside the weights': each has a folder of its own, so that at every moment one of
// them is whole, and a process that was killed goes on from the newest to the same numbers.
import { readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { InputError, messageOf } from "../../core/errors"
import { placeAtomically, writeFileAtomically } from "../../store/atomic"
import type { Training } from "../../students"

const checkpoints = "checkpoints"
const loopFile = "loop.json"

/** The place in the loop, and what was seen on the way. */
export interface LoopState {
  /** Steps taken. */
  step: number
  /** Epochs whose validation loss was taken. */
  epochsDone: number
  best?: { step: number; loss: number }
  epochsWithoutGain: number
  trainLoss: [number, number][]
  validationLoss: [number, number][]
  /** Losses since the last point of the curve. */
  recent: number[]
  tokens: number
  seconds: number
}

export function beginLoop(): LoopState {
  return { step: 0, epochsDone: 0, epochsWithoutGain: 0, trainLoss: [], validationLoss: [], recent: [], tokens: 0, seconds: 0 }
}

/** Writes a checkpoint; older ones go when it stands. Without a folder nothing is kept. */
export async function saveCheckpoint(training: Training, state: LoopState, folder: string | undefined): Promise<void> {
  if (!folder) return
  const name = `step-${String(state.step).padStart(8, "0")}`
  await placeAtomically(join(folder, checkpoints, name), async (temporary) => {
    await training.saveCheckpoint(temporary)
    await writeFileAtomically(join(temporary, loopFile), JSON.stringify(state))
  })
  const others = (await readdir(join(folder, checkpoints))).filter((other) => other !== name)
  await Promise.all(others.map((other) => rm(join(folder, checkpoints, other), { recursive: true, force: true })))
}

/** Puts `training` where the newest checkpoint of `folder` is. @returns undefined where there is none @throws InputError `checkpoint.*` */
export async function resume(training: Training, folder: string | undefined): Promise<LoopState | undefined> {
  if (!folder) return undefined
  const names = await readdir(join(folder, checkpoints)).catch(() => [])
  const newest = names
    .filter((name) => name.startsWith("step-"))
    .sort()
    .at(-1)
  if (!newest) return undefined
  const path = join(folder, checkpoints, newest)
  await training.loadCheckpoint(path)
  try {
    return JSON.parse(await readFile(join(path, loopFile), "utf8"))
  } catch (cause) {
    throw new InputError("checkpoint.damaged", `${path} cannot be read: ${messageOf(cause)}. Delete that folder to begin anew.`, { cause })
  }
}

/** A training that is done needs no checkpoint. */
export async function removeCheckpoints(folder: string | undefined): Promise<void> {
  if (folder) await rm(join(folder, checkpoints), { recursive: true, force: true })
}
