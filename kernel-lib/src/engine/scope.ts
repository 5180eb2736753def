// Names for the parts of a network: what is recorded inside `inScope("decoder.block.0", ...)` carries that name, and so does an error.

const open: string[] = []
const failedIn = new WeakMap<object, string>()

/** Runs `body` under the name `name`; scopes nest with a dot. Costs nothing outside a trace. */
export function inScope<Result>(name: string, body: () => Result): Result {
  open.push(name)
  try {
    return body()
  } catch (error) {
    if (typeof error === "object" && error !== null && !failedIn.has(error)) failedIn.set(error, currentScope())
    throw error
  } finally {
    open.pop()
  }
}

/** The open scopes, joined: `decoder.block.0`; empty outside any. */
export function currentScope(): string {
  return open.join(".")
}

/** The innermost scope that `error` was thrown in; empty outside any. */
export function scopeOfError(error: unknown): string {
  return (typeof error === "object" && error !== null && failedIn.get(error)) || ""
}
