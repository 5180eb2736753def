// The benchmarks' own Python environment, in .cache/bench-python: made once, and extended when a benchmark needs more packages.
// The versions are those of constraints.txt, so that all benchmarks measure the same peers.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./results"

const home = join(root, ".cache/bench-python")
const constraints = join(root, "test/bench/harness/constraints.txt")

/** The path of a Python that has these packages. @throws Error in one sentence */
export function openPythonEnvironment(packages: readonly string[]): string {
  const python = join(home, "venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python")
  const base = findPython()
  const wanted = createHash("sha256")
    .update(readFileSync(constraints))
    .update(run(base, ["--version"]))
    .digest("hex")
  const stampFile = join(home, "stamp.json")
  let stamp = readStamp(stampFile)
  if (stamp?.made !== wanted) {
    console.error("Making a Python environment for the peers ...")
    rmSync(home, { recursive: true, force: true })
    mkdirSync(home, { recursive: true })
    run(base, ["-m", "venv", join(home, "venv")])
    stamp = { made: wanted, packages: [] }
  }
  const missing = packages.filter((name) => !stamp.packages.includes(name))
  if (missing.length === 0) return python
  console.error(`Installing ${missing.join(", ")} for the peers ...`)
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints, ...missing])
  writeFileSync(stampFile, JSON.stringify({ made: wanted, packages: [...stamp.packages, ...missing] }))
  return python
}

function findPython(): string {
  const names = [process.env.PYTHON, "python3", "python", "python3.13", "python3.12", "python3.11", "python3.10"]
  for (const command of names) {
    if (!command) continue
    const { status } = spawnSync(command, ["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"], { stdio: "ignore" })
    if (status === 0) return command
  }
  throw new Error("No Python 3.10 or newer with venv was found: install one (Debian: apt-get install python3-venv), or name it in PYTHON.")
}

function readStamp(file: string): { made: string; packages: string[] } | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined
}

function run(command: string, words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: "utf8" })
  if (status !== 0) throw new Error(`${command} ${words.slice(0, 3).join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}
