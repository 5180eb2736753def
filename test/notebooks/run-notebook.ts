// Notebooks as data, and their execution in a real tslab kernel.
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { type JupyterEnvironment, root } from "./jupyter-environment"

export interface Output {
  readonly output_type: "display_data" | "execute_result" | "stream" | "error" | "update_display_data"
  readonly data?: Readonly<Record<string, unknown>>
  readonly name?: "stdout" | "stderr"
  readonly text?: string | readonly string[]
  readonly ename?: string
  readonly evalue?: string
}

export interface Cell {
  readonly cell_type: "code" | "markdown" | "raw"
  readonly source: string | readonly string[]
  readonly metadata?: { readonly tags?: readonly string[]; readonly jupyter?: { readonly source_hidden?: boolean } }
  readonly outputs?: readonly Output[]
}

export interface Notebook {
  readonly cells: readonly Cell[]
  readonly metadata: { readonly kernelspec?: { readonly name: string } }
}

export interface Execution {
  readonly code: number | null
  /** What nbclient wrote to stderr: the failing cell, where there is one. */
  readonly errors: string
  readonly notebook: Notebook
  /** What each exercise's check says of the exercise's own solution, in order. */
  readonly checkedSolutions: readonly string[]
  /** Where the notebook with its new outputs is. */
  readonly output: string
}

export function readNotebook(path: string): Notebook {
  return JSON.parse(readFileSync(path, "utf8"))
}

export function textOf(text: string | readonly string[] | undefined): string {
  return typeof text === "string" ? text : (text ?? []).join("")
}

/** An exercise that code answers: the cell to change, the cell that checks it, and the solution that is folded away under them. */
export interface Exercise {
  readonly cell: Cell
  readonly check: Cell
  /** The code of the solution; undefined where none follows the check. */
  readonly solution: string | undefined
}

export function hasTag({ metadata }: Cell, tag: string): boolean {
  return metadata?.tags?.includes(tag) ?? false
}

export function exercisesOf({ cells }: Notebook): Exercise[] {
  return cells.flatMap((cell, index) =>
    hasTag(cell, "exercise") ? [{ cell, check: cells[index + 1], solution: readSolution(textOf(cells[index + 2]?.source)) }] : [],
  )
}

function readSolution(text: string): string | undefined {
  const [folded] = text.match(/<details>[\s\S]*?<\/details>/) ?? []
  return folded?.match(/```ts\n([\s\S]*?)```/)?.[1]
}

/**
 * Executes the notebook in a new folder near it: packages resolve and prompts are found as they are for the notebook, and no earlier run is
 * there. Behind its last cell each exercise's solution is checked; the notebook that is written ends where it ended before.
 */
export async function executeNotebook(path: string, { python, variables }: JupyterEnvironment): Promise<Execution> {
  const folder = join(root, "notebooks/.cache", basename(path, ".ipynb"))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, "notebooks/prompts"), join(folder, "prompts"), { recursive: true })
  const results = join(root, "test-results/notebooks")
  mkdirSync(results, { recursive: true })
  const output = join(results, basename(path))
  rmSync(output, { force: true })
  const source = readNotebook(path)
  const solved = exercisesOf(source).flatMap(({ check, solution = "" }, index) => [
    { ...check, id: `solution-${index}`, source: solution },
    { ...check, id: `check-${index}` },
  ])
  const input = join(folder, basename(path))
  writeFileSync(input, JSON.stringify({ ...source, cells: [...source.cells, ...solved] }))
  const child = spawn(python, [join(__dirname, "execute.py"), input, output, folder], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "ignore", "pipe"],
  })
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors += text
  })
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
  const executed = readNotebook(output)
  const cells = executed.cells.slice(0, source.cells.length)
  writeFileSync(output, `${JSON.stringify({ ...executed, cells }, null, 1)}\n`)
  const checks = executed.cells.slice(source.cells.length).filter((_, index) => index % 2 === 1)
  const checkedSolutions = checks.map(({ outputs = [] }) => outputs.map(({ text }) => textOf(text)).join(""))
  return { code, errors, output, notebook: { ...executed, cells }, checkedSolutions }
}
