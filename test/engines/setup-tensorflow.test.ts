// npm run setup:tensorflow: what it says where something is missing, and, where TensorFlow is set up or SETUP_TENSORFLOW=1 allows it to be
// (250 MB from PyPI, a minute; a second run takes seconds), that it works.
import { spawnSync } from "node:child_process"
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"

const root = join(import.meta.dirname, "../..")
const folder = mkdtempSync(join(tmpdir(), "setup-tensorflow-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A workspace that borrows everything but .cache, on a machine that has these commands alone. */
function makeMachine(commands: Record<string, string>): { workspace: string; path: string } {
  const workspace = mkdtempSync(join(folder, "workspace-"))
  for (const name of ["node_modules", "kernel-lib", "package.json", "package-lock.json", "tsconfig.json"])
    symlinkSync(join(root, name), join(workspace, name))
  cpSync(join(root, "scripts"), join(workspace, "scripts"), { recursive: true })
  const path = join(workspace, "commands")
  mkdirSync(path)
  symlinkSync(process.execPath, join(path, "node"))
  for (const [name, script] of Object.entries({ npm: fakeNpm, ...commands })) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(path, name), 0o755)
  }
  return { workspace, path }
}

/** "Installs" tfjs-node. */
const fakeNpm = "/bin/mkdir -p node_modules/@tensorflow/tfjs-node"

function runSetup({ workspace, path }: ReturnType<typeof makeMachine>, ...words: string[]) {
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(workspace, "scripts/setup-tensorflow.mjs"), ...words], {
    encoding: "utf8",
    env: { PATH: path, HOME: folder, TFJS_NODE_CDN_STORAGE: "http://127.0.0.1:1/" },
  })
  return { status, output: stdout + stderr }
}

describe.skipIf(process.platform === "win32")("says plainly what is missing", () => {
  test("no network and no Python", () => {
    const { status, output } = runSetup(makeMachine({}))
    expect(output).toContain("TensorFlow could not be had. The official download at 127.0.0.1:1 cannot be reached. No Python 3.10 or newer")
    expect(status).toBe(1)
  })

  test("no network for pip", () => {
    // A Python without TensorFlow whose environment is itself, and whose pip reaches nothing.
    const python = [
      'case "$*" in',
      '  *find_spec*|*"-m pip"*) echo "No matching distribution" >&2; exit 1;;',
      '  *"-m venv"*) /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python";;',
      "esac",
    ].join("\n")
    const { status, output } = runSetup(makeMachine({ python3: python }))
    expect(output).toMatch(/pip could not install tensorflow\S*==\S+ \(No matching distribution\)\./)
    expect(status).toBe(1)
  })

  test("no compiler, which the engine does not need; libraries that are none", () => {
    const tensorflow = mkdtempSync(join(folder, "tensorflow-"))
    mkdirSync(join(tensorflow, "include"))
    for (const name of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]) writeFileSync(join(tensorflow, name), "no library")
    const machine = makeMachine({ python3: `case "$*" in *find_spec*) printf '2.21.0\\n${tensorflow}\\n';; esac` })
    const { status, output } = runSetup(machine)
    expect(output).toContain("There is no C++ compiler, so tfjs-node's add-on is not built. The engine works without it.")
    expect(output).toMatch(/TensorFlow was installed and does not work: .*TensorFlow could not be loaded from/)
    expect(status).toBe(1)
    expect(existsSync(join(machine.workspace, ".cache/tensorflow/node_modules/@tensorflow/tfjs-node/deps/lib/libtensorflow.so"))).toBe(true)
  })

  test("an option that there is not", () => {
    expect(runSetup(makeMachine({}), "--tpu")).toEqual({ status: 2, output: "--tpu is no option: use --gpu, --again or neither.\n" })
  })
})

const isWanted = process.env.SETUP_TENSORFLOW === "1" || existsSync(join(root, ".cache/tensorflow"))

describe.skipIf(!isWanted)("sets TensorFlow up (asked for by SETUP_TENSORFLOW=1)", () => {
  const run = (...words: string[]) => spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" })

  test("trains a step, is there the second time, and is listed among the engines", () => {
    const first = run("scripts/setup-tensorflow.mjs")
    expect(first.stderr).toMatch(/TensorFlow is (ready|there already): tensorflow \S+, which trained a step in fp32 and one in bf16\./)
    expect(first.status).toBe(0)
    const second = run("scripts/setup-tensorflow.mjs")
    expect(second.stderr).toMatch(/^TensorFlow is there already: /)
    const { stdout, stderr } = run("node_modules/.bin/unrun", "kernel-lib/src/cli/main.ts", "engines", "--json")
    const engines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(engines.find(({ name }) => name === "tensorflow")).toMatchObject({
      isAvailable: true,
      runtime: expect.stringMatching(/^tensorflow 2\./),
    })
    expect(stderr).toBe("")
  })
})
