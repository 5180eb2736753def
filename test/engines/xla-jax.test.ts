// The programs that our engine runs give the same numbers through JAX's own client: two training steps with dropout, clipping and accumulation, and
// an answer. JAX is that of the Python which PYTHON_WITH_JAX names (jax-requirements.txt has the versions); without it the test is skipped.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as tf from "@tensorflow/tfjs-core"
import { afterAll, describe, expect, test } from "vitest"
import { allocate, sizeOf } from "../../kernel-lib/src/engine/recording"
import type { TensorData, TensorSpec } from "../../kernel-lib/src/engine/session"
import type { Plugin } from "../../kernel-lib/src/engine/xla/open-plugin"
import type { DeviceTensor, Executable, Program } from "../../kernel-lib/src/engine/xla/pjrt-client"
import { makeXlaEngine } from "../../kernel-lib/src/engine/xla/xla-engine"
import { expectClose } from "../../kernel-lib/test/engine/compare"
import { makeBatch, makeLoss, makeParameters } from "../../kernel-lib/test/engine/tiny-translator"
import { plugin, pluginFile } from "./xla"

const python = process.env.PYTHON_WITH_JAX
const isHere = python !== undefined && spawnSync(python, ["-c", "import jax"]).status === 0
const folder = mkdtempSync(join(tmpdir(), "xla-jax-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** A program that was run, with copies of what went in and came out. */
interface Run {
  readonly program: Program
  readonly inputs: readonly Copy[]
  readonly outputs: readonly Copy[]
}

interface Copy extends TensorSpec {
  readonly data: TensorData
}

function copyTensor(tensor: DeviceTensor): Copy {
  const data = allocate(tensor.dtype, sizeOf(tensor.shape))
  tensor.read(data)
  return { shape: tensor.shape, dtype: tensor.dtype, data }
}

/** The plug-in, with a client that writes down each run. */
function watchRuns(watched: Plugin, runs: Run[]): Plugin {
  const compile = async (program: Program): Promise<Pick<Executable, "run" | "release">> => {
    const executable = await watched.client.compile(program)
    return {
      release: () => executable.release(),
      async run(tensors) {
        // Before the run, which takes those that it is given for good.
        const inputs = tensors.map(copyTensor)
        const results = await executable.run(tensors)
        runs.push({ program, inputs, outputs: results.map(copyTensor) })
        return results
      },
    }
  }
  const client = new Proxy(watched.client, {
    get(target, name) {
      if (name === "compile") return compile
      const value = Reflect.get(target, name)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
  return { ...watched, client }
}

function writeRuns(runs: readonly Run[]): void {
  const specs = (copies: readonly Copy[]) => copies.map(({ shape, dtype }) => ({ shape, dtype }))
  const listed = runs.map(({ program, inputs, outputs }, index) => {
    writeFileSync(join(folder, `${index}.mlir`), program.text)
    for (const [at, { data }] of inputs.entries()) writeFileSync(join(folder, `${index}-input-${at}.bin`), data)
    return { file: `${index}.mlir`, inputs: specs(inputs), outputs: specs(outputs) }
  })
  writeFileSync(join(folder, "programs.json"), JSON.stringify(listed))
}

function readOutput(index: number, at: number, { dtype, shape }: TensorSpec): TensorData {
  const data = allocate(dtype, sizeOf(shape))
  new Uint8Array(data.buffer).set(readFileSync(join(folder, `${index}-output-${at}.bin`)))
  return data
}

describe.skipIf(!pluginFile || !isHere)(
  isHere ? "through JAX's client" : "through JAX's client, which PYTHON_WITH_JAX does not name",
  () => {
    test.each(["fp32", "bf16"] as const)("%s programs give the same numbers", async (precision) => {
      const runs: Run[] = []
      const engine = makeXlaEngine(watchRuns(plugin, runs))
      const optimizer = { maxGradientNorm: 0.5, weightDecay: 0.1 }
      const session = engine.createTrainingSession({ parameters: makeParameters(), loss: makeLoss(0.2), optimizer, seed: 3, precision })
      await session.step(makeBatch(0), { learningRate: 0.01 })
      await session.step([makeBatch(1), makeBatch(2, { rows: 2 })], { learningRate: 0.01, weights: [2, 1] })
      await session.evaluate(makeBatch(3))
      session.dispose()
      const forward = engine.compileForward({
        forward: ({ x }, { weight }) => ({ y: tf.softmax(tf.matMul(x, weight)), largest: tf.argMax(tf.matMul(x, weight), 1) }),
        inputs: { x: { shape: [3, 4], dtype: "float32" } },
        parameters: { weight: { shape: [4, 5], data: Float32Array.from({ length: 20 }, (_, index) => Math.sin(index)) } },
        precision,
      })
      await forward.run({ x: Float32Array.from({ length: 12 }, (_, index) => Math.cos(index)) })
      forward.dispose()

      expect(runs.length).toBeGreaterThan(6)
      writeRuns(runs)
      const { status, stdout, stderr } = spawnSync(python!, [join(import.meta.dirname, "run_with_jax.py"), folder], { encoding: "utf8" })
      expect(stderr + stdout).toMatch(new RegExp(`ran ${runs.length} programs`))
      expect(status).toBe(0)
      const tolerance = precision === "bf16" ? 2e-3 : 2e-5
      for (const [index, { outputs }] of runs.entries()) {
        for (const [at, output] of outputs.entries())
          expectClose(readOutput(index, at, output), output.data, `output ${at} of program ${index}`, tolerance)
      }
    })
  },
)
