// A real tslab kernel, cell by cell, for tests that ask what it does.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { type JupyterEnvironment, root } from "./jupyter-environment"

export interface KernelOutput {
  readonly type: "stream" | "display_data" | "update_display_data" | "error"
  readonly name?: "stdout" | "stderr"
  readonly text?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly transient?: { readonly display_id?: string }
}

export interface CellResult {
  readonly status: "ok" | "error" | "no answer"
  readonly outputs: readonly KernelOutput[]
  readonly isAlive: boolean
}

export class TslabKernel {
  private constructor(
    private readonly driver: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly errors: () => string,
  ) {}

  /** Starts a kernel in the new folder `notebooks/.cache/NAME`, where packages resolve as they do for a notebook. */
  static async start({ python, variables }: JupyterEnvironment, name: string): Promise<TslabKernel> {
    const folder = join(root, "notebooks/.cache", name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const driver = spawn(python, [join(__dirname, "drive-kernel.py"), folder], { env: { ...process.env, ...variables } })
    let errors = ""
    driver.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text
    })
    const kernel = new TslabKernel(driver, createInterface(driver.stdout)[Symbol.asyncIterator](), () => errors)
    await kernel.read()
    return kernel
  }

  /** Runs a cell, for at most `seconds` (default 60). `interruptAt`: an interrupt is sent as soon as an output holds this text. */
  async run(code: string, options: { readonly interruptAt?: string; readonly seconds?: number } = {}): Promise<CellResult> {
    return (await this.ask({ do: "execute", code, ...options })) as unknown as CellResult
  }

  /** What a cell writes to stdout. @throws Error where the cell does not end well */
  async print(code: string): Promise<string> {
    const { status, outputs } = await this.run(code)
    if (status !== "ok") throw new Error(`The cell ended with "${status}": ${JSON.stringify(outputs)}`)
    return textOf(outputs).trim()
  }

  /** What Tab offers at the end of `code`. */
  async complete(code: string): Promise<readonly string[]> {
    const { matches } = await this.ask({ do: "complete", code, at: code.length })
    return matches as readonly string[]
  }

  /** What Shift-Tab says at the end of `code`. */
  async inspect(code: string): Promise<string> {
    const { data } = await this.ask({ do: "inspect", code, at: code.length })
    return (data as { readonly "text/plain": string })["text/plain"]
  }

  async close(): Promise<void> {
    if (this.driver.exitCode !== null) return
    const ended = once(this.driver, "exit")
    this.driver.stdin!.end()
    await ended
  }

  private async ask(request: object): Promise<Readonly<Record<string, unknown>>> {
    this.driver.stdin!.write(`${JSON.stringify(request)}\n`)
    return this.read()
  }

  private async read(): Promise<Readonly<Record<string, unknown>>> {
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`The kernel's driver ended: ${this.errors()}`)
    return JSON.parse(value)
  }
}

/** All text that outputs wrote to a stream. */
export function textOf(outputs: readonly KernelOutput[], stream: "stdout" | "stderr" = "stdout"): string {
  return outputs.map(({ name, text }) => (name === stream ? text : "")).join("")
}
