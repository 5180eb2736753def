// Rows as they come: a promise of the whole that can also be iterated.
import type { Example } from "../../core/prompt-spec"

export interface RowStream {
  /**
   * The rows as they come, provisional until their input's votes are in; all of them where the result was in the run already. Rows that came
   * before the call are not left out. Rejects as the promise does.
   */
  stream(): AsyncGenerator<Example, void, undefined>
}

/** What `start` promises, with a stream of the rows that it calls `onRow` with. `listener` is called with them too. */
export function streamRows<Result extends Iterable<Example>>(
  listener: ((row: Example) => void) | undefined,
  start: (onRow: (row: Example) => void) => Promise<Result>,
): Promise<Result> & RowStream {
  const rows: Example[] = []
  let isOver = false
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  const promise = start((row) => {
    rows.push(row)
    wake()
    listener?.(row)
  })
  const end = () => {
    isOver = true
    wake()
  }
  promise.then(end, end)
  async function* stream(): AsyncGenerator<Example, void, undefined> {
    for (let next = 0; !isOver || next < rows.length; ) {
      if (next < rows.length) {
        yield rows[next++]
        continue
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    const result = await promise
    // A result that was in the run already came without its rows being told.
    if (rows.length === 0) yield* result
  }
  return Object.assign(promise, { stream })
}
