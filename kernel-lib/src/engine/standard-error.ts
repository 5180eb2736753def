// Standard error belongs to the program. Libraries that greet or grumble there while they start are kept quiet for that moment.
import { closeSync, openSync } from "node:fs"
import { createRequire } from "node:module"
import { devNull } from "node:os"

/** Throws away what native code writes to standard error until the answer is called. Does nothing on Windows and without koffi. */
export function silenceStandardError(): () => void {
  const libc = process.platform === "win32" ? undefined : openLibc()
  if (!libc) return () => {}
  const [copy, replace, close] = ["int dup(int file)", "int dup2(int from, int to)", "int close(int file)"].map((name) => libc.func(name))
  const nowhere = openSync(devNull, "w")
  const kept = copy(2)
  replace(nowhere, 2)
  closeSync(nowhere)
  return () => {
    replace(kept, 2)
    close(kept)
  }
}

/** Sets a variable of the environment that libraries see, unless it is set; `process.env` is a copy of its own in a worker thread. */
export function setLibraryVariable(name: string, value: string): void {
  if (process.platform === "win32") process.env[name] ??= value
  else openLibc()?.func("int setenv(str name, str value, int overwrite)")(name, value, 0)
}

function openLibc() {
  try {
    return (createRequire(import.meta.url)("koffi") as typeof import("koffi")).load(null)
  } catch {
    return undefined
  }
}
