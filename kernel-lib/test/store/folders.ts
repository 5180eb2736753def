// Temporary folders for tests, removed when they are done.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const made: string[] = []

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "prompt2model-test-"))
  made.push(folder)
  return folder
}

export async function removeFolders(): Promise<void> {
  await Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
}
