// prompt2model engines, on machines with plug-ins for XLA: one that works, ones that do not. What is wrong is a sentence in the list.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import type { EngineDescription } from "../../kernel-lib/src/engine"
import { label, pluginFile } from "./xla"

const root = join(import.meta.dirname, "../..")
const folder = mkdtempSync(join(tmpdir(), "engines-command-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** A Python environment with plug-ins by their places. */
function makeEnvironment(place: (packages: string) => void): string {
  const home = mkdtempSync(join(folder, "environment-"))
  const packages = join(home, "lib/python3.11/site-packages")
  mkdirSync(packages, { recursive: true })
  place(packages)
  return home
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** What the command says of XLA in that environment. */
function askForXla(environment: string): EngineDescription {
  const main = join(root, "kernel-lib/src/cli/main.ts")
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/unrun/dist/cli.mjs"), main, "engines", "--json"],
    {
      cwd: root,
      encoding: "utf8",
      env: { PATH: dirname(process.execPath), HOME: folder, VIRTUAL_ENV: environment },
    },
  )
  expect(stderr).toBe("")
  expect(status).toBe(0)
  const engines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as EngineDescription)
  return engines.find(({ name }) => name === "xla")!
}

test("a plug-in without its device and one that is none are a sentence each", () => {
  const home = makeEnvironment((packages) => {
    write(join(packages, "jax_plugins/xla_cuda13/xla_cuda_plugin.so"), "no library")
    write(join(packages, "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"), "no library")
  })
  const { isAvailable, reason, variants } = askForXla(home)
  // The first where there is a GPU, the second where there is none.
  const broken = expect.stringMatching(/xla_cpu_pjrt\.so is no shared library\.$/)
  const without = expect.stringMatching(/(^No NVIDIA GPU is in sight, which .* needs|xla_cuda_plugin\.so is no shared library)\.$/)
  expect([isAvailable, reason]).toEqual([false, expect.stringMatching(/^For current GPUs and TPUs\. .+\.$/)])
  expect(variants).toMatchObject([
    { setting: `PJRT_PLUGIN=${join(home, "lib/python3.11/site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so")}`, reason: without },
    { isAvailable: false, reason: broken, howToGet: "install its package again." },
  ])
})

describe.skipIf(!pluginFile)(label, () => {
  test("a plug-in that works is offered with its devices, whatever lies beside it", () => {
    const home = makeEnvironment((packages) => {
      write(join(packages, "jax_plugins/xla_cuda13/xla_cuda_plugin.so"), "no library")
      mkdirSync(join(packages, "xla_plugins/xla_cpu_pjrt"), { recursive: true })
      mkdirSync(join(packages, "xla_cpu_pjrt-0.0.1.dist-info"))
      symlinkSync(pluginFile!, join(packages, "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"))
    })
    const { isAvailable, runtime, variants } = askForXla(home)
    expect({ isAvailable, runtime }).toEqual({ isAvailable: true, runtime: expect.stringMatching(/^PJRT 0\.\d+ \(cpu\)$/) })
    expect(variants).toMatchObject([
      { isAvailable: false },
      { isAvailable: true, reason: expect.stringMatching(/^xla-cpu-pjrt 0\.0\.1, PJRT 0\.\d+: \d+ devices? \(cpu\)\.$/) },
    ])
  })
})
