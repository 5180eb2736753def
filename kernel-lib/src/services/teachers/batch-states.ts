// Which batch holds which request, on disk before anything is sent: so that a process that was killed finds its batches again.
import { mkdir, readdir, readFile, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { writeFileAtomically } from "../../store/atomic"
import type { ServerDescription } from "./openai-errors"

/** What is on disk of a batch. */
export interface BatchState {
  /** Made here and sent along, so that a batch is found whose id was not received. */
  readonly token: string
  readonly model: string
  readonly baseURL: string
  readonly customIds: readonly string[]
  readonly at: string
  readonly id?: string
}

/** After so many days the server has deleted a batch's files. */
const keptDays = 30

/** Where it is kept which batches are under way, where nobody says. */
function usualFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "prompt2model", "batches")
}

export class BatchStates {
  /** By the request's id. */
  private readonly batchOf = new Map<string, BatchState>()

  constructor(
    private readonly server: ServerDescription,
    private readonly folder = usualFolder(),
  ) {}

  /** The batch that holds a request. */
  of(customId: string): BatchState | undefined {
    return this.batchOf.get(customId)
  }

  async save(state: BatchState): Promise<BatchState> {
    await writeFileAtomically(this.pathOf(state), `${JSON.stringify(state)}\n`)
    for (const customId of state.customIds) this.batchOf.set(customId, state)
    return state
  }

  /** Requests that are in no batch any more; where nothing else of the batch is needed, its file goes with `forget`. */
  release(customIds: readonly string[]): void {
    for (const customId of customIds) this.batchOf.delete(customId)
  }

  async forget(state: BatchState): Promise<void> {
    this.release(state.customIds)
    await rm(this.pathOf(state), { force: true })
  }

  /** Finds the batches of earlier processes. `find` looks one up at the server whose id was not written down any more. */
  async load(find: (token: string) => Promise<string | undefined>): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    const names = (await readdir(this.folder)).filter((name) => /^[0-9a-f]{32}\.json$/.test(name))
    for (const name of names) {
      const state = await readFile(join(this.folder, name), "utf8").then(
        (text) => JSON.parse(text) as BatchState,
        () => undefined,
      )
      if (state?.baseURL !== this.server.baseURL || state.model !== this.server.model) continue
      const isOld = Date.now() - Date.parse(state.at) > keptDays * 86_400_000
      const id = isOld ? undefined : (state.id ?? (await find(state.token)))
      if (id === undefined) await this.forget(state)
      else await this.save({ ...state, id })
    }
  }

  private pathOf({ token }: BatchState): string {
    return join(this.folder, `${token}.json`)
  }
}
