// Names for the parts of a network: what is recorded inside `inScope("decoder.block.0", ...)` carries that name, and so does an error.

const open: string[] = []

/** Runs `body` under the name `name`; scopes nest with a dot. Costs nothing outside a trace. */
export function inScope<Result>(name: string, body: () => Result): Result {
  open.push(name)
  try {
    return body()
  } finally {
    open.pop()
  }
}

/** The open scopes, joined: `decoder.block.0`; empty outside any. */
export function currentScope(): string {
  return open.join(".")
}
