// A training's checkpoint: what is trained, the optimizer's state and steps, and the best weights so far, exact to the bit.
import { mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError, messageOf } from "../core/errors"
import type { TrainingSession, TrainingState } from "../engine"
import { placeAtomically, writeFileAtomically } from "../store/atomic"
import { listTensors, type NamedTensor, WeightReader, writeSafetensors } from "./safetensors"

const stateFile = "state.safetensors"
const bestFile = "best.safetensors"
const stepsFile = "steps.json"

/** The parts of a state, as names in the file begin. */
const parts = ["parameters", "firstMoments", "secondMoments", "rowMoments", "columnMoments"] as const

/** Writes `folder`, which appears whole or not at all. */
export async function saveTrainingState(
  folder: string,
  session: TrainingSession,
  best: ReadonlyMap<string, Float32Array> | undefined,
): Promise<void> {
  const state = session.exportState()
  const { parameters } = session
  const shapeOf = (name: string, data: Float32Array) =>
    parameters[name]?.data.length === data.length ? parameters[name].shape : [data.length]
  const tensors: NamedTensor[] = parts.flatMap((part) =>
    Object.entries(state[part] ?? {}).map(([name, data]) => ({ name: `${part}/${name}`, shape: shapeOf(name, data), data })),
  )
  await placeAtomically(folder, async (temporary) => {
    await mkdir(temporary, { recursive: true })
    await writeSafetensors(join(temporary, stateFile), tensors)
    if (best) {
      const kept = [...best].map(([name, data]) => ({ name, shape: shapeOf(name, data), data }))
      await writeSafetensors(join(temporary, bestFile), kept)
    }
    await writeFileAtomically(join(temporary, stepsFile), JSON.stringify({ stepsTaken: state.stepsTaken, hasBest: best !== undefined }))
  })
}

/**
 * Puts `session` where it was when `folder` was written.
 * @returns the best weights, where there were any
 * @throws InputError `checkpoint.damaged`, `checkpoint.other-model`, `weights.damaged`
 */
export async function loadTrainingState(folder: string, session: TrainingSession): Promise<Map<string, Float32Array> | undefined> {
  const { stepsTaken, hasBest } = await readSteps(join(folder, stepsFile))
  // The session's own arrays: the file is read where it belongs.
  const state: TrainingState = session.exportState()
  const wanted = parts.flatMap((part) => Object.entries(state[part] ?? {}).map(([name, data]) => [`${part}/${name}`, data] as const))
  await readExactly(join(folder, stateFile), new Map(wanted))
  session.importState({ ...state, stepsTaken })
  if (!hasBest) return undefined
  const best = new Map(Object.entries(state.parameters).map(([name, data]) => [name, new Float32Array(data.length)]))
  await readExactly(join(folder, bestFile), best)
  return best
}

async function readSteps(path: string): Promise<{ stepsTaken: number; hasBest: boolean }> {
  try {
    const { stepsTaken, hasBest } = JSON.parse(await readFile(path, "utf8"))
    if (Number.isSafeInteger(stepsTaken) && stepsTaken >= 0) return { stepsTaken, hasBest: hasBest === true }
    throw new RangeError(`${stepsTaken} steps`)
  } catch (error) {
    throw new InputError("checkpoint.damaged", `${path} cannot be read: ${messageOf(error)}. Delete its folder to begin anew.`, {
      cause: error,
    })
  }
}

/** Fills `targets` from a file that has exactly these tensors. */
async function readExactly(path: string, targets: ReadonlyMap<string, Float32Array>): Promise<void> {
  const entries = await listTensors(path)
  for (const [name, target] of targets) {
    const entry = entries.get(name)
    if (entry?.bytes !== target.byteLength || entries.size !== targets.size) {
      throw new InputError(
        "checkpoint.other-model",
        `${path} is the checkpoint of another model or training: delete its folder to begin anew.`,
      )
    }
  }
  const reader = new WeightReader()
  try {
    for (const [name, target] of targets) await reader.readInto(entries.get(name)!, target)
  } finally {
    await reader.close()
  }
}
