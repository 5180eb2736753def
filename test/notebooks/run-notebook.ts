// Notebooks as data, and their execution in a real tslab kernel.
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs"
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
  /** Where the notebook with its new outputs is. */
  readonly output: string
}

export function readNotebook(path: string): Notebook {
  return JSON.parse(readFileSync(path, "utf8"))
}

export function textOf(text: string | readonly string[] | undefined): string {
  return typeof text === "string" ? text : (text ?? []).join("")
}

/** Executes the notebook in a new folder near it: packages resolve and prompts are found as they are for the notebook, and no earlier run is there. */
export async function executeNotebook(path: string, { python, variables }: JupyterEnvironment): Promise<Execution> {
  const folder = join(root, "notebooks/.cache", basename(path, ".ipynb"))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, "notebooks/prompts"), join(folder, "prompts"), { recursive: true })
  const results = join(root, "test-results/notebooks")
  mkdirSync(results, { recursive: true })
  const output = join(results, basename(path))
  rmSync(output, { force: true })
  const child = spawn(python, [join(__dirname, "execute.py"), path, output, folder], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "ignore", "pipe"],
  })
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors += text
  })
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
  return { code, errors, output, notebook: readNotebook(output) }
}
