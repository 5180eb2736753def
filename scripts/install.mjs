// Installs what a command needs, once: a stamp in node_modules says which lockfile was installed, and how much of it.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, "node_modules", ".prompt2model.json")
const isWindows = process.platform === "win32"

/** Ends the process with one sentence where this Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(
    `Node ${process.versions.node} is too old: install Node 20.19 or newer from https://nodejs.org and run the same command again.`,
  )
  process.exit(1)
}

/** What may be installed, each more than the one before. */
const scopes = { library: ["kernel-lib"], lab: ["kernel-lib", "jupyter-extension", "notebooks"], all: [] }

/** Installs the packages of the library (`what: "library"`), of the notebooks (`"lab"`) or of everything (`"all"`), unless they are there. */
export function installPackages(what) {
  const lock = hashOf([join(root, "package-lock.json")])
  const stamp = readStamp()
  const order = Object.keys(scopes)
  if (stamp.lock !== lock && isInstalled()) {
    writeFileSync(stampFile, JSON.stringify({ lock, what: "all" }))
    return
  }
  const isEnough = order.indexOf(stamp.what) >= order.indexOf(what)
  if (stamp.lock === lock && isEnough) return
  const wanted = isEnough ? stamp.what : what
  const names = { library: "the library's packages", lab: "the packages of the library and the notebooks", all: "all packages" }
  console.error(`Installing ${names[wanted]} ...`)
  // Install scripts are not run: none is needed, and one that tries to download would fail without a network.
  const scope = scopes[wanted].flatMap((workspace) => ["--workspace", workspace])
  runNpm(
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error", ...scope],
    "The packages could not be installed: check the network and run the same command again.",
  )
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, JSON.stringify({ lock, what: wanted }))
}

/** Builds the library, unless its build is of these very sources. The types take most of the time, and only those who write code need them. */
export function buildLibrary({ withTypes }) {
  const folder = join(root, "kernel-lib")
  const sources = hashOf([
    ...listFiles(join(folder, "src")),
    join(folder, "package.json"),
    join(folder, "tsdown.config.ts"),
    join(root, "tsconfig.json"),
  ])
  const stampFile = join(folder, "dist", ".sources")
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, "utf8") : ""
  if (stamp === `${sources} with types` || (!withTypes && stamp === sources)) return
  console.error("Building the library ...")
  runNpm(
    ["run", "--silent", "build", "--workspace", "kernel-lib", ...(withTypes ? [] : ["--", "--no-dts"])],
    "The library could not be built.",
  )
  writeFileSync(stampFile, withTypes ? `${sources} with types` : sources)
}

/** Whether npm has installed just what the lockfile says, by whatever command. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages
    const installed = JSON.parse(readFileSync(join(root, "node_modules", ".package-lock.json"), "utf8")).packages
    return Object.entries(wanted).every(
      ([path, { version, optional }]) => !path.startsWith("node_modules/") || optional || installed[path]?.version === version,
    )
  } catch {
    return false
  }
}

function runNpm(parameters, sentence) {
  const { status, stdout, stderr } = spawnSync(isWindows ? "npm.cmd" : "npm", parameters, {
    cwd: root,
    encoding: "utf8",
    shell: isWindows,
    maxBuffer: 1 << 28,
  })
  if (status === 0) return
  console.error(`${stdout ?? ""}${stderr ?? ""}${sentence}`)
  process.exit(1)
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"))
  } catch {
    return {}
  }
}

function listFiles(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? listFiles(path) : [path]
    })
}

function hashOf(files) {
  const hash = createHash("sha256")
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file))
  return hash.digest("hex")
}
