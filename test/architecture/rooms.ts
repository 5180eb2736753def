// The house's rule as data, and the check of it: which room may import which. A row may import only what its list names.
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import ts from "typescript"

/** What each room may import. `stages` stands for each folder in it, none of which may import another. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  display: [],
  core: ["display"],
  measures: ["core"],
  store: ["core", "display"],
  engine: ["core"],
  networks: ["engine"],
  students: ["core", "store", "engine", "networks"],
  search: ["core", "store", "students"],
  stages: ["display", "core", "measures", "store", "engine", "networks", "students", "search"],
  "pipeline.ts": ["stages", "core", "display", "store"],
  experiments: ["pipeline.ts", "stages", "measures", "store", "core", "display"],
  services: ["core", "store", "search"],
  cli: [
    "display",
    "core",
    "measures",
    "store",
    "engine",
    "networks",
    "students",
    "search",
    "stages",
    "pipeline.ts",
    "experiments",
    "services",
  ],
  "index.ts": [
    "display",
    "core",
    "measures",
    "store",
    "engine",
    "networks",
    "students",
    "search",
    "stages",
    "pipeline.ts",
    "experiments",
    "services",
  ],
}

/** Relative imports by file, paths relative to the source folder with forward slashes. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

export function readImports(sourceFolder: string): ImportGraph {
  const files = readdirSync(sourceFolder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
  const known = new Set(files.map(slashed))
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(sourceFolder, file), "utf8"), true, true)
      const targets = importedFiles
        .map(({ fileName }) => fileName)
        .filter((name) => name.startsWith("."))
        .map((name) => slashed(relative(".", join(dirname(file), name))))
        .map((target) => [`${target}.ts`, `${target}/index.ts`, target].find((path) => known.has(path)) ?? target)
      return [slashed(file), targets] as const
    }),
  )
}

/** A sentence for each import that the table forbids. */
export function findForbiddenImports(graph: ImportGraph): string[] {
  const sentences: string[] = []
  for (const [file, targets] of graph) {
    const room = roomOf(file)
    const allowed = rooms[room]
    if (!allowed) sentences.push(`${file} stands in ${room}, which is no room of the house`)
    for (const target of targets) {
      const other = roomOf(target)
      if (other === room && room !== "stages") continue
      if (room === "stages" && other === "stages") {
        if (stageOf(file) !== stageOf(target)) sentences.push(`${file} imports ${target}: a stage may not import another stage`)
      } else if (!allowed?.includes(other)) sentences.push(`${file} imports ${target}: ${room} may not import ${other}`)
    }
  }
  return sentences
}

/** A cycle of files that import each other, types included; undefined when there is none. */
export function findCycle(graph: ImportGraph): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    if (done.has(file)) return undefined
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    path.push(file)
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target)
      if (cycle) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const cycle = visit(file)
    if (cycle) return cycle
  }
  return undefined
}

function roomOf(file: string): string {
  return file.split("/")[0]
}

function stageOf(file: string): string {
  return file.split("/")[1]
}

function slashed(path: string): string {
  return path.split(sep).join("/")
}
